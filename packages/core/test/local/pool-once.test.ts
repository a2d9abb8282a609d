/** Chunks travel ahead and reports gather on the way back: still each task runs once, and only what ran is lost with a worker. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type Context, type Pool, WorkerLostError } from '@skein/core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { exitAt, large, noted, quick, saySlow, sayThenBeSlow, slow, wait } from './targets/pool.mjs'

const range = (count: number): number[] => Array.from({ length: count }, (_, n) => n)

describe('a task runs once', () => {
  let mp: Context
  let pool: Pool
  let directory: string
  let log: string

  beforeAll(async () => {
    mp = await connect('local:', { namespace: 'pool-once' })
    directory = mkdtempSync(join(tmpdir(), 'skein-'))
  })
  afterAll(async () => {
    rmSync(directory, { recursive: true })
    await mp.close()
  })
  beforeEach(async () => {
    log = join(mkdtempSync(join(directory, 'log-')), 'lines')
    pool = mp.pool(2)
    await Promise.all(range(4).map(() => pool.apply(slow, [30])))
  })
  afterEach(async () => {
    await pool.terminate()
  })

  /** How many workers take part: each of two long tasks has one of its own, unless one was forgotten. */
  const working = async () => new Set(await pool.map(slow, [150, 150], { chunkSize: 1 })).size
  const lines = (): string[] => readFileSync(log, 'utf8').trim().split('\n').toSorted()
  const task = (line: string, milliseconds: number) => ({ log, line, milliseconds })

  it('when it is slow and the reports of quick ones before it were gathered', async () => {
    const quickOnes = (count: number) => range(count).map(() => task('', 0))
    await pool.map(noted, quickOnes(3000), { chunkSize: 1 })
    const rounds = range(5).map((n) => `round ${n}`)
    for (const round of rounds) {
      await pool.map(noted, [...quickOnes(2000), task(round, 100), ...quickOnes(4)], { chunkSize: 1 })
      await pool.apply(wait, [50])
    }
    expect(lines()).toEqual(rounds)
    expect(await working()).toBe(2)
  })

  it('when the result of the one before it does not fit into the socket', async () => {
    const rounds = range(4).map((n) => `round ${n}`)
    for (const round of rounds) {
      const before = [pool.apply(large, [8e6]), pool.apply(quick, [1])]
      await Promise.all([...before, ...['a', 'b'].map((one) => pool.apply(noted, [task(`${round} ${one}`, 100)]))])
      await pool.apply(wait, [150])
    }
    expect(lines()).toEqual(rounds.flatMap((round) => [`${round} a`, `${round} b`]))
    expect(await working()).toBe(2)
  })

  it('when it lay in the socket of a worker that computed past the lease', async () => {
    const said = mp.queue<number>()
    const before = [pool.apply(saySlow, [said, 250]), pool.apply(saySlow, [said, 40])]
    for (const _ of before) await said.get()
    const after = ['a', 'b'].map((one) => pool.apply(noted, [task(one, 60)]))
    await Promise.all([...before, ...after])
    await pool.apply(wait, [50])
    expect(lines()).toEqual(['a', 'b'])
    expect(await working()).toBe(2)
  })

  it('and after the one before it, where there is one worker, whatever came late or was given back meanwhile', async () => {
    const single = mp.pool(1)
    const [seen, items] = [mp.queue<number>(), range(60)]
    // A lease lasts 20 ms: what was given ahead runs out of it in each third task.
    const args = (n: number): [typeof seen, number, number] => [seen, n, n % 3 === 0 ? 25 : 0]
    await Promise.all(items.map((n) => single.apply(sayThenBeSlow, args(n))))
    expect(await Promise.all(items.map(() => seen.get()))).toEqual(items)
    await single.terminate()
  })

  it('and of thousands of quick ones only that is lost which calls process.exit()', async () => {
    await pool.map(quick, range(3000), { chunkSize: 1 })
    const results = range(3000).map((n) => pool.applyAsync(exitAt, [n, 2500]))
    await Promise.all(results.map((result) => result.wait()))
    const lost = range(3000).filter((n) => results[n]?.successful() === false)
    expect(lost).toEqual([2500])
    await expect(results[2500]?.get()).rejects.toBeInstanceOf(WorkerLostError)
  })
})
