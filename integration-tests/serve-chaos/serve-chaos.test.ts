/**
 * Programs that serve are killed, stopped and closed at random moments, and so are those that have something run there: everything settles,
 * nothing runs twice, every result is right, and nothing stays behind.
 */
import { isRunning, until } from '@skein/conformance'
import { expect, test } from 'vitest'
import { ITEMS, KILLS, pause, SEED, seeded } from '../support/chaos.ts'
import { Program } from '../support/program.ts'
import { SESSION_TTL } from './accidents.ts'
import { allSlots, BOUND, numbersIn, scene, within } from './scene.ts'
import { mark, square } from './tasks.mjs'

const PROCESSES = 6 * KILLS
const TASKS = ITEMS / 8
/** Milliseconds that a run may take. */
const LONG = 60_000 + KILLS * 10_000

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
      const pids = numbersIn(runs)
      expect(pids.length).toBeLessThanOrEqual(1)
      if (reason === 'returned') expect(result).toBe(pids[0])
    }
  }
  await Promise.all(Array.from({ length: 5 }, play))
  await accidents.end()
  console.log(`processes, seed ${SEED}:`, accidents.done, ends)
  // Those of a program that was stopped end when it goes on.
  for (const pid of files.flatMap(numbersIn)) await until(`${pid} has ended`, () => !isRunning(pid), BOUND)
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
  const pids = numbersIn(runs)
  expect(pids.length).toBeGreaterThan(0)
  console.log(`programs that start, seed ${SEED}:`, accidents.done, `${pids.length} processes of ${KILLS} programs`)
  for (const pid of pids) await until(`${pid} has ended`, () => !isRunning(pid), BOUND)
  await allSlots(mp)
})
