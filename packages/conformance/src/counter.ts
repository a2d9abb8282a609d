/** A semaphore with `owned: false`: a number that anybody may raise, and that anybody waits to take from. */
import process from 'node:process'
import { ConflictError, LeaseLostError, StateError, TimeoutError } from '@skein/core'
import { expect } from 'vitest'
import { failureOf } from './checking.ts'
import type { Suite } from './harness.ts'
import { give, takeAndStay, takeFor } from './targets/signals.ts'
import { isRunning, until } from './until.ts'

export function counterSuite(suite: Suite): void {
  suite('semaphore that nobody owns', (check) => {
    check('anybody releases, more than there were at first, too', async ({ mp, start }) => {
      const semaphore = mp.semaphore(1, { owned: false })
      expect(semaphore.permits).toBe(1)
      await (await start(mp.process(give, [semaphore, 2]))).join()
      expect(await semaphore.value()).toBe(3)
      await semaphore.acquire({ permits: 3 })
      expect([await semaphore.value(), await semaphore.locked(), await semaphore.holder()]).toEqual([0, true, null])
    })

    check('is a signal between processes: one takes what the other gives', async ({ mp, start }) => {
      const semaphore = mp.semaphore(0, { owned: false })
      const said = mp.queue<number>()
      const rounds = 20
      const taker = await start(mp.process(takeFor, [semaphore, rounds, said]))
      for (let round = 0; round < rounds; round += 1) {
        expect(await said.empty()).toBe(true)
        await semaphore.release()
        expect(await said.get()).toBe(round)
      }
      await taker.join()
      expect(await semaphore.value()).toBe(0)
    })

    check('acquire() waits in the order of asking; a large request is not overtaken', async ({ mp }) => {
      const semaphore = mp.semaphore(0, { owned: false })
      const order: string[] = []
      const large = semaphore.acquire({ permits: 3 }).then(() => order.push('large'))
      const small = semaphore.acquire().then(() => order.push('small'))
      await semaphore.release()
      await semaphore.release()
      expect(await semaphore.value()).toBe(2)
      expect(await semaphore.tryAcquire()).toBeNull()
      await semaphore.release()
      await large
      await semaphore.release()
      await small
      expect(order).toEqual(['large', 'small'])
    })

    check('a wait that runs out or is aborted takes nothing, and lets those behind it pass', async ({ mp }) => {
      const semaphore = mp.semaphore(1, { owned: false })
      const asked = performance.now()
      const late = expect(semaphore.acquire({ permits: 2, timeout: 50 })).rejects.toBeInstanceOf(TimeoutError)
      const behind = semaphore.acquire()
      await late
      expect(performance.now() - asked).toBeGreaterThanOrEqual(49)
      await behind
      const abort = new AbortController()
      const aborted = expect(semaphore.acquire({ signal: abort.signal })).rejects.toThrow('enough')
      await semaphore.value()
      abort.abort(new Error('enough'))
      await aborted
      await expect(semaphore.acquire({ timeout: 0 })).rejects.toBeInstanceOf(TimeoutError)
      const reason = new Error('changed my mind')
      await expect(semaphore.acquire({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
      await semaphore.release()
      expect(await semaphore.value()).toBe(1)
    })

    check('with() takes and gives back, whatever its body does', async ({ mp }) => {
      const semaphore = mp.semaphore(2, { owned: false })
      const value = await semaphore.with(
        async (lease) => {
          lease.assertHeld()
          return semaphore.value()
        },
        { permits: 2 },
      )
      expect(value).toBe(0)
      const error = new Error('mine')
      await expect(semaphore.with(() => Promise.reject(error))).rejects.toBe(error)
      expect(await semaphore.value()).toBe(2)
    })

    check('a lease is nobody’s: it is given back once, and never lost', async ({ mp }) => {
      const semaphore = mp.semaphore(2, { owned: false })
      const [first, second] = [await semaphore.acquire(), await semaphore.tryAcquire()]
      expect(second?.token).toBeGreaterThan(first.token)
      expect([first.expiresIn, first.signal.aborted]).toEqual([Number.POSITIVE_INFINITY, false])
      // What the handle releases is a permit of its own, not this lease.
      await semaphore.release()
      first.assertHeld()
      expect(await first.release()).toBe(true)
      expect(await first.release()).toBe(false)
      expect(() => first.assertHeld()).toThrow(LeaseLostError)
      expect(await semaphore.value()).toBe(2)
      await second?.[Symbol.asyncDispose]()
      expect(await semaphore.value()).toBe(3)
    })

    check('permits survive who gave them and go with who took them; a dead waiter takes none', async (tools) => {
      const { mp, start } = tools
      const semaphore = mp.semaphore(0, { owned: false })
      const said = mp.queue<number>()
      const giver = await start(mp.process(give, [semaphore, 2]))
      await giver.join()
      const takers = [1, 2, 3].map(() => mp.process(takeAndStay, [semaphore, said]))
      for (const taker of takers) await start(taker)
      const took = [await said.get(), await said.get()]
      const waits = takers.map(({ pid }) => Number(pid)).filter((pid) => !took.includes(pid))
      for (const pid of [...took, ...waits]) process.kill(pid, 'SIGKILL')
      await until('they are gone', () => ![...took, ...waits].some(isRunning))
      for (const taker of takers) await taker.join()
      await semaphore.release()
      expect(await semaphore.value()).toBe(1)
    })

    check('a close of its context gives nothing back; the same name is the same number', async (tools) => {
      const { mp, connect, unique } = tools
      const name = unique('counter')
      const semaphore = mp.semaphore(3, { name, owned: false })
      const other = await connect()
      await other.semaphore(3, { name, owned: false }).acquire()
      await other.close()
      expect(await semaphore.value()).toBe(2)
      await semaphore.destroy()
      await expect(semaphore.acquire()).rejects.toBeInstanceOf(StateError)
    })

    check('another number, or permits with owners, are a conflict until it is destroyed', async ({ mp, unique }) => {
      const name = unique('counter')
      const semaphore = mp.semaphore(3, { name, owned: false })
      await semaphore.acquire()
      const wrong = [mp.semaphore(2, { name, owned: false }), mp.semaphore(3, name), mp.boundedSemaphore(3, name)]
      for (const one of wrong) expect(await failureOf(() => one.acquire())).toBeInstanceOf(ConflictError)
      await semaphore.destroy()
      const owned = mp.semaphore(3, name)
      const lease = await owned.acquire()
      expect(await failureOf(() => mp.semaphore(3, { name, owned: false }).value())).toBeInstanceOf(ConflictError)
      await lease.release()
      await owned.destroy()
    })

    check('each permit that is given is taken once, with many who give and take', async ({ mp, start }) => {
      const semaphore = mp.semaphore(0, { owned: false })
      const said = mp.queue<number>()
      const [each, pairs] = [30, 3]
      const all = await Promise.all(
        Array.from({ length: pairs }, () => [
          start(mp.process(takeFor, [semaphore, each, said])),
          start(mp.process(give, [semaphore, each])),
        ]).flat(),
      )
      await Promise.all(all.map((child) => child.join()))
      expect(await said.size()).toBe(each * pairs)
      expect(await semaphore.value()).toBe(0)
    })
  })
}
