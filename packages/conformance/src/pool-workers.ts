/** Which workers a pool has: replaced after so many tasks or so much memory, ended when idle, counted. */
import process from 'node:process'
import { ArgumentError, bind, WorkerLostError } from '@skein/core'
import type { Pool, PoolStats } from '@skein/core'
import { expect } from 'vitest'
import { failureOf } from './checking.ts'
import type { Suite } from './harness.ts'
import { double, idle, pid } from './targets/basic.ts'
import { computeFor, doubleDeep, hoardBytes, spinIfItem, stopAtGate, tell } from './targets/pool.ts'
import { isRunning, until } from './until.ts'

const MB = 1024 * 1024

/** How many tasks each process has run. */
function perProcess(pids: readonly number[]): number[] {
  const counts = new Map<number, number>()
  for (const one of pids) counts.set(one, (counts.get(one) ?? 0) + 1)
  return [...counts.values()]
}

/** The numbers that come to rest when what was said is known everywhere. */
async function settled(pool: Pool, done: (stats: PoolStats) => boolean): Promise<PoolStats> {
  let stats = await pool.stats()
  await until('the pool’s numbers are right', async () => done((stats = await pool.stats())))
  return stats
}

export function poolWorkersSuite(suite: Suite): void {
  suite('pool: workers', (check) => {
    for (const chunkSize of [1, 4, 100]) {
      check(`a worker runs maxTasksPerChild tasks and no more, in chunks of ${chunkSize}`, async ({ pool }) => {
        const workers = pool(2, { maxTasksPerChild: 3 })
        const pids = await workers.map(
          computeFor,
          Array.from({ length: 20 }, () => 0),
          { chunkSize },
        )
        const counts = perProcess(pids)
        expect(Math.max(...counts)).toBe(3)
        expect(counts.reduce((sum, count) => sum + count)).toBe(20)
        // Each but the last of either place has run all of its own.
        expect(counts.filter((count) => count < 3).length).toBeLessThanOrEqual(2)
      })
    }

    check(
      'with maxTasksPerChild the results are in order, each task runs once, and errors count (loky#373)',
      async (tools) => {
        const { mp, pool } = tools
        const workers = pool(2, { maxTasksPerChild: 2 })
        const seen = mp.queue<number>()
        const items = Array.from({ length: 11 }, (_, n) => n)
        expect(await workers.map(bind(tell, seen), items, { chunkSize: 5, timeout: 20_000 })).toEqual(items)
        const ran: number[] = []
        for (let left = await seen.tryGet(); left !== null; left = await seen.tryGet()) ran.push(left.value)
        expect(ran.toSorted((a, b) => a - b)).toEqual(items)
        expect((await workers.stats()).lost).toBe(0)
      },
    )

    check('single calls: each worker ends after its share, as Python’s do', async ({ pool }) => {
      const workers = pool(1, { maxTasksPerChild: 3 })
      const pids = await Promise.all(Array.from({ length: 9 }, () => workers.apply(pid)))
      expect(perProcess(pids)).toEqual([3, 3, 3])
      await until('the replaced workers are gone', () => pids.filter((one) => isRunning(one)).length <= 0)
    })

    check(
      'close() and join() return, with tasks left for workers that are to come (cpython#115634)',
      async ({ pool }) => {
        const workers = pool(2, { maxTasksPerChild: 1 })
        const result = workers.mapAsync(computeFor, [1, 1, 1, 1, 1, 1], { chunkSize: 6 })
        workers.close()
        await workers.join({ timeout: 20_000 })
        expect(perProcess(await result)).toEqual([1, 1, 1, 1, 1, 1])
      },
    )

    check('a worker that dies before its share is done is lost, and its place is taken', async ({ mp, pool }) => {
      const workers = pool(1, { maxTasksPerChild: 2 })
      const said = mp.queue<number>()
      const failed = failureOf(() => workers.apply(idle, [said]))
      process.kill(await said.get(), 'SIGKILL')
      expect(await failed).toBeInstanceOf(WorkerLostError)
      const pids = await Promise.all([workers.apply(pid), workers.apply(pid), workers.apply(pid)])
      expect(perProcess(pids)).toEqual([2, 1])
      expect((await workers.stats()).lost).toBe(1)
    })

    check('a task that runs out of time in a later worker of its chunk is the only one that rejects', async (tools) => {
      const { mp, pool } = tools
      const workers = pool(1, { maxTasksPerChild: 2 })
      const seen = mp.queue<number>()
      const results: unknown[] = []
      const all = workers.imapUnordered(bind(spinIfItem, seen, 3), [0, 1, 2, 3], { chunkSize: 4, timeout: 300 })
      const error = await failureOf(async () => {
        for await (const result of all) results.push(result)
      })
      expect(results).toEqual([0, 1, 2])
      expect((error as Error).name).toBe('TimeoutError')
      expect(await workers.apply(pid)).toBeGreaterThan(0)
    })

    for (const chunkSize of [1, 8]) {
      check(
        `a worker that takes up too much memory runs no further task, in chunks of ${chunkSize}`,
        async ({ pool }) => {
          const workers = pool(1, { maxMemoryPerChild: 300 * MB })
          const small = await workers.map(hoardBytes, [1, 1, 1, 1], { chunkSize })
          expect(perProcess(small)).toEqual([4])
          // The fresh ones stay below by far, each of them goes above with its one task.
          const large = await workers.map(hoardBytes, [300 * MB, 300 * MB, 300 * MB], { chunkSize })
          expect(perProcess(large)).toEqual([1, 1, 1])
        },
      )
    }

    check('idle workers end after idleTimeout, and come again when there is work', async ({ mp, pool }) => {
      const workers = pool(2, { idleTimeout: 150 })
      const first = await workers.map(computeFor, [30, 30], { chunkSize: 1 })
      await settled(workers, (stats) => stats.workers.length === 0)
      expect(first.some((one) => isRunning(one))).toBe(false)
      const [arrived, gate] = [mp.queue<number>(), mp.queue<string>()]
      const one = workers.applyAsync(stopAtGate, [arrived, gate])
      const busy = await arrived.get()
      expect(first).not.toContain(busy)
      // One task needs one worker; and who works is not idle, however long.
      const stats = await settled(workers, ({ workers: all }) => all.length === 1)
      expect(stats.workers).toMatchObject([{ pid: busy, state: 'busy' }])
      await gate.put('go')
      expect(await one).toBe('go')
      expect(await workers.map(double, [1, 2, 3])).toEqual([2, 4, 6])
    })

    check('a pool whose workers have all ended idle closes, joins and terminates as any other', async ({ pool }) => {
      for (const end of ['close', 'terminate'] as const) {
        const workers = pool(2, { idleTimeout: 1 })
        expect(await workers.map(double, [1, 2, 3])).toEqual([2, 4, 6])
        await settled(workers, (stats) => stats.workers.length === 0)
        await workers[end]()
        await workers.join({ timeout: 20_000 })
        expect(await workers.stats()).toMatchObject({ workers: [], waiting: 0, running: 0, done: 3, lost: 0 })
      }
    })

    check('many short bursts between idle ends lose nothing', async ({ pool }) => {
      const workers = pool(2, { idleTimeout: 1, maxTasksPerChild: 5 })
      for (let round = 0; round < 12; round += 1) {
        const items = Array.from({ length: 7 }, (_, n) => n + round)
        expect(await workers.map(double, items, { chunkSize: 2 })).toEqual(items.map((n) => n * 2))
        if (round % 3 === 0) await workers.apply(computeFor, [3])
      }
    })

    check('stats() tells what runs, what waits and what is done', async ({ mp, pool }) => {
      const workers = pool(1)
      const [arrived, gate] = [mp.queue<number>(), mp.queue<string>()]
      const held = workers.applyAsync(stopAtGate, [arrived, gate])
      const worker = await arrived.get()
      const rest = workers.mapAsync(double, [1, 2, 3, 4], { chunkSize: 3 })
      const stats = await workers.stats()
      expect(stats).toMatchObject({ size: 1, waiting: 4, running: 1, done: 0, started: 1, lost: 0 })
      expect(stats.workers).toEqual([{ pid: worker, host: expect.any(String), state: 'busy', tasks: 0 }])
      await gate.put('go')
      await Promise.all([held, rest])
      const after = await settled(workers, ({ running }) => running === 0)
      expect(after).toMatchObject({ waiting: 0, running: 0, done: 5 })
      expect(after.workers).toMatchObject([{ pid: worker, state: 'idle', tasks: 5 }])
      workers.close()
      await workers.join()
      expect(await workers.stats()).toMatchObject({ size: 1, workers: [], done: 5, started: 1, lost: 0 })
    })

    check('a pool in a task of a pool in a task, each of one worker, is no deadlock (ray#21488)', async ({ pool }) => {
      expect(await pool(1).map(doubleDeep, [3, 3])).toEqual([24, 24])
    })

    for (const [options, said] of [
      [{ maxTasksPerChild: 0 }, 'maxTasksPerChild must be an integer of 1 or more, got 0'],
      [{ maxTasksPerChild: 0.5 }, 'got 0.5'],
      [{ maxTasksPerChild: '12' }, 'got "12"'],
      [{ maxMemoryPerChild: -1 }, 'maxMemoryPerChild, in bytes, must be an integer of 1 or more, got -1'],
      [{ idleTimeout: 0 }, 'idleTimeout must be a number of milliseconds of 1 or more, got 0'],
      [{ idleTimeout: Number.NaN }, 'got NaN'],
    ] as const) {
      check(`${JSON.stringify(options)} is refused`, ({ mp }) => {
        expect(() => mp.pool(1, options as never)).toThrow(ArgumentError)
        expect(() => mp.pool(1, options as never)).toThrow(said)
      })
    }
  })
}
