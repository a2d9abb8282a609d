/** Results that are not there yet: waiting, callbacks, giving up. */
import process from 'node:process'
import { StateError, TimeoutError } from '@skein/core'
import type { AsyncResult } from '@skein/core'
import { expect } from 'vitest'
import type { Suite } from './harness.ts'
import { add, double, fail, idle, pid } from './targets/basic.ts'
import { computeFor, stopAtGate, tell } from './targets/pool.ts'
import { isRunning, until } from './until.ts'

export function poolResultsSuite(suite: Suite): void {
  suite('pool: results', (check) => {
    check('get(), wait(), ready() and successful() tell how far it is', async ({ mp, pool }) => {
      const [arrived, gate] = [mp.queue<number>(), mp.queue<string>()]
      const result = pool(1).applyAsync(stopAtGate, [arrived, gate])
      await arrived.get()
      expect(result.ready()).toBe(false)
      expect(() => result.successful()).toThrow(StateError)
      expect(await result.wait({ timeout: 20 })).toBe(false)
      const asked = performance.now()
      await expect(result.get({ timeout: 50 })).rejects.toBeInstanceOf(TimeoutError)
      expect(performance.now() - asked).toBeGreaterThanOrEqual(49)
      await expect(result.get({ timeout: 0 })).rejects.toBeInstanceOf(TimeoutError)
      await gate.put('go')
      expect(await result.wait()).toBe(true)
      expect(result.ready()).toBe(true)
      expect(result.successful()).toBe(true)
      expect(await result.get({ timeout: 0 })).toBe('go')
      expect(await result).toBe('go')
    })

    check('one that failed is ready, not successful, and throws whenever it is asked', async ({ pool }) => {
      const result = pool(1).applyAsync(fail, ['no luck'])
      expect(await result.wait()).toBe(true)
      expect(result.successful()).toBe(false)
      for (let ask = 0; ask < 2; ask += 1) await expect(result.get()).rejects.toThrow(RangeError)
    })

    check('one that failed and that nobody awaits ends nothing', async ({ pool }) => {
      const workers = pool(1)
      const unhandled: unknown[] = []
      const listen = (reason: unknown): void => void unhandled.push(reason)
      process.on('unhandledRejection', listen)
      try {
        const forgotten = workers.applyAsync(fail, ['forgotten'])
        await workers.apply(add, [1, 2])
        await until('it is ready', () => forgotten.ready())
        await new Promise((resolve) => setImmediate(resolve))
      } finally {
        process.off('unhandledRejection', listen)
      }
      expect(unhandled).toEqual([])
    })

    check('the callback gets the result, the errorCallback the error', async ({ pool }) => {
      const workers = pool(1)
      const heard: unknown[] = []
      const callback = (value: number): void => void heard.push(value)
      const errorCallback = (error: unknown): void => void heard.push((error as Error).message)
      await workers.applyAsync(add, [1, 2], { callback, errorCallback }).wait()
      await workers.applyAsync(fail, ['no luck'], { callback, errorCallback }).wait()
      expect(heard).toEqual([3, 'no luck'])
    })

    check('what a callback throws is thrown by get(), and the pool goes on (cpython#83371)', async ({ pool }) => {
      const workers = pool(1)
      const thrown = new Error('the callback')
      const throwing = (): never => {
        throw thrown
      }
      await expect(workers.applyAsync(add, [1, 2], { callback: throwing }).get()).rejects.toBe(thrown)
      await expect(workers.applyAsync(fail, ['x'], { errorCallback: throwing }).get()).rejects.toBe(thrown)
      expect(await workers.apply(add, [1, 2])).toBe(3)
    })

    check('cancel() of a task that waits: it never runs', async ({ mp, pool }) => {
      const workers = pool(1)
      const [arrived, gate, seen] = [mp.queue<number>(), mp.queue<string>(), mp.queue<number>()]
      const first = workers.applyAsync(stopAtGate, [arrived, gate])
      const second = workers.applyAsync(tell, [seen, 2])
      const third = workers.applyAsync(tell, [seen, 3])
      await arrived.get()
      expect(await second.cancel()).toBe(true)
      expect(await second.cancel()).toBe(false)
      await expect(second.get()).rejects.toMatchObject({ name: 'AbortError' })
      await gate.put('go')
      expect(await first).toBe('go')
      expect(await third).toBe(3)
      expect(await seen.get()).toBe(3)
      expect(await seen.tryGet()).toBeNull()
      expect(await third.cancel()).toBe(false)
    })

    check('cancel() of a task that runs: its worker is replaced (loky#176)', async ({ mp, pool }) => {
      const workers = pool(1)
      const said = mp.queue<number>()
      const result = workers.applyAsync(idle, [said])
      const worker = await said.get()
      expect(await result.cancel()).toBe(true)
      await expect(result.get()).rejects.toMatchObject({ name: 'AbortError' })
      expect(await workers.apply(pid)).not.toBe(worker)
      await until('the worker is gone', () => !isRunning(worker))
    })

    check('cancels that meet their tasks at any moment harm nobody else (pebble#153)', async ({ pool }) => {
      const workers = pool(2)
      for (let round = 0; round < 12; round += 1) {
        const results = Array.from({ length: 8 }, (_, n) => workers.applyAsync(computeFor, [n % 3]))
        // One after the other, so that some wait, some are on their way, some run and some have ended.
        const given = results.filter((_, n) => n % 3 === round % 3)
        for (const result of given) {
          await new Promise((resolve) => setTimeout(resolve, round % 4))
          const late = result.ready()
          expect(await result.cancel()).toBe(!late)
        }
        const settled = await Promise.allSettled(results)
        for (const [n, one] of settled.entries()) {
          if (!given.includes(results[n] as AsyncResult<number>)) expect(one.status).toBe('fulfilled')
        }
      }
      expect(await workers.map(double, [1, 2, 3], { chunkSize: 1 })).toEqual([2, 4, 6])
    })

    check('an aborted signal rejects with its reason; aborted already, nothing is sent', async ({ mp, pool }) => {
      const workers = pool(1)
      const [said, seen] = [mp.queue<number>(), mp.queue<number>()]
      const reason = new Error('changed my mind')
      const aborted = { signal: AbortSignal.abort(reason) }
      await expect(workers.apply(tell, [seen, 1], aborted)).rejects.toBe(reason)
      await expect(workers.map(double, [1, 2], aborted)).rejects.toBe(reason)
      const abort = new AbortController()
      const running = expect(workers.apply(idle, [said], { signal: abort.signal })).rejects.toBe(reason)
      const waiting = expect(workers.apply(tell, [seen, 2], { signal: abort.signal })).rejects.toBe(reason)
      const mapped = expect(workers.map(double, [1, 2], { signal: abort.signal })).rejects.toBe(reason)
      await said.get()
      abort.abort(reason)
      await Promise.all([running, waiting, mapped])
      expect(await workers.apply(add, [1, 2])).toBe(3)
      expect(await seen.tryGet()).toBeNull()
    })
  })
}
