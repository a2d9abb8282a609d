/** The other forms of map: with several arguments for each task, and at once. */
import process from 'node:process'
import { ArgumentError, bind, EncodeError, PoolTerminatedError, StateError } from '@skein/core'
import { expect } from 'vitest'
import { ascending, failureOf, messageOf, untyped } from './checking.ts'
import type { Suite } from './harness.ts'
import { add, double, fail, idle, pid } from './targets/basic.ts'
import { runUnlessVictim, stopAtGate, tell, tellAndFailOdd } from './targets/pool.ts'
import { isRunning, until } from './until.ts'

export function poolMapsSuite(suite: Suite): void {
  suite('pool: maps', (check) => {
    check('starmap() calls the target with the arguments that each item is', async ({ pool }) => {
      const workers = pool(2)
      const pairs = Array.from({ length: 100 }, (_, n): [number, number] => [n, 1_000])
      for (const chunkSize of [undefined, 1, 7]) {
        expect(await workers.starmap(add, pairs, { chunkSize })).toEqual(pairs.map(([n]) => n + 1_000))
      }
      expect(await workers.starmap(bind(add, 5), new Set<[number]>([[1], [2]]))).toEqual([6, 7])
      expect(await workers.starmap(pid, [])).toEqual([])
      expect(await workers.starmap(pid, [[]])).toHaveLength(1)
    })

    check('starmap() of an item that is no array is refused, and nothing runs', async ({ mp, pool }) => {
      const workers = pool(1)
      const seen = mp.queue<number>()
      const items: [typeof seen, number][] = [[seen, 1], untyped(7)]
      const error = await failureOf(() => workers.starmap(tell, items))
      expect(error).toBeInstanceOf(ArgumentError)
      expect((error as Error).message).toMatch(/^items\[1\] must be an array .*got 7; map\(\)/)
      expect(await workers.apply(add, [1, 2])).toBe(3)
      expect(await seen.tryGet()).toBeNull()
    })

    check('mapAsync() and starmapAsync() give a result that is not there yet', async ({ mp, pool }) => {
      const workers = pool(1)
      const [arrived, gate] = [mp.queue<number>(), mp.queue<string>()]
      const result = workers.starmapAsync(stopAtGate, [
        [arrived, gate],
        [arrived, gate],
      ])
      await arrived.get()
      expect(result.ready()).toBe(false)
      expect(() => result.successful()).toThrow(StateError)
      expect(await result.wait({ timeout: 20 })).toBe(false)
      await gate.put('a')
      await arrived.get()
      expect(result.ready()).toBe(false)
      await gate.put('b')
      expect(await result.get()).toEqual(['a', 'b'])
      expect(result.successful()).toBe(true)
      expect(await workers.mapAsync(double, [1, 2, 3])).toEqual([2, 4, 6])
      expect(await workers.mapAsync(double, []).get({ timeout: 1_000 })).toEqual([])
    })

    check('their callbacks are called once, with all results or with the first error by index', async ({ pool }) => {
      const workers = pool(2)
      const heard: unknown[] = []
      const callback = (values: unknown): void => void heard.push(values)
      const errorCallback = (error: unknown): void => void heard.push((error as Error).message)
      await workers.mapAsync(double, [1, 2, 3], { chunkSize: 1, callback, errorCallback }).wait()
      await workers.starmapAsync(add, [[1, 2]], { callback, errorCallback }).wait()
      await workers.mapAsync(fail, ['one', 'two'], { chunkSize: 1, callback, errorCallback }).wait()
      await workers.mapAsync(double, [], { callback, errorCallback }).wait()
      expect(heard).toEqual([[2, 4, 6], [3], 'one', []])
    })

    check('mapAsync() runs every item, then rejects with the first error by index', async ({ mp, pool }) => {
      const workers = pool(2)
      const seen = mp.queue<number>()
      const result = workers.mapAsync(bind(tellAndFailOdd, seen), [0, 1, 2, 3], { chunkSize: 1 })
      await expect(result.get()).rejects.toThrow('odd: 1')
      expect(result.successful()).toBe(false)
      expect(ascending(await Promise.all([0, 1, 2, 3].map(() => seen.get())))).toEqual([0, 1, 2, 3])
    })

    check('a failed one that nobody awaits ends nothing', async ({ pool }) => {
      const workers = pool(1)
      const unhandled: unknown[] = []
      const listen = (reason: unknown): void => void unhandled.push(reason)
      process.on('unhandledRejection', listen)
      try {
        const forgotten = [workers.mapAsync(fail, ['a', 'b']), workers.starmapAsync(fail, [['c']])]
        await until('they are ready', () => forgotten.every((result) => result.ready()))
        await new Promise((resolve) => setImmediate(resolve))
      } finally {
        process.off('unhandledRejection', listen)
      }
      expect(unhandled).toEqual([])
    })

    check(
      'cancel() of a map: what has not started never runs, the workers of what runs are replaced',
      async (tools) => {
        const { mp, pool } = tools
        const workers = pool(1)
        const [seen, victims] = [mp.queue<number>(), mp.queue<number>()]
        const result = workers.mapAsync(bind(runUnlessVictim, seen, victims, 1), [0, 1, 2, 3], { chunkSize: 1 })
        const worker = await victims.get()
        expect(await result.cancel()).toBe(true)
        expect(await result.cancel()).toBe(false)
        await expect(result.get()).rejects.toMatchObject({ name: 'AbortError' })
        expect(await workers.apply(pid)).not.toBe(worker)
        await until('the worker is gone', () => !isRunning(worker))
        expect(await seen.get()).toBe(0)
        expect(await seen.tryGet()).toBeNull()
      },
    )

    check('what is wrong with the call is thrown by it, what prevents the tasks is the result’s', async (tools) => {
      const { mp, pool } = tools
      const workers = pool(1)
      expect(() => workers.mapAsync(double, [1, untyped({ x: () => 1 })])).toThrow(EncodeError)
      expect(await messageOf(() => workers.starmapAsync(add, untyped(5)))).toContain('starmapAsync() takes an iterable')
      function* failing(): Generator<number> {
        yield 1
        throw new RangeError('out of items')
      }
      expect(() => workers.mapAsync(double, failing())).toThrow('out of items')
      const reason = new Error('changed my mind')
      const aborted = workers.mapAsync(double, [1], { signal: AbortSignal.abort(reason) })
      await expect(aborted.get()).rejects.toBe(reason)
      const said = mp.queue<number>()
      const running = workers.mapAsync(idle, [said])
      await said.get()
      await workers.terminate()
      await expect(running.get()).rejects.toBeInstanceOf(PoolTerminatedError)
    })
  })
}
