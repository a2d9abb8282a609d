/**
 * Programs that serve are killed, stopped and closed at random moments, and so are those that have something run there: everything settles,
 * nothing runs twice, every result is right, and nothing stays behind.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isRunning, until } from '@skein/conformance'
import { connect, type Context } from '@skein/core'
import { expect, onTestFinished, test } from 'vitest'
import { ITEMS, KILLS, pause, SEED, seeded } from '../support/chaos.ts'
import { Program } from '../support/program.ts'
import { freshNamespace, startRedis } from '../support/redis.ts'
import { Accidents, HOSTS, SESSION_TTL, SLOTS } from './accidents.ts'
import { mark, meet, square } from './tasks.mjs'

const PROCESSES = 6 * KILLS
const TASKS = ITEMS / 8
/** Milliseconds within which whatever was asked must be settled, with a machine that is busy. */
const BOUND = 20_000
/** Milliseconds that a run may take. */
const LONG = 60_000 + KILLS * 10_000

interface Scene {
  readonly url: string
  readonly namespace: string
  readonly mp: Context
  readonly accidents: Accidents
  /** A file in which the runs of one process say who they are. */
  readonly file: (name: string) => string
}

async function scene(random: () => number): Promise<Scene> {
  const redis = await startRedis()
  onTestFinished(() => redis.close())
  const { url } = redis
  const namespace = freshNamespace()
  const accidents = await Accidents.begin(redis, namespace, random)
  const mp = await connect(url, { namespace, serve: false, sessionTtl: SESSION_TTL })
  onTestFinished(() => mp.close())
  const folder = mkdtempSync(join(tmpdir(), 'serve-chaos-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const file = (name: string): string => {
    const path = join(folder, name)
    writeFileSync(path, '')
    return path
  }
  return { url, namespace, mp, accidents, file }
}

async function within<T>(what: string, asked: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} was not settled within ${BOUND} ms`)), BOUND)
  })
  try {
    return await Promise.race([asked, late])
  } finally {
    clearTimeout(timer)
  }
}

function runsIn(file: string): number[] {
  return readFileSync(file, 'utf8').trim().split(' ').filter(Boolean).map(Number)
}

/** All slots of all programs that serve can be had at once. */
async function allSlots(mp: Context): Promise<void> {
  // One that was stopped may find out only now that it is lost; those that were killed are known to be dead.
  const mains = async (): Promise<number> => (await mp.processes()).filter(({ role }) => role === 'main').length
  await until('all that serve are well', async () => (await mains()) === HOSTS + 1, BOUND)
  const many = HOSTS * SLOTS
  const barrier = mp.barrier(many)
  const all = Array.from({ length: many }, () => mp.process(meet, [barrier]))
  await within('as many starts as there are slots', Promise.all(all.map((child) => child.start())))
  for (const child of all) expect((await within('join()', child.join())).reason).toBe('returned')
}

test(`processes (seed ${SEED})`, { timeout: LONG }, async () => {
  const random = seeded(SEED)
  const { mp, accidents, file } = await scene(random)
  const files: string[] = []
  const ends = new Map<string, number>()

  /** One after the other, some of which are given up or ended at any moment. */
  const play = async (): Promise<void> => {
    while (files.length < PROCESSES || !accidents.enough) {
      const runs = file(String(files.length))
      files.push(runs)
      const child = mp.process(mark, [runs, random() * 300])
      const [what, when] = [random(), random() * 700]
      const giveUp = new AbortController()
      const act = pause(when).then(async () => {
        if (what < 0.15) giveUp.abort()
        else if (what < 0.3) await within('kill()', child.kill())
        else if (what < 0.4) await within('terminate()', child.terminate())
      })
      const started = await within('start()', child.start({ signal: giveUp.signal })).then(
        () => 'started',
        (error: unknown) => (error as Error).name,
      )
      await act
      const { reason } = await within('join()', child.join())
      const result = await within('result()', child.result()).catch((error: unknown) => (error as Error).name)
      ends.set(`${started}, ${reason}`, (ends.get(`${started}, ${reason}`) ?? 0) + 1)
      expect(['started', 'AbortError', 'SpawnError', 'HostLostError']).toContain(started)
      const pids = runsIn(runs)
      expect(pids.length).toBeLessThanOrEqual(1)
      if (reason === 'returned') expect(result).toBe(pids[0])
    }
  }
  await Promise.all(Array.from({ length: 5 }, play))
  await accidents.end()
  console.log(`processes, seed ${SEED}:`, accidents.done, ends)
  // Those of a program that was stopped end when it goes on.
  for (const pid of files.flatMap(runsIn)) await until(`${pid} has ended`, () => !isRunning(pid), BOUND)
  await allSlots(mp)
})

test(`a pool (seed ${SEED})`, { timeout: LONG }, async () => {
  const { mp, accidents } = await scene(seeded(SEED + 1))
  const pool = mp.pool(4)
  const items = Array.from({ length: TASKS }, (_, n) => n)
  let rounds = 0
  for (; rounds === 0 || !accidents.enough; rounds += 1) {
    const settled = new Map<number, number>()
    const tasks = items.map(async (n) => {
      const result = await pool.apply(square, [n], { retries: 20 })
      settled.set(n, (settled.get(n) ?? 0) + 1)
      return result
    })
    expect(await Promise.all(tasks)).toEqual(items.map((n) => n * n))
    expect([...settled.values()]).toEqual(items.map(() => 1))
    expect(await pool.map(square, items, { retries: 20, chunkSize: 5 })).toEqual(items.map((n) => n * n))
  }
  await accidents.end()
  console.log(`a pool, seed ${SEED}:`, accidents.done, `${2 * rounds * TASKS} tasks`)
  pool.close()
  await within('join()', pool.join())
  await allSlots(mp)
})

test(`programs that start (seed ${SEED})`, { timeout: LONG }, async () => {
  const random = seeded(SEED + 2)
  const { url, namespace, mp, accidents, file } = await scene(random)
  const runs = file('all')
  for (let times = 0; times < KILLS; times += 1) {
    const starter = new Program('starter.mjs', {
      folder: import.meta.dirname,
      args: [url, namespace, String(SESSION_TTL), runs],
    })
    await within('connect()', starter.line('ready'))
    await pause(random() * 1_500)
    if (random() < 0.3) {
      starter.kill('SIGSTOP')
      await pause(SESSION_TTL * (0.5 + 2 * random()))
      starter.kill('SIGCONT')
      await pause(random() * 600)
    }
    starter.kill('SIGKILL')
    await starter.ended
  }
  await accidents.end()
  const pids = runsIn(runs)
  expect(pids.length).toBeGreaterThan(0)
  console.log(`programs that start, seed ${SEED}:`, accidents.done, `${pids.length} processes of ${KILLS} programs`)
  for (const pid of pids) await until(`${pid} has ended`, () => !isRunning(pid), BOUND)
  await allSlots(mp)
})
