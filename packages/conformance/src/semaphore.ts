/** A semaphore: so many permits, granted in the order of asking, given back by their holder. */
import process from 'node:process'
import { ArgumentError, ConflictError, NotHeldError, StateError, TimeoutError } from '@skein/core'
import { expect } from 'vitest'
import { ascending, failureOf, messageOf } from './checking.ts'
import type { Suite } from './harness.ts'
import { critical, releaseOnce, standInLine, tokenOf, tryOnce } from './targets/lock.ts'
import type { Grant } from './targets/lock.ts'

export function semaphoreSuite(suite: Suite): void {
  suite('semaphore', (check) => {
    check('as many at once as there are permits, across processes', async ({ mp, start }) => {
      const semaphore = mp.semaphore(2)
      const log = mp.queue<string>()
      const [rounds, ids] = [15, [1, 2, 3, 4]]
      const children = await Promise.all(ids.map((id) => start(mp.process(critical, [semaphore, log, id, rounds]))))
      await Promise.all(children.map((child) => child.join()))
      const inside = new Set<string>()
      for (let event = 0; event < rounds * ids.length * 2; event += 1) {
        const [what, id = ''] = (await log.get()).split(' ')
        if (what === 'in') inside.add(id)
        else inside.delete(id)
        expect(inside.size).toBeLessThanOrEqual(2)
      }
      expect(await semaphore.value()).toBe(2)
    })

    check('value() says how many are free, locked() whether none is', async ({ mp }) => {
      const semaphore = mp.semaphore(3)
      expect(semaphore.permits).toBe(3)
      const looks = async (): Promise<unknown[]> => [await semaphore.value(), await semaphore.locked()]
      expect(await looks()).toEqual([3, false])
      const two = await semaphore.acquire({ permits: 2 })
      expect(await looks()).toEqual([1, false])
      const one = await semaphore.acquire()
      expect(await looks()).toEqual([0, true])
      await two.release()
      expect(await looks()).toEqual([2, false])
      await one.release()
      expect(await looks()).toEqual([3, false])
    })

    check('granted in the order of asking, across processes', async ({ mp, start }) => {
      const semaphore = mp.semaphore(1)
      const [said, granted] = [mp.queue<number>(), mp.queue<Grant>()]
      const lease = await semaphore.acquire()
      for (const id of [1, 2, 3]) {
        await start(mp.process(standInLine, [semaphore, said, granted, id]))
        await said.get()
      }
      await lease.release()
      const order = [await granted.get(), await granted.get(), await granted.get()]
      expect(order.map(({ who }) => who)).toEqual([1, 2, 3])
    })

    check('a large request is not overtaken by small ones, however many permits come free', async ({ mp }) => {
      const semaphore = mp.semaphore(3)
      const held = [await semaphore.acquire(), await semaphore.acquire()]
      const order: string[] = []
      const large = semaphore.acquire({ permits: 3 }).then((lease) => (order.push('large'), lease))
      const small = semaphore.acquire().then((lease) => (order.push('small'), lease))
      expect(await semaphore.value()).toBe(1)
      expect(await semaphore.tryAcquire()).toBeNull()
      await held[0]?.release()
      expect(await semaphore.value()).toBe(2)
      await held[1]?.release()
      await (await large).release()
      await (await small).release()
      expect(order).toEqual(['large', 'small'])
    })

    check('a large request that gives up lets the small ones behind it pass', async ({ mp }) => {
      const semaphore = mp.semaphore(3)
      const first = await semaphore.acquire()
      const abort = new AbortController()
      const large = expect(semaphore.acquire({ permits: 3, signal: abort.signal })).rejects.toThrow('enough')
      const small = semaphore.acquire()
      await semaphore.value()
      abort.abort(new Error('enough'))
      await large
      await (await small).release()
      await first.release()
      expect(await semaphore.value()).toBe(3)
    })

    check('a wait that runs out takes no permit', async ({ mp }) => {
      const semaphore = mp.semaphore(2)
      const lease = await semaphore.acquire()
      const asked = performance.now()
      await expect(semaphore.acquire({ permits: 2, timeout: 50 })).rejects.toBeInstanceOf(TimeoutError)
      expect(performance.now() - asked).toBeGreaterThanOrEqual(49)
      await expect(semaphore.acquire({ permits: 2, timeout: 0 })).rejects.toBeInstanceOf(TimeoutError)
      expect(await semaphore.value()).toBe(1)
      await lease.release()
      expect(await semaphore.value()).toBe(2)
    })

    check('a signal that is aborted already: nothing is taken', async ({ mp }) => {
      const semaphore = mp.semaphore(1)
      const reason = new Error('changed my mind')
      await expect(semaphore.acquire({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
      expect(await semaphore.value()).toBe(1)
    })

    check('tryAcquire() says null when there are too few, and never waits', async ({ mp, start }) => {
      const semaphore = mp.semaphore(2)
      expect(await semaphore.tryAcquire({ permits: 2 })).not.toBeNull()
      expect(await semaphore.tryAcquire()).toBeNull()
      expect(await (await start(mp.process(tryOnce, [semaphore]))).result()).toBe(false)
      await semaphore.release()
      expect(await semaphore.value()).toBe(2)
    })

    check('only the holder gives back, the oldest first', async ({ mp, start }) => {
      const semaphore = mp.semaphore(3)
      await expect(semaphore.release()).rejects.toBeInstanceOf(NotHeldError)
      const older = await semaphore.acquire({ permits: 2 })
      const newer = await semaphore.acquire()
      const child = await start(mp.process(releaseOnce, [semaphore]))
      await expect(child.result()).rejects.toBeInstanceOf(NotHeldError)
      await semaphore.release()
      expect(await semaphore.value()).toBe(2)
      expect(await older.release()).toBe(false)
      newer.assertHeld()
      expect(await newer.release()).toBe(true)
      await expect(semaphore.release()).rejects.toBeInstanceOf(NotHeldError)
    })

    check('with() gives back whatever the body does', async ({ mp }) => {
      const semaphore = mp.semaphore(2)
      expect(await semaphore.with(() => semaphore.value(), { permits: 2 })).toBe(0)
      await expect(semaphore.with(() => Promise.reject(new Error('mine')))).rejects.toThrow('mine')
      expect(await semaphore.value()).toBe(2)
    })

    check('each later grant has a larger token, whoever gets it', async ({ mp, start }) => {
      const semaphore = mp.semaphore(2)
      const tokens = [await tokenOf(semaphore)]
      tokens.push(await (await start(mp.process(tokenOf, [semaphore]))).result(), await tokenOf(semaphore))
      expect(tokens).toEqual(ascending([...new Set(tokens)]))
    })

    check('the same name with another number of permits is a conflict that names both', async ({ mp, unique }) => {
      const name = unique('seats')
      const semaphore = mp.semaphore(3, name)
      expect(await semaphore.value()).toBe(3)
      const other = mp.semaphore(5, name)
      expect(await failureOf(() => other.acquire())).toBeInstanceOf(ConflictError)
      const message = await messageOf(() => other.value())
      expect(message).toContain(name)
      expect(message).toMatch(/\b3\b.*\b5\b|\b5\b.*\b3\b/)
      expect(await mp.semaphore(3, { name }).value()).toBe(3)
      await semaphore.destroy()
    })

    check('more permits than there are, or none, cannot be asked for', async ({ mp }) => {
      const semaphore = mp.semaphore(2)
      for (const permits of [3, 0, -1, 1.5, Number.NaN]) {
        expect(await failureOf(() => semaphore.acquire({ permits }))).toBeInstanceOf(ArgumentError)
        expect(await failureOf(() => semaphore.tryAcquire({ permits }))).toBeInstanceOf(ArgumentError)
      }
      expect(await semaphore.value()).toBe(2)
    })

    check('a bounded semaphore says RangeError to a release too many, wherever its handle is', async (tools) => {
      const { mp, start } = tools
      const semaphore = mp.boundedSemaphore(2)
      expect(await failureOf(() => semaphore.release())).toBeInstanceOf(RangeError)
      const lease = await semaphore.acquire({ permits: 2 })
      const child = await start(mp.process(releaseOnce, [semaphore]))
      const error = await failureOf(() => child.result())
      expect(error).toBeInstanceOf(RangeError)
      expect((error as Error).message).toContain('2 permits')
      lease.assertHeld()
      await semaphore.release()
      expect(await failureOf(() => semaphore.release())).toBeInstanceOf(RangeError)
      expect(await semaphore.value()).toBe(2)
    })

    check('a bounded semaphore has the permits of the semaphore of its name', async ({ mp, unique }) => {
      const name = unique('seats')
      const [bounded, semaphore] = [mp.boundedSemaphore(2, name), mp.semaphore(2, { name })]
      await bounded.with(async () => expect(await semaphore.value()).toBe(1))
      expect(await failureOf(() => mp.boundedSemaphore(3, name).acquire())).toBeInstanceOf(ConflictError)
      await semaphore.destroy()
    })

    check('holder() names the oldest of those who hold permits', async ({ mp }) => {
      const semaphore = mp.semaphore(3)
      expect(await semaphore.holder()).toBeNull()
      const [older, newer] = [await semaphore.acquire(), await semaphore.acquire()]
      expect(await semaphore.holder()).toMatchObject({ pid: process.pid, token: older.token })
      await older.release()
      expect(await semaphore.holder()).toMatchObject({ pid: process.pid, token: newer.token })
      await newer.release()
    })

    check('a semaphore that was destroyed rejects who waits for it', async ({ mp }) => {
      const semaphore = mp.semaphore(1)
      await semaphore.acquire()
      const waiting = expect(semaphore.acquire()).rejects.toBeInstanceOf(StateError)
      await semaphore.value()
      await semaphore.destroy()
      await waiting
    })
  })
}
