/** A lock for readers and writers: many read together, one writes alone, and neither side starves. What deaths do is in crash.ts. */
import process from 'node:process'
import { LeaseLostError, NotHeldError, StateError, TimeoutError } from '@skein/core'
import type { Lease, RWLock } from '@skein/core'
import { expect } from 'vitest'
import { ascending } from './checking.ts'
import type { Suite } from './harness.ts'
import { holdUntilTold, readAndWrite, releaseOnce, standInLine, tokenOf, tryOnce } from './targets/lock.ts'
import type { Grant } from './targets/lock.ts'

/** Asks for a lease; when it comes, `order` says so. */
function ask(rw: RWLock, side: 'read' | 'write', who: string, order: string[]): Promise<Lease> {
  return rw[side].acquire().then((lease) => (order.push(who), lease))
}

export function rwlockSuite(suite: Suite): void {
  suite('rwlock', (check) => {
    check('readers are together, a writer is alone, across processes', async ({ mp, start }) => {
      const rw = mp.rwlock()
      const log = mp.queue<string>()
      const [rounds, ids] = [15, [1, 2, 3, 4]]
      const children = await Promise.all(ids.map((id) => start(mp.process(readAndWrite, [rw, log, id, rounds]))))
      await Promise.all(children.map((child) => child.join()))
      const inside = new Map<string, string>()
      for (let event = 0; event < rounds * ids.length * 2; event += 1) {
        const [what = '', id = '', how = ''] = (await log.get()).split(' ')
        if (what === 'in') inside.set(id, how)
        else inside.delete(id)
        if ([...inside.values()].includes('write')) expect([...inside.values()]).toEqual(['write'])
      }
      expect([await rw.read.locked(), await rw.write.locked()]).toEqual([false, false])
    })

    check('several processes read at once', async ({ mp, start }) => {
      const rw = mp.rwlock()
      const [said, words] = [mp.queue<Grant>(), mp.queue<string>()]
      for (let reader = 0; reader < 3; reader += 1) await start(mp.process(holdUntilTold, [rw.read, said, words]))
      const readers = [await said.get(), await said.get(), await said.get()]
      expect(await rw.read.holder()).toMatchObject({ pid: readers.toSorted((a, b) => a.token - b.token)[0]?.pid })
      expect(await rw.write.tryAcquire()).toBeNull()
      const write = rw.write.acquire()
      for (const word of ['let', 'it', 'go']) await words.put(word)
      expect((await write).token).toBeGreaterThan(Math.max(...readers.map(({ token }) => token)))
      await rw.write.release()
    })

    check('neighbours in line read together, and everybody is granted in the order of asking', async ({ mp }) => {
      const rw = mp.rwlock()
      const order: string[] = []
      const first = await rw.write.acquire()
      const asked = [
        ask(rw, 'read', 'r1', order),
        ask(rw, 'read', 'r2', order),
        ask(rw, 'write', 'w1', order),
        ask(rw, 'read', 'r3', order),
        ask(rw, 'write', 'w2', order),
      ] as const
      expect(await rw.read.locked()).toBe(false)
      await first.release()
      const [one, two] = [await asked[0], await asked[1]]
      await one.release()
      expect(await rw.write.locked()).toBe(false)
      expect(order).toEqual(['r1', 'r2'])
      await two.release()
      for (const next of asked.slice(2)) await (await next).release()
      expect(order).toEqual(['r1', 'r2', 'w1', 'r3', 'w2'])
    })

    check('a writer is not overtaken by readers who ask later, across processes', async ({ mp, start }) => {
      const rw = mp.rwlock()
      const [said, granted] = [mp.queue<number>(), mp.queue<Grant>()]
      const reading = await rw.read.acquire()
      await start(mp.process(standInLine, [rw.write, said, granted, 1]))
      await said.get()
      expect(await rw.read.tryAcquire()).toBeNull()
      await start(mp.process(standInLine, [rw.read, said, granted, 2]))
      await said.get()
      await reading.release()
      expect([await granted.get(), await granted.get()].map(({ who }) => who)).toEqual([1, 2])
    })

    check('readers without a gap do not starve a writer', async ({ mp }) => {
      const rw = mp.rwlock()
      let [written, since] = [false, 0]
      const reader = async (): Promise<void> => {
        let lease = await rw.read.acquire()
        while (!written) {
          const next = rw.read.acquire()
          if (asked) since += 1
          await rw.read.locked()
          await lease.release()
          lease = await next
        }
        await lease.release()
      }
      let asked = false
      const readers = [reader(), reader(), reader()]
      await rw.read.locked()
      asked = true
      await rw.write.with(() => {
        written = true
      })
      await Promise.all(readers)
      // Who had read when it asked may have asked once more behind it.
      expect(since).toBeLessThanOrEqual(6)
    })

    check('writers without a gap do not starve a reader', async ({ mp }) => {
      const rw = mp.rwlock()
      let [over, since] = [false, 0]
      const writer = async (): Promise<void> => {
        while (!over) await rw.write.with(() => (since += 1))
      }
      const writers = [writer(), writer()]
      await rw.write.locked()
      const before = since
      const after = await rw.read.with(() => since)
      over = true
      await Promise.all(writers)
      expect(after - before).toBeLessThanOrEqual(4)
    })

    check('a writer that gives up lets the readers behind it pass', async ({ mp }) => {
      const rw = mp.rwlock()
      const reading = await rw.read.acquire()
      const abort = new AbortController()
      const gaveUp = expect(rw.write.acquire({ signal: abort.signal })).rejects.toThrow('enough')
      const behind = rw.read.acquire()
      expect(await rw.read.tryAcquire()).toBeNull()
      abort.abort(new Error('enough'))
      await gaveUp
      await (await behind).release()
      await reading.release()
      expect(await rw.write.with(() => rw.write.locked(), { timeout: 0 })).toBe(true)
    })

    check('a wait that runs out leaves nothing, on either side', async ({ mp }) => {
      const rw = mp.rwlock()
      for (const [held, wanted] of [
        [rw.read, rw.write],
        [rw.write, rw.read],
        [rw.write, rw.write],
      ] as const) {
        const lease = await held.acquire()
        const asked = performance.now()
        await expect(wanted.acquire({ timeout: 30 })).rejects.toBeInstanceOf(TimeoutError)
        expect(performance.now() - asked).toBeGreaterThanOrEqual(29)
        await expect(wanted.with(() => expect.unreachable(), { timeout: 0 })).rejects.toBeInstanceOf(TimeoutError)
        await lease.release()
        expect([await rw.read.locked(), await rw.write.locked()]).toEqual([false, false])
      }
      const reason = new Error('changed my mind')
      await expect(rw.write.acquire({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
      expect(await rw.write.locked()).toBe(false)
    })

    check('locked() and holder() say who is there, on each side', async ({ mp }) => {
      const rw = mp.rwlock()
      const looks = async (): Promise<unknown[]> => [
        await rw.read.locked(),
        (await rw.read.holder())?.token,
        await rw.write.locked(),
        (await rw.write.holder())?.token,
      ]
      expect(await looks()).toEqual([false, undefined, false, undefined])
      const [first, second] = [await rw.read.acquire(), await rw.read.acquire()]
      expect(await looks()).toEqual([true, first.token, false, undefined])
      await first.release()
      expect(await looks()).toEqual([true, second.token, false, undefined])
      await second.release()
      await rw.write.with(async ({ token }) => {
        expect(await looks()).toEqual([false, undefined, true, token])
        expect(await rw.write.holder()).toMatchObject({ pid: process.pid })
      })
      expect(await looks()).toEqual([false, undefined, false, undefined])
    })

    check('only the holder releases, and each side its own', async ({ mp, start }) => {
      const rw = mp.rwlock()
      const reading = await rw.read.acquire()
      await expect(rw.write.release()).rejects.toBeInstanceOf(NotHeldError)
      const child = await start(mp.process(releaseOnce, [rw.read]))
      await expect(child.result()).rejects.toBeInstanceOf(NotHeldError)
      reading.assertHeld()
      await rw.read.release()
      expect(() => reading.assertHeld()).toThrow(LeaseLostError)
      await expect(rw.read.release()).rejects.toBeInstanceOf(NotHeldError)
    })

    check('with() releases whatever the body does', async ({ mp }) => {
      const rw = mp.rwlock()
      expect(await rw.read.with(() => 'read')).toBe('read')
      await expect(rw.write.with(() => Promise.reject(new Error('mine')))).rejects.toThrow('mine')
      await rw.write.with(() => {}, { timeout: 0 })
    })

    check('a side crosses alone, and its handle is that side', async ({ mp, start, pool }) => {
      const rw = mp.rwlock()
      const writing = await rw.write.acquire()
      expect(await (await start(mp.process(tryOnce, [rw.read]))).result()).toBe(false)
      await writing.release()
      await rw.read.with(async () => {
        const workers = pool(1)
        expect(await workers.apply(tryOnce, [rw.read])).toBe(true)
        expect(await workers.apply(tryOnce, [rw.write])).toBe(false)
      })
    })

    check('tokens rise from grant to grant, whichever the side and the process', async ({ mp, start }) => {
      const rw = mp.rwlock()
      const tokens = [await tokenOf(rw.read), await tokenOf(rw.write)]
      tokens.push(await (await start(mp.process(tokenOf, [rw.read]))).result(), await tokenOf(rw.write))
      expect(tokens).toEqual(ascending([...new Set(tokens)]))
    })

    check('the same name is the same lock, also for a side of it', async ({ mp, start, unique }) => {
      const name = unique('table')
      const [one, other] = [mp.rwlock(name), mp.rwlock({ name })]
      await one.write.with(async () => {
        expect(await other.read.tryAcquire()).toBeNull()
        expect(await (await start(mp.process(tryOnce, [other.read]))).result()).toBe(false)
      })
      await other.destroy()
    })

    check('one that was destroyed rejects who waits for it, and its leases are lost', async ({ mp }) => {
      const rw = mp.rwlock()
      const reading = await rw.read.acquire()
      const waiting = expect(rw.write.acquire()).rejects.toBeInstanceOf(StateError)
      await rw.read.locked()
      await rw.destroy()
      await waiting
      expect(() => reading.assertHeld()).toThrow(LeaseLostError)
      await expect(rw.read.acquire()).rejects.toBeInstanceOf(StateError)
    })
  })
}
