/** Closing a queue: for everyone, and what is there may still be taken. */
import { QueueClosedError } from '@skein/core'
import { expect } from 'vitest'
import type { Suite } from './harness.ts'
import { acknowledgeWhenTold, closeQueue, drain, fill, getOne, giveBackWhenTold, putAll } from './targets/queue.ts'

export function queueCloseSuite(suite: Suite): void {
  suite('queue: close', (check) => {
    check('no more puts; what is there may be taken; then QueueClosedError', async ({ mp }) => {
      const queue = mp.queue<number>()
      await queue.put(1)
      await queue.put(2)
      await queue.close()
      await expect(queue.put(3)).rejects.toBeInstanceOf(QueueClosedError)
      await expect(queue.tryPut(3)).rejects.toBeInstanceOf(QueueClosedError)
      expect([await queue.get(), await queue.get()]).toEqual([1, 2])
      await expect(queue.get()).rejects.toBeInstanceOf(QueueClosedError)
      await expect(queue.receive()).rejects.toBeInstanceOf(QueueClosedError)
      await expect(queue.tryGet()).rejects.toBeInstanceOf(QueueClosedError)
    })

    check('may be closed again', async ({ mp }) => {
      const queue = mp.queue<number>()
      await queue.close()
      await queue.close()
    })

    check('those who wait for an item reject (Pongo#186)', async ({ mp }) => {
      const queue = mp.queue<number>()
      const waits = [queue.get(), queue.receive()].map((wait) => expect(wait).rejects.toBeInstanceOf(QueueClosedError))
      await queue.size()
      await queue.close()
      await Promise.all(waits)
    })

    check('those who wait for room reject, and what they had is not put', async ({ mp }) => {
      const queue = mp.queue<number>({ maxSize: 1 })
      await queue.put(1)
      const waiting = expect(queue.put(2)).rejects.toBeInstanceOf(QueueClosedError)
      await queue.size()
      await queue.close()
      await waiting
      expect(await queue.get()).toBe(1)
      await expect(queue.get()).rejects.toBeInstanceOf(QueueClosedError)
    })

    check('another process that waits for an item rejects, too', async ({ mp, start }) => {
      const queue = mp.queue<number>()
      const child = await start(mp.process(getOne<number>, [queue]))
      await queue.close()
      await expect(child.result()).rejects.toBeInstanceOf(QueueClosedError)
    })

    check('another process that waits for room rejects, too', async ({ mp, start }) => {
      const queue = mp.queue<number>({ maxSize: 1 })
      const said = mp.queue<number>()
      const child = await start(mp.process(fill, [queue, said]))
      expect(await said.get()).toBe(1)
      await queue.close()
      await expect(child.result()).rejects.toBeInstanceOf(QueueClosedError)
    })

    check('a child may close it while somebody waits here', async ({ mp, start }) => {
      const queue = mp.queue<number>()
      const waiting = expect(queue.get()).rejects.toBeInstanceOf(QueueClosedError)
      await start(mp.process(closeQueue, [queue]))
      await waiting
    })

    check('a loop in another process takes what is left, and ends', async ({ mp, start }) => {
      const queue = mp.queue<number>()
      const child = await start(mp.process(drain<number>, [queue]))
      for (const item of [1, 2, 3]) await queue.put(item)
      await queue.close()
      expect(await child.result()).toEqual([1, 2, 3])
    })

    check('a producer in another process gets QueueClosedError', async ({ mp, start }) => {
      const queue = mp.queue<number>()
      await queue.close()
      const child = await start(mp.process(putAll<number>, [queue, [1]]))
      await expect(child.result()).rejects.toBeInstanceOf(QueueClosedError)
    })

    check('who waits while another process has the last item gets it if it comes back', async ({ mp, start }) => {
      const queue = mp.queue<string>()
      const [said, words] = [mp.queue<string>(), mp.queue<string>()]
      await queue.put('work')
      await start(mp.process(giveBackWhenTold, [queue, said, words]))
      expect(await said.get()).toBe('work')
      await queue.close()
      const waiting = queue.receive()
      await queue.size()
      await words.put('give it back')
      const delivery = await waiting
      expect(delivery).toMatchObject({ value: 'work', attempt: 2 })
      await delivery.ack()
      await expect(queue.get()).rejects.toBeInstanceOf(QueueClosedError)
    })

    check('who waits while another process has the last item hears when that is done', async ({ mp, start }) => {
      const queue = mp.queue<string>()
      const [said, words] = [mp.queue<string>(), mp.queue<string>()]
      await queue.put('work')
      const child = await start(mp.process(acknowledgeWhenTold, [queue, said, words]))
      await said.get()
      await queue.close()
      const waiting = expect(queue.receive()).rejects.toBeInstanceOf(QueueClosedError)
      await queue.size()
      await words.put('done')
      await waiting
      await child.join()
    })

    check('a named queue that was closed and drained opens again', async ({ mp, unique }) => {
      const name = unique('again')
      const first = mp.queue<number>(name)
      await first.put(1)
      await first.close()
      await expect(mp.queue<number>(name).put(2)).rejects.toBeInstanceOf(QueueClosedError)
      expect(await first.get()).toBe(1)
      const second = mp.queue<number>(name)
      await second.put(3)
      expect(await second.get()).toBe(3)
      await second.destroy()
    })
  })
}
