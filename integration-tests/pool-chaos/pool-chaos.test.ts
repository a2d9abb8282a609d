/**
 * Workers killed at random while each method of the pool runs: every task settles once, none runs twice that was not to run again, and the
 * pool is whole afterwards.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { setTimeout as pause } from 'node:timers/promises'
import { bind, connect, type Pool, WorkerLostError } from '@skein/core'
import { expect, onTestFinished, test } from 'vitest'
import { KILLS, SEED, seeded } from '../support/chaos.ts'
import { freshNamespace, redisForTest } from '../support/redis.ts'
import { work } from './tasks.mjs'

const SIZE = 3
const TASKS = KILLS < 30 ? 24 : 60
/** Milliseconds between two kills at most. */
const SPELL = 150

const items = Array.from({ length: TASKS }, (_, item) => item)
const right = items.map((item) => item * 2)

/** What a call has come to: the results of the items, in their order, and the errors. Not all need be there if there was an error. */
interface Outcome {
  readonly values: readonly (readonly [item: number, value: number])[]
  readonly errors: readonly unknown[]
}

type Method = (pool: Pool, path: string, retries: number) => Promise<Outcome>

/** Of a call that gives all results or one error. */
async function whole(call: PromiseLike<number[]>): Promise<Outcome> {
  try {
    const values = await call
    return { values: values.map((value, item) => [item, value]), errors: [] }
  } catch (error) {
    return { values: [], errors: [error] }
  }
}

async function each(calls: readonly PromiseLike<number>[]): Promise<Outcome> {
  const settled = await Promise.allSettled(calls)
  const values: [number, number][] = []
  const errors: unknown[] = []
  for (const [item, one] of settled.entries()) {
    if (one.status === 'fulfilled') values.push([item, one.value])
    else errors.push(one.reason)
  }
  return { values, errors }
}

/** @param itemOf which item a result is of: that of its place, or the one that it tells */
async function iterated(
  results: AsyncIterable<number>,
  itemOf: (at: number, value: number) => number,
): Promise<Outcome> {
  const values: [number, number][] = []
  try {
    for await (const value of results) values.push([itemOf(values.length, value), value])
    return { values, errors: [] }
  } catch (error) {
    return { values, errors: [error] }
  }
}

const pairsOf = (path: string): [string, number][] => items.map((item) => [path, item])

const methods: Readonly<Record<string, Method>> = {
  apply: (pool, path, retries) => each(items.map((item) => pool.apply(work, [path, item], { retries }))),
  applyAsync: (pool, path, retries) => each(items.map((item) => pool.applyAsync(work, [path, item], { retries }))),
  map: (pool, path, retries) => whole(pool.map(bind(work, path), items, { retries })),
  mapAsync: (pool, path, retries) => whole(pool.mapAsync(bind(work, path), items, { retries, chunkSize: 1 })),
  starmap: (pool, path, retries) => whole(pool.starmap(work, pairsOf(path), { retries })),
  starmapAsync: (pool, path, retries) => whole(pool.starmapAsync(work, pairsOf(path), { retries, chunkSize: 7 })),
  imap: (pool, path, retries) =>
    iterated(pool.imap(bind(work, path), items, { retries, window: 20, chunkSize: 4 }), (at) => at),
  imapUnordered: (pool, path, retries) =>
    iterated(pool.imapUnordered(bind(work, path), items, { retries }), (_, value) => value / 2),
}

class Marks {
  path = ''
  readonly #folder = mkdtempSync(join(tmpdir(), 'pool-chaos-'))
  #files = 0

