/** A queue: many items in one call, and dropping what waits. */
import { ArgumentError, EncodeError, QueueClosedError, TimeoutError } from '@skein/core'
import { expect } from 'vitest'
import { ascending, untyped } from './checking.ts'
import type { Suite } from './harness.ts'
import { drain, purgeAll, putMany } from './targets/queue.ts'

const range = (count: number): number[] => Array.from({ length: count }, (_, n) => n)

export function queueManySuite(suite: Suite): void {
  suite('queue: many', (check) => {
    check('putMany() puts all items in their order; getMany() takes up to so many', async ({ mp }) => {
      const queue = mp.queue<number>()
      await queue.putMany(range(200))
      expect(await queue.size()).toBe(200)
      expect(await queue.getMany(3)).toEqual([0, 1, 2])
      expect(await queue.getMany(1)).toEqual([3])
      expect(await queue.getMany(1_000)).toEqual(range(200).slice(4))
      await expect(queue.getMany(5, { timeout: 0 })).rejects.toBeInstanceOf(TimeoutError)
    })

    check('putMany() takes sets, generators and async generators; of nothing it puts nothing', async ({ mp }) => {
      const queue = mp.queue<number>()
      await queue.putMany([])
      await queue.putMany(new Set([1, 2]))
      await queue.putMany(
        (async function* later() {
          yield 3
          await queue.size()
          yield 4
        })(),
      )
      expect(await queue.getMany(10)).toEqual([1, 2, 3, 4])
      expect(await queue.tryGet()).toBeNull()
    })

    check('what comes after putMany() comes after its items', async ({ mp }) => {
      const queue = mp.queue<number>()
      const many = queue.putMany([0, 1, 2])
      await many
      await queue.put(3)
      expect(await queue.getMany(4)).toEqual([0, 1, 2, 3])
    })

    check('getMany() waits for the first item only', async ({ mp }) => {
      const queue = mp.queue<string>()
      const waiting = queue.getMany(10)
      await queue.size()
      await queue.put('came')
      expect(await waiting).toEqual(['came'])
    })

    check('putMany() into a bounded queue waits for room, however long its source', async ({ mp, start }) => {
      const queue = mp.queue<number>({ maxSize: 5 })
      const child = await start(mp.process(putMany, [queue, 100]))
      const items: number[] = []
      while (items.length < 100) {
        expect(await queue.size()).toBeLessThanOrEqual(5)
        items.push(...(await queue.getMany(7)))
      }
      expect(items).toEqual(range(100))
      await child.join()
    })

    check('putMany() that runs out of time has put the first items, and no later one', async ({ mp }) => {
      const queue = mp.queue<number>({ maxSize: 3 })
      const asked = performance.now()
      await expect(queue.putMany(range(10), { timeout: 600 })).rejects.toBeInstanceOf(TimeoutError)
      expect(performance.now() - asked).toBeGreaterThanOrEqual(599)
      expect(await queue.getMany(10)).toEqual([0, 1, 2])
      expect(await queue.tryGet()).toBeNull()
    })

    check('putMany() that is aborted stops asking a source that has nothing', async ({ mp }) => {
      const queue = mp.queue<number>()
      const abort = new AbortController()
      let closed = false
      async function* slow(): AsyncGenerator<number> {
        try {
          yield 1
          abort.abort(new Error('enough'))
          yield await new Promise<number>(() => {})
        } finally {
          closed = true
        }
      }
      await expect(queue.putMany(slow(), { signal: abort.signal })).rejects.toThrow('enough')
      expect(closed).toBe(false)
      // The first may have been on its way still.
      const put = await queue.size()
      expect(put).toBeLessThanOrEqual(1)
      const reason = new Error('before')
      await expect(queue.putMany([2], { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
      expect(await queue.size()).toBe(put)
    })

    check('an item that cannot cross ends putMany(), and is named', async ({ mp }) => {
      const queue = mp.queue<unknown>()
      let pulled = 0
      function* items(): Generator {
        for (pulled = 1; ; pulled += 1) yield pulled === 3 ? { done: () => {} } : pulled
      }
      const failed = queue.putMany(items())
      await expect(failed).rejects.toBeInstanceOf(EncodeError)
      await expect(failed).rejects.toThrow(/items\[2\]\.done/)
      expect(pulled).toBeLessThan(200)
      // None is skipped.
      expect(await queue.getMany(1_000)).toEqual([1, 2])
      await expect(queue.putMany([3, untyped(() => 4), 5])).rejects.toThrow(/^items\[1\] is a function/)
      expect(await queue.getMany(1_000)).toEqual([3])
    })

    check('a source that throws ends putMany() with its error', async ({ mp }) => {
      const queue = mp.queue<number>()
      const broken = new Error('the source broke')
      function* items(): Generator<number> {
        yield 1
        throw broken
      }
      await expect(queue.putMany(items())).rejects.toBe(broken)
      expect(await queue.getMany(5)).toEqual([1])
    })

    check('a closed queue takes nothing from putMany(), and gives getMany() what is there', async ({ mp }) => {
      const queue = mp.queue<number>()
      await queue.putMany([1, 2])
      await queue.close()
      await expect(queue.putMany([3])).rejects.toBeInstanceOf(QueueClosedError)
      expect(await queue.getMany(10)).toEqual([1, 2])
      await expect(queue.getMany(10)).rejects.toBeInstanceOf(QueueClosedError)
    })

    check('several take many: each item goes to one of them', async ({ mp, start }) => {
      const queue = mp.queue<number>()
      const child = await start(mp.process(drain<number>, [queue]))
      const put = queue.putMany(range(400)).then(() => queue.close())
      const here: number[] = []
      try {
        for (;;) here.push(...(await queue.getMany(16)))
      } catch (error) {
        expect(error).toBeInstanceOf(QueueClosedError)
      }
      await put
      expect(ascending([...here, ...(await child.result())])).toEqual(range(400))
    })

    check('purge() drops what waits, says how much, and leaves what is being handled', async ({ mp }) => {
      const queue = mp.queue<number>({ maxSize: 4 })
      await queue.putMany([1, 2, 3, 4])
      const delivery = await queue.receive()
      const waiting = queue.put(5)
      const joined = queue.join()
      await queue.size()
      expect(await queue.purge()).toBe(3)
      await waiting
      expect(await queue.getMany(10)).toEqual([5])
      expect(await queue.purge()).toBe(0)
      await delivery.ack()
      await joined
      expect(await queue.tryPut(6)).toBe(true)
    })

    check('purge() drops what has come ahead to another process, too', async ({ mp, start }) => {
      const queue = mp.queue<number>()
      await queue.putMany(range(300))
      for (let n = 0; n < 40; n += 1) expect(await queue.get()).toBe(n)
      const child = await start(mp.process(purgeAll, [queue]))
      expect(await child.result()).toBe(260)
      expect(await queue.tryGet()).toBeNull()
      await queue.join({ timeout: 0 })
    })

    check('getMany() of no number of items, and putMany() of no items', async ({ mp }) => {
      const queue = mp.queue<number>()
      for (const max of [0, -1, 1.5, Number.NaN, untyped('4')])
        await expect(queue.getMany(max)).rejects.toThrow(/getMany\(\): max must be an integer of 1 or more/)
      for (const items of [undefined, null, 5, {}])
        await expect(queue.putMany(untyped(items))).rejects.toBeInstanceOf(ArgumentError)
      await expect(queue.putMany([1], { timeout: Number.NaN })).rejects.toBeInstanceOf(ArgumentError)
      expect(await queue.size()).toBe(0)
    })
  })
}
