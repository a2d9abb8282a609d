/** A latch: a count that only goes down, and opens for everybody at 0. */
import process from 'node:process'
import { ConflictError, StateError, TimeoutError } from '@skein/core'
import { expect } from 'vitest'
import { ascending, failureOf, messageOf } from './checking.ts'
import type { Suite } from './harness.ts'
import { awaitLatch, countDown } from './targets/signals.ts'
import { isRunning, until } from './until.ts'

export function latchSuite(suite: Suite): void {
  suite('latch', (check) => {
    check('opens for everybody who waits when it is counted down, across processes', async ({ mp, start }) => {
      const latch = mp.latch(3)
      const said = mp.queue<number>()
      const waiters = [
        await start(mp.process(awaitLatch, [latch, said])),
        await start(mp.process(awaitLatch, [latch, said])),
      ]
      await said.get()
      await said.get()
      const here = latch.wait()
      const counters = await Promise.all([1, 2, 3].map(() => start(mp.process(countDown, [latch]))))
      const left = await Promise.all(counters.map((child) => child.result()))
      expect(ascending(left)).toEqual([0, 1, 2])
      await here
      expect(await Promise.all(waiters.map((child) => child.result()))).toEqual([0, 0])
    })

    check('countDown() says what is left, and never goes below 0', async ({ mp }) => {
      const latch = mp.latch(5)
      expect(await latch.count()).toBe(5)
      expect(await latch.countDown()).toBe(4)
      expect(await latch.countDown(2)).toBe(2)
      expect(await latch.count()).toBe(2)
      expect(await latch.countDown(7)).toBe(0)
      expect(await latch.countDown()).toBe(0)
      expect(await latch.count()).toBe(0)
    })

    check('wait() resolves at once when it is open; one of 0 is open from the beginning', async ({ mp }) => {
      const latch = mp.latch(1)
      await expect(latch.wait({ timeout: 0 })).rejects.toBeInstanceOf(TimeoutError)
      await latch.countDown()
      await latch.wait()
      await latch.wait({ timeout: 0 })
      await mp.latch(0).wait()
    })

    check('a wait that runs out or is aborted changes nothing', async ({ mp }) => {
      const latch = mp.latch(1)
      const asked = performance.now()
      await expect(latch.wait({ timeout: 50 })).rejects.toBeInstanceOf(TimeoutError)
      expect(performance.now() - asked).toBeGreaterThanOrEqual(49)
      const abort = new AbortController()
      const aborted = expect(latch.wait({ signal: abort.signal })).rejects.toThrow('enough')
      const other = latch.wait()
      await latch.count()
      abort.abort(new Error('enough'))
      await aborted
      const reason = new Error('changed my mind')
      await expect(latch.wait({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
      expect(await latch.countDown()).toBe(0)
      await other
    })

    check('a death among those who wait disturbs nobody, and who counted may end', async ({ mp, start }) => {
      const latch = mp.latch(2)
      const said = mp.queue<number>()
      const [victim, witness] = [
        await start(mp.process(awaitLatch, [latch, said])),
        await start(mp.process(awaitLatch, [latch, said])),
      ]
      await said.get()
      await said.get()
      process.kill(Number(victim.pid), 'SIGKILL')
      await until('it is gone', () => !isRunning(Number(victim.pid)))
      await (await start(mp.process(countDown, [latch]))).join()
      expect(await latch.countDown()).toBe(0)
      expect(await witness.result()).toBe(0)
    })

    check('the same name is the same latch; another count is a conflict', async ({ mp, connect, unique }) => {
      const name = unique('latch')
      const latch = mp.latch(2, name)
      await latch.countDown()
      expect(await (await connect()).latch(2, { name }).count()).toBe(1)
      expect(await failureOf(() => mp.latch(3, name).count())).toBeInstanceOf(ConflictError)
      expect(await messageOf(() => mp.latch(3, name).wait())).toMatch(/count of 2, 3/)
      await latch.destroy()
      const fresh = mp.latch(3, name)
      expect(await fresh.count()).toBe(3)
      await fresh.destroy()
    })

    check('one that was destroyed rejects who waits for it, and whoever comes later', async ({ mp }) => {
      const latch = mp.latch(1)
      const waiting = expect(latch.wait()).rejects.toBeInstanceOf(StateError)
      await latch.count()
      await latch.destroy()
      await waiting
      await expect(latch.countDown()).rejects.toBeInstanceOf(StateError)
    })
  })
}