  constructor() {
    onTestFinished(() => rmSync(this.#folder, { recursive: true, force: true }))
    this.turn()
  }

  /** A file of its own for each call: what a call left running when it was given up still leaves its marks. */
  turn(): void {
    this.#files += 1
    this.path = join(this.#folder, `marks-${this.#files}`)
    writeFileSync(this.path, '')
  }

  /** How often each item has begun, or ended. */
  count(mark: 'b' | 'e'): readonly number[] {
    const counts = items.map(() => 0)
    for (const line of readFileSync(this.path, 'latin1').split('\n')) {
      const item = Number(line.slice(1))
      if (line.startsWith(mark)) counts[item] = (counts[item] ?? 0) + 1
    }
    return counts
  }
}

class Killer {
  readonly pids: Set<number> = new Set()
  readonly #random: () => number

  constructor(random: () => number) {
    this.#random = random
  }

  /** Kills workers of the pool, one after the other, until the call has settled. */
  async during(pool: Pool, call: Promise<Outcome>): Promise<Outcome> {
    for (;;) {
      const spell = pause(SPELL * this.#random(), null)
      const outcome = await Promise.race([call, spell])
      if (outcome !== null) return outcome
      const { workers } = await pool.stats()
      // Three in a row that never became ready would make a crash loop, which ends a pool.
      const there = workers.flatMap(({ pid, state }) => (state === 'starting' || pid === null ? [] : pid))
      const victim = there[Math.floor(this.#random() * there.length)]
      if (victim !== undefined) this.#kill(victim)
    }
  }

  #kill(pid: number): void {
    try {
      process.kill(pid, 'SIGKILL')
      this.pids.add(pid)
    } catch (error) {
      // Its end is known to the system, and not to the pool yet.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
    }
  }
}

/** What is wrong with a call, if anything. */
function faults({ values, errors }: Outcome, marks: Marks, killer: Killer, retries: number): string[] {
  const wrong: string[] = []
  const [begun, ended] = [marks.count('b'), marks.count('e')]
  const told = new Set<number>()
  for (const [item, value] of values) {
    if (value !== right[item]) wrong.push(`item ${item} gave ${value}`)
    if (told.has(item)) wrong.push(`item ${item} was told twice`)
    told.add(item)
    if (ended[item] === 0) wrong.push(`item ${item} has a result and never ended`)
  }
  for (const error of errors) {
    if (!(error instanceof WorkerLostError)) wrong.push(`it failed with ${String(error)}`)
    else if (error.pid === null || !killer.pids.has(error.pid))
      wrong.push(`process ${String(error.pid)} was never killed: ${error.message}`)
  }
  if (errors.length === 0 && told.size < TASKS) wrong.push(`${TASKS - told.size} results are missing`)
  if (retries > 0 && errors.length > 0) wrong.push(`${errors.length} tasks failed that were to run again`)
  for (const [item, count] of begun.entries())
    if (retries === 0 && count > 1) wrong.push(`item ${item} ran ${count} times`)
  return wrong
}

for (const adapter of ['local', 'redis'] as const) {
  test(`${adapter}: workers killed while each method runs (seed ${SEED})`, { timeout: 240_000 }, async () => {
    const url = adapter === 'local' ? 'local:' : (await redisForTest()).url
    const mp = await connect(url, { namespace: freshNamespace() })
    onTestFinished(() => mp.close())
    const [marks, killer] = [new Marks(), new Killer(seeded(SEED))]
    const pool = mp.pool(SIZE)
    const calls = new Map<string, number>()
    const lost = new Map<string, number>()
    const names = Object.keys(methods)
    for (let at = 0; killer.pids.size < KILLS || at < 2 * names.length; at += 1) {
      const name = names[at % names.length] as string
      const retries = Math.floor(at / names.length) % 2 === 0 ? 0 : 50
      marks.turn()
      const before = killer.pids.size
      const outcome = await killer.during(pool, (methods[name] as Method)(pool, marks.path, retries))
      expect(faults(outcome, marks, killer, retries), `${name}, retries ${retries}, seed ${SEED}`).toEqual([])
      calls.set(name, (calls.get(name) ?? 0) + killer.pids.size - before)
      lost.set(name, (lost.get(name) ?? 0) + outcome.errors.length)
    }
    // All of it is as large as before, and nothing is left of what was given up.
    await expect
      .poll(async () => (await pool.stats()).workers.map(({ state }) => state), { timeout: 20_000 })
      .toEqual(Array.from({ length: SIZE }, () => 'idle'))
    expect(await pool.map(bind(work, marks.path), items)).toEqual(right)
    const stats = await pool.stats()
    expect(stats).toMatchObject({ waiting: 0, running: 0, lost: killer.pids.size, started: SIZE + killer.pids.size })
    pool.close()
    await pool.join()
    const told = [...calls].map(([name, kills]) => `${name} ${kills} (${lost.get(name)} lost)`)
    console.log(`seed ${SEED}, ${adapter}: ${killer.pids.size} kills: ${told.join(', ')}`)
  })
}
