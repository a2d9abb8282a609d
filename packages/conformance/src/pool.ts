/** A pool: tasks, order, closing. The other `pool-….ts` have the rest. */
import process from 'node:process'
import { bind, cpuCount, PoolClosedError, PoolTerminatedError, StateError, TimeoutError } from '@skein/core'
import { expect } from 'vitest'
import { ascending, failureOf } from './checking.ts'
import type { Suite } from './harness.ts'
import { add, double, echo, idle, pid } from './targets/basic.ts'
import { addToBase, doubleInPool, returnLater, setBase, stopAtGate, tell, timesInitialized } from './targets/pool.ts'
import { critical } from './targets/lock.ts'
import { isRunning, until } from './until.ts'

export function poolSuite(suite: Suite): void {
  suite('pool', (check) => {
    check('apply() runs a task in a worker and resolves with what it returned', async ({ pool }) => {
      const workers = pool(1)
      expect(await workers.apply(add, [1, 2])).toBe(3)
      expect(await workers.apply(returnLater, [4])).toBe(4)
      expect(await workers.apply(pid)).not.toBe(process.pid)
    })

    check('has as many workers as told, all at work at once', async ({ mp, pool }) => {
      const workers = pool(3)
      expect(workers.size).toBe(3)
      const [arrived, gate] = [mp.queue<number>(), mp.queue<string>()]
      const results = [1, 2, 3].map(() => workers.applyAsync(stopAtGate, [arrived, gate]))
      const pids = new Set([await arrived.get(), await arrived.get(), await arrived.get()])
      expect(pids.size).toBe(3)
      for (const word of ['a', 'b', 'c']) await gate.put(word)
      expect((await Promise.all(results)).toSorted()).toEqual(['a', 'b', 'c'])
    })

    check('is as large as there are processors unless told', async ({ mp }) => {
      const workers = mp.pool()
      expect(workers.size).toBe(cpuCount())
      await workers.terminate()
    })

    check('map() keeps the order of the items', async ({ pool }) => {
      const items = Array.from({ length: 1_000 }, (_, index) => index)
      expect(await pool(2).map(double, items)).toEqual(items.map((item) => item * 2))
    })

    check('map() runs each item once, whatever the chunk size', async ({ mp, pool }) => {
      const workers = pool(2)
      for (const chunkSize of [1, 3, 7, 100]) {
        const seen = mp.queue<number>()
        const items = [0, 1, 2, 3, 4, 5, 6]
        expect(await workers.map(bind(tell, seen), items, { chunkSize })).toEqual(items)
        const ran = await Promise.all(items.map(() => seen.get()))
        expect(ascending(ran)).toEqual(items)
        expect(await seen.tryGet()).toBeNull()
      }
    })

    check('map() of nothing is nothing', async ({ pool }) => {
      const workers = pool(1)
      expect(await workers.map(double, [])).toEqual([])
      expect(await workers.map(double, [], { chunkSize: 5 })).toEqual([])
    })

    check('map() takes any iterable', async ({ pool }) => {
      const workers = pool(1)
      expect(await workers.map(double, new Set([1, 2, 3]))).toEqual([2, 4, 6])
      expect(await workers.map(echo<[string, number]>, new Map([['one', 1]]))).toEqual([['one', 1]])
    })

    check(
      'a free worker takes the next task: one that takes long holds up nobody (ray#29453)',
      async ({ mp, pool }) => {
        const workers = pool(2)
        const [arrived, gate] = [mp.queue<number>(), mp.queue<string>()]
        const long = workers.applyAsync(stopAtGate, [arrived, gate])
        await arrived.get()
        const items = Array.from({ length: 20 }, (_, index) => index)
        expect(await Promise.all(items.map((item) => workers.apply(double, [item])))).toEqual(items.map((n) => n * 2))
        expect(long.ready()).toBe(false)
        await gate.put('go')
        expect(await long).toBe('go')
      },
    )

    check('the initializer runs once in each worker, before its first task', async ({ pool }) => {
      const workers = pool(2, { initializer: setBase, initArgs: [100] })
      expect(await workers.map(addToBase, [1, 2, 3, 4], { chunkSize: 1 })).toEqual([101, 102, 103, 104])
      for (let look = 0; look < 4; look += 1) expect(await workers.apply(timesInitialized)).toBe(1)
    })

    check('handles pass into tasks', async ({ mp, pool }) => {
      const workers = pool(2)
      const [lock, log] = [mp.lock(), mp.queue<string>()]
      await Promise.all([1, 2].map((id) => workers.apply(critical, [lock, log, id, 5])))
      for (let entered = 0; entered < 10; entered += 1) {
        const [, id] = (await log.get()).split(' ')
        expect(await log.get()).toBe(`out ${id}`)
      }
    })

    check('a task may have a pool of its own (pebble#76)', async ({ pool }) => {
      expect(await pool(1).apply(doubleInPool, [[1, 2, 3]])).toEqual([2, 4, 6])
    })

    check('two pools do not get into each other’s way', async ({ pool }) => {
      const [left, right] = [pool(1), pool(1)]
      expect(await Promise.all([left.apply(pid), right.apply(pid)]).then((pids) => new Set(pids).size)).toBe(2)
      await left.terminate()
      expect(await right.apply(add, [1, 2])).toBe(3)
    })

    check(
      'close() takes no more tasks and finishes those it has; join() waits for the workers to end (lithops#1125, cpython#75963)',
      async ({ mp, pool }) => {
        const workers = pool(2)
        const [arrived, gate] = [mp.queue<number>(), mp.queue<string>()]
        const results = [1, 2, 3, 4].map(() => workers.applyAsync(stopAtGate, [arrived, gate]))
        const first = await arrived.get()
        workers.close()
        workers.close()
        expect(await failureOf(() => workers.apply(pid))).toBeInstanceOf(PoolClosedError)
        expect(await failureOf(() => workers.applyAsync(pid))).toBeInstanceOf(PoolClosedError)
        expect(await failureOf(() => workers.map(double, [1]))).toBeInstanceOf(PoolClosedError)
        await expect(workers.join({ timeout: 0 })).rejects.toBeInstanceOf(TimeoutError)
        for (let word = 0; word < 4; word += 1) await gate.put('go')
        await workers.join()
        expect(await Promise.all(results)).toEqual(['go', 'go', 'go', 'go'])
        await until('the worker has ended', () => !isRunning(first))
        await workers.join()
      },
    )

    check('join() before close() is refused', async ({ pool }) => {
      await expect(pool(1).join()).rejects.toBeInstanceOf(StateError)
    })

    check(
      'terminate() rejects what is outstanding, and ends the workers now (cpython#126743)',
      async ({ mp, pool }) => {
        const workers = pool(1)
        const said = mp.queue<number>()
        const results = [workers.applyAsync(idle, [said]), workers.applyAsync(pid), workers.map(double, [1, 2])]
        const outcomes = Promise.allSettled(results)
        const worker = await said.get()
        await workers.terminate()
        for (const outcome of await outcomes) {
          expect(outcome.status === 'rejected' && outcome.reason).toBeInstanceOf(PoolTerminatedError)
        }
        expect(isRunning(worker)).toBe(false)
        await workers.join()
        await workers.terminate()
        expect(await failureOf(() => workers.apply(pid))).toBeInstanceOf(PoolClosedError)
      },
    )

    check(
      'terminate() returns from a callback, twice at once, and before the workers are up (cpython#78178)',
      async (t) => {
        const { pool } = t
        const young = pool(2)
        await Promise.all([young.terminate(), young.terminate()])
        const workers = pool(2)
        const callback = (): Promise<void> => workers.terminate()
        expect(await workers.applyAsync(add, [1, 2], { callback })).toBe(3)
        await workers.join()
      },
    )

    check('terminate() leaves the results that are there', async ({ pool }) => {
      const workers = pool(1)
      const result = workers.applyAsync(add, [1, 2])
      await result.wait()
      await workers.terminate()
      expect(await result.get()).toBe(3)
    })

    check('leaving the scope finishes the work and waits for the workers to end (cpython#74140)', async ({ pool }) => {
      const workers = pool(2)
      const results = [1, 2, 3].map((value) => workers.applyAsync(returnLater, [value]))
      await workers[Symbol.asyncDispose]()
      expect(results.map((result) => result.ready())).toEqual([true, true, true])
      await workers.join({ timeout: 0 })
      await workers[Symbol.asyncDispose]()
    })

    check('a pool that was never used closes at once', async ({ pool }) => {
      const workers = pool(2)
      workers.close()
      await workers.join({ timeout: 10_000 })
    })
  })
}
