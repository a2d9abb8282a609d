/** Joinable queues, whose consumers say when they are done; and simple ones. */
import { LeaseLostError, QueueClosedError, TimeoutError } from '@skein/core'
import { expect } from 'vitest'
import { ascending } from './checking.ts'
import type { Suite } from './harness.ts'
import { doneOnce, getAndKeep, getOne, putAll, work } from './targets/queue.ts'

export function joinableQueueSuite(suite: Suite): void {
  suite('joinable queue', (check) => {
    check('join() waits until taskDone() was called for each item', async ({ mp }) => {
      const queue = mp.joinableQueue<string>()
      await queue.join()
      await queue.put('one')
      await queue.put('two')
      expect([await queue.get(), await queue.get()]).toEqual(['one', 'two'])
      await expect(queue.join({ timeout: 20 })).rejects.toBeInstanceOf(TimeoutError)
      await queue.taskDone()
      await expect(queue.join({ timeout: 0 })).rejects.toBeInstanceOf(TimeoutError)
      const joined = queue.join()
      await queue.taskDone()
      await joined
    })

    check('one taskDone() too many is a RangeError, and changes nothing', async ({ mp, start }) => {
      const queue = mp.joinableQueue<number>()
      await expect(queue.taskDone()).rejects.toBeInstanceOf(RangeError)
      await queue.put(1)
      await expect(queue.taskDone()).rejects.toBeInstanceOf(RangeError)
      expect(await queue.get()).toBe(1)
      // What this process got is not another's to call done.
      await expect((await start(mp.process(doneOnce, [queue]))).result()).rejects.toBeInstanceOf(RangeError)
      await expect(queue.join({ timeout: 0 })).rejects.toBeInstanceOf(TimeoutError)
      await queue.taskDone()
      await queue.join({ timeout: 0 })
      await expect(queue.taskDone()).rejects.toThrow(/taskDone\(\)/)
    })

    check('tryGet() and getMany() deliver the same way', async ({ mp }) => {
      const queue = mp.joinableQueue<number>()
      expect(await queue.tryGet()).toBeNull()
      await queue.putMany([1, 2, 3])
      expect(await queue.tryGet()).toEqual({ value: 1 })
      expect(await queue.getMany(10)).toEqual([2, 3])
      for (let n = 0; n < 3; n += 1) {
        await expect(queue.join({ timeout: 0 })).rejects.toBeInstanceOf(TimeoutError)
        await queue.taskDone()
      }
      await queue.join({ timeout: 0 })
    })

    check('all handles of a context share what it got', async ({ mp, unique }) => {
      const name = unique('jobs')
      const [one, other] = [mp.joinableQueue<number>(name), mp.joinableQueue<number>({ name })]
      await one.put(1)
      expect(await one.get()).toBe(1)
      await other.taskDone()
      await one.join({ timeout: 0 })
      await one.destroy()
    })

    check('mp.queue() of the same name is the same queue', async ({ mp, unique }) => {
      const name = unique('jobs')
      const [plain, joinable] = [mp.queue<number>(name), mp.joinableQueue<number>(name)]
      await plain.put(7)
      expect(await joinable.get()).toBe(7)
      await expect(plain.join({ timeout: 0 })).rejects.toBeInstanceOf(TimeoutError)
      await joinable.taskDone()
      await plain.join({ timeout: 0 })
      await plain.destroy()
    })

    check('consumers in other processes work everything off', async ({ mp, start }) => {
      const [queue, done] = [mp.joinableQueue<number>(), mp.queue<number>()]
      for (let n = 0; n < 2; n += 1) await start(mp.process(work, [queue, done], { daemon: true }))
      await queue.putMany(Array.from({ length: 50 }, (_, n) => n))
      await queue.join()
      expect(ascending(await done.getMany(100))).toEqual(Array.from({ length: 50 }, (_, n) => n))
    })

    check('a consumer that dies gives its items back, and join() still ends', async ({ mp, start }) => {
      const [queue, said] = [mp.joinableQueue<number>(), mp.queue<number>()]
      await queue.putMany([1, 2, 3])
      const child = await start(mp.process(getAndKeep, [queue, 2, said]))
      expect([await said.get(), await said.get()]).toEqual([1, 2])
      const joined = queue.join()
      await child.kill()
      expect(await queue.getMany(3)).toEqual([1, 2, 3].slice(0, 3))
      for (let n = 0; n < 3; n += 1) await queue.taskDone()
      await joined
    })

    check('receive(), consume() and for await settle their items themselves', async ({ mp }) => {
      const queue = mp.joinableQueue<number>()
      await queue.putMany([1, 2, 3])
      await (await queue.receive()).ack()
      await queue.close()
      const seen: number[] = []
      for await (const item of queue) seen.push(item)
      expect(seen).toEqual([2, 3])
      await queue.join({ timeout: 0 })
      await expect(queue.taskDone()).rejects.toBeInstanceOf(RangeError)
    })

    check('what was got before the queue was destroyed cannot be done', async ({ mp }) => {
      const queue = mp.joinableQueue<number>()
      await queue.put(1)
      await queue.get()
      await queue.destroy()
      await expect(queue.taskDone()).rejects.toBeInstanceOf(LeaseLostError)
    })
  })

  suite('simple queue', (check) => {
    check('put, get, empty, close', async ({ mp, start }) => {
      const queue = mp.simpleQueue<number>()
      expect(await queue.empty()).toBe(true)
      await queue.put(1)
      expect(await queue.empty()).toBe(false)
      expect(await queue.get()).toBe(1)
      const child = await start(mp.process(getOne<number>, [queue]))
      await queue.put(2)
      expect(await child.result()).toBe(2)
      await start(mp.process(putAll<number>, [queue, [3, 4]]))
      expect([await queue.get(), await queue.get()]).toEqual([3, 4])
      await expect(queue.get({ timeout: 0 })).rejects.toBeInstanceOf(TimeoutError)
      await queue.close()
      await expect(queue.put(5)).rejects.toBeInstanceOf(QueueClosedError)
      await expect(queue.get()).rejects.toBeInstanceOf(QueueClosedError)
    })

    check('a name makes it the same queue everywhere', async ({ mp, unique }) => {
      const name = unique('simple')
      await mp.simpleQueue<string>(name).put('there')
      expect(await mp.simpleQueue<string>({ name }).get()).toBe('there')
      await mp.queue(name).destroy()
    })
  })
}
