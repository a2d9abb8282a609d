/** A queue: order, bounds, waiting. Deliveries are in queue-delivery.ts, closing in queue-close.ts. */
import { EncodeError, StateError, TimeoutError } from '@skein/core'
import { expect } from 'vitest'
import { ascending } from './checking.ts'
import type { Suite } from './harness.ts'
import { drain, fill, getOne, passOn, produce, putAll } from './targets/queue.ts'
import type { Stamped } from './targets/queue.ts'

export function queueSuite(suite: Suite): void {
  suite('queue', (check) => {
    check('first in, first out', async ({ mp }) => {
      const queue = mp.queue<number>()
      for (const item of [1, 2, 3]) await queue.put(item)
      expect([await queue.get(), await queue.get(), await queue.get()]).toEqual([1, 2, 3])
    })

    check('the order of puts that were not awaited is kept, too', async ({ mp }) => {
      const queue = mp.queue<number>()
      const items = Array.from({ length: 100 }, (_, index) => index)
      const puts = items.map((item) => queue.put(item))
      const gets = items.map(() => queue.get())
      expect(await Promise.all(gets)).toEqual(items)
      await Promise.all(puts)
    })

    check('what a child puts is got here, in its order', async ({ mp, start }) => {
      const queue = mp.queue<number>()
      await start(mp.process(putAll<number>, [queue, [1, 2, 3]]))
      expect([await queue.get(), await queue.get(), await queue.get()]).toEqual([1, 2, 3])
    })

    check('what is put here is got by a child that waits for it', async ({ mp, start }) => {
      const queue = mp.queue<string>()
      const child = await start(mp.process(getOne<string>, [queue]))
      await queue.put('for you')
      expect(await child.result()).toBe('for you')
    })

    check('items outlive the process that put them', async ({ mp, start }) => {
      const queue = mp.queue<number>()
      await (await start(mp.process(putAll<number>, [queue, [1, 2]]))).join()
      expect([await queue.get(), await queue.get()]).toEqual([1, 2])
    })

    check('several producers and consumers: each item to exactly one, in order per producer', async ({ mp, start }) => {
      const queue = mp.queue<Stamped>({ maxSize: 20 })
      const [each, ids] = [100, [0, 1, 2]]
      const consumers = await Promise.all(ids.map(() => start(mp.process(drain<Stamped>, [queue]))))
      const producers = await Promise.all(ids.map((id) => start(mp.process(produce, [queue, id, each]))))
      await Promise.all(producers.map((child) => child.join()))
      await queue.close()
      const taken = await Promise.all(consumers.map((child) => child.result()))
      for (const id of ids) {
        const ofProducer = (items: Stamped[]): number[] =>
          items.filter((it) => it.producer === id).map((it) => it.serial)
        for (const items of taken) expect(ofProducer(items)).toEqual(ascending(ofProducer(items)))
        const all = ascending(taken.flatMap(ofProducer))
        expect(all).toEqual(Array.from({ length: each }, (_, serial) => serial))
      }
    })

    check('get() that runs out takes nothing, now or later', async ({ mp }) => {
      const queue = mp.queue<string>()
      const asked = performance.now()
      await expect(queue.get({ timeout: 50 })).rejects.toBeInstanceOf(TimeoutError)
      expect(performance.now() - asked).toBeGreaterThanOrEqual(49)
      await queue.put('kept')
      expect(await queue.size()).toBe(1)
      expect(await queue.get()).toBe('kept')
    })

    for (const timeout of [0, -1]) {
      check(`get() with a timeout of ${timeout} takes what is there, and does not wait`, async ({ mp }) => {
        const queue = mp.queue<string>()
        await expect(queue.get({ timeout })).rejects.toBeInstanceOf(TimeoutError)
        await queue.put('there')
        expect(await queue.get({ timeout })).toBe('there')
      })
    }

    check('a wait that is aborted takes nothing, now or later', async ({ mp }) => {
      const queue = mp.queue<string>()
      const abort = new AbortController()
      const waits = [queue.get({ signal: abort.signal }), queue.get({ signal: abort.signal })]
      const settled = Promise.allSettled(waits)
      const patient = queue.get()
      expect(await queue.size()).toBe(0)
      abort.abort(new Error('enough'))
      expect(await settled).toEqual(waits.map(() => ({ status: 'rejected', reason: abort.signal.reason })))
      await queue.put('kept')
      expect(await patient).toBe('kept')
    })

    check('a signal that is aborted already: nothing is put or taken', async ({ mp }) => {
      const queue = mp.queue<number>()
      await queue.put(1)
      const reason = new Error('changed my mind')
      const signal = AbortSignal.abort(reason)
      await expect(queue.get({ signal })).rejects.toBe(reason)
      await expect(queue.put(2, { signal })).rejects.toBe(reason)
      await expect(queue.receive({ signal })).rejects.toBe(reason)
      expect(await queue.size()).toBe(1)
    })

    check('tryGet() takes an item or says null, and never waits', async ({ mp }) => {
      const queue = mp.queue<string | undefined>()
      expect(await queue.tryGet()).toBeNull()
      await queue.put(undefined)
      await queue.put('second')
      expect(await queue.tryGet()).toEqual({ value: undefined })
      expect(await queue.tryGet()).toEqual({ value: 'second' })
      expect(await queue.tryGet()).toBeNull()
    })

    check('tryGet() says null only when all is taken, however many came ahead of the asking', async ({ mp, start }) => {
      const queue = mp.queue<number>()
      for (const count of [9, 10, 25, 60]) {
        const items = Array.from({ length: count }, (_, n) => n)
        await (await start(mp.process(putAll<number>, [queue, items]))).join()
        const taken: number[] = []
        for (let next = await queue.tryGet(); next !== null; next = await queue.tryGet()) taken.push(next.value)
        expect(taken).toEqual(items)
      }
    })

    check('size(), empty() and full() count the items that wait (cpython#101094)', async ({ mp }) => {
      const queue = mp.queue<number>({ maxSize: 2 })
      const looks = async (): Promise<unknown[]> => [await queue.size(), await queue.empty(), await queue.full()]
      expect(await looks()).toEqual([0, true, false])
      await queue.put(1)
      expect(await looks()).toEqual([1, false, false])
      await queue.put(2)
      expect(await looks()).toEqual([2, false, true])
    })

    check('maxSize holds across processes: put() waits, tryPut() says false', async ({ mp, start }) => {
      const queue = mp.queue<number>({ maxSize: 3 })
      const said = mp.queue<number>()
      const child = await start(mp.process(fill, [queue, said]))
      expect(await said.get()).toBe(3)
      expect(await queue.tryPut(99)).toBe(false)
      await expect(queue.put(99, { timeout: 0 })).rejects.toBeInstanceOf(TimeoutError)
      expect(await said.tryGet()).toBeNull()
      expect(await queue.get()).toBe(0)
      expect(await said.get()).toBe(4)
      await child.join()
      expect([await queue.get(), await queue.get(), await queue.get()]).toEqual([1, 2, 3])
    })

    check('put() that runs out or is aborted puts nothing, now or later', async ({ mp }) => {
      const queue = mp.queue<string>({ maxSize: 1 })
      await queue.put('first')
      const asked = performance.now()
      await expect(queue.put('late', { timeout: 50 })).rejects.toBeInstanceOf(TimeoutError)
      expect(performance.now() - asked).toBeGreaterThanOrEqual(49)
      const abort = new AbortController()
      const waiting = expect(queue.put('aborted', { signal: abort.signal })).rejects.toThrow('enough')
      await queue.size()
      abort.abort(new Error('enough'))
      await waiting
      expect(await queue.get()).toBe('first')
      expect(await queue.tryGet()).toBeNull()
      expect(await queue.tryPut('room')).toBe(true)
    })

    check('waiting puts go in in the order of asking', async ({ mp }) => {
      const queue = mp.queue<number>({ maxSize: 1 })
      const puts = [0, 1, 2, 3].map((item) => queue.put(item))
      const items: number[] = []
      for (let taken = 0; taken < 4; taken += 1) items.push(await queue.get())
      expect(items).toEqual([0, 1, 2, 3])
      await Promise.all(puts)
    })

    check('maxSize of 0 or less means no bound', async ({ mp }) => {
      for (const maxSize of [0, -1]) {
        const queue = mp.queue<number>({ maxSize })
        for (let item = 0; item < 100; item += 1) expect(await queue.tryPut(item)).toBe(true)
        expect(await queue.full()).toBe(false)
      }
    })

    check('an item is what it was when it was put', async ({ mp }) => {
      const queue = mp.queue<number[]>()
      const item = [1, 2]
      const put = queue.put(item)
      item.push(3)
      await put
      expect(await queue.get()).toEqual([1, 2])
    })

    check('an item that cannot cross is refused in the call, and takes no room', async ({ mp }) => {
      const queue = mp.queue<unknown>({ maxSize: 1 })
      await expect(queue.put({ onDone: () => {} })).rejects.toBeInstanceOf(EncodeError)
      await expect(queue.tryPut(Symbol('no'))).rejects.toBeInstanceOf(EncodeError)
      expect(await queue.tryPut('fine')).toBe(true)
      expect(await queue.get()).toBe('fine')
    })

    check('large items pass through a bounded queue of two processes', async ({ mp, start }) => {
      const [there, back] = [mp.queue<Uint8Array>({ maxSize: 2 }), mp.queue<Uint8Array>({ maxSize: 2 })]
      await start(mp.process(passOn<Uint8Array>, [there, back]))
      const items = [1, 2, 3, 4].map((byte) => Buffer.alloc(3_000_000, byte))
      const put = (async (): Promise<void> => {
        for (const item of items) await there.put(item)
        await there.close()
      })()
      for (const item of items) expect(Buffer.compare(await back.get(), item)).toBe(0)
      await put
    })

    check('a queue that was destroyed rejects who waits on it, and whoever comes later', async ({ mp }) => {
      const queue = mp.queue<number>()
      const waiting = expect(queue.get()).rejects.toBeInstanceOf(StateError)
      await queue.size()
      await queue.destroy()
      await waiting
      await queue.destroy()
      await expect(queue.put(1)).rejects.toBeInstanceOf(StateError)
    })
  })
}
