/** Deliveries: items taken until they are acknowledged, and what comes back. */
import { LeaseLostError, TimeoutError } from '@skein/core'
import { expect } from 'vitest'
import { ascending } from './checking.ts'
import type { Suite } from './harness.ts'
import { drain, takeAndSpin } from './targets/queue.ts'

export function queueDeliverySuite(suite: Suite): void {
  suite('queue: delivery', (check) => {
    check('a delivery has its value and its attempt, and is gone once acknowledged', async ({ mp }) => {
      const queue = mp.queue<string>()
      await queue.put('work')
      const delivery = await queue.receive()
      expect(delivery).toMatchObject({ value: 'work', attempt: 1 })
      expect(delivery.signal.aborted).toBe(false)
      expect(await queue.size()).toBe(0)
      await delivery.ack()
      await queue.join({ timeout: 0 })
    })

    check('nack() gives the item to the next consumer, the attempt counted', async ({ mp }) => {
      const queue = mp.queue<string>()
      await queue.put('work')
      await (await queue.receive()).nack()
      const again = await queue.receive()
      expect(again).toMatchObject({ value: 'work', attempt: 2 })
      await again.nack({ error: new Error('still not') })
      expect(await queue.receive()).toMatchObject({ value: 'work', attempt: 3 })
    })

    check('nack() wakes a consumer that waits', async ({ mp }) => {
      const queue = mp.queue<string>()
      await queue.put('work')
      const delivery = await queue.receive()
      const waiting = queue.receive()
      await delivery.nack()
      expect(await waiting).toMatchObject({ value: 'work', attempt: 2 })
    })

    check('a delivery that was given back or acknowledged is no longer ours', async ({ mp }) => {
      const queue = mp.queue<string>()
      await queue.put('work')
      const first = await queue.receive()
      await first.nack()
      await expect(first.ack()).rejects.toBeInstanceOf(LeaseLostError)
      await expect(first.nack()).rejects.toBeInstanceOf(LeaseLostError)
      const second = await queue.receive()
      await second.ack()
      await expect(second.ack()).rejects.toBeInstanceOf(LeaseLostError)
      await queue.join({ timeout: 0 })
    })

    check('leaving the scope gives back what was not acknowledged', async ({ mp }) => {
      const queue = mp.queue<string>()
      await queue.put('work')
      await (await queue.receive())[Symbol.asyncDispose]()
      const again = await queue.receive()
      expect(again.attempt).toBe(2)
      await again.ack()
      await again[Symbol.asyncDispose]()
      expect(await queue.tryGet()).toBeNull()
    })

    check('an item is set aside after maxDeliveries', async ({ mp }) => {
      const queue = mp.queue<string>({ maxDeliveries: 2 })
      await queue.put('poison')
      await queue.put('wholesome')
      await (await queue.receive()).nack()
      const again = await queue.receive()
      expect(again).toMatchObject({ value: 'poison', attempt: 2 })
      await again.nack()
      expect(await queue.get()).toBe('wholesome')
      expect(await queue.tryGet()).toBeNull()
      await queue.join({ timeout: 0 })
    })

    check('an unacknowledged item takes room', async ({ mp }) => {
      const queue = mp.queue<number>({ maxSize: 1 })
      await queue.put(1)
      const delivery = await queue.receive()
      expect(await queue.full()).toBe(true)
      expect(await queue.tryPut(2)).toBe(false)
      const waiting = queue.put(3)
      await delivery.ack()
      await waiting
      expect(await queue.get()).toBe(3)
    })

    check('join() waits until every item was taken for good or acknowledged', async ({ mp }) => {
      const queue = mp.queue<number>()
      await queue.join()
      await queue.put(1)
      await queue.put(2)
      await expect(queue.join({ timeout: 0 })).rejects.toBeInstanceOf(TimeoutError)
      await queue.get()
      const delivery = await queue.receive()
      await expect(queue.join({ timeout: 20 })).rejects.toBeInstanceOf(TimeoutError)
      const joined = queue.join()
      await delivery.ack()
      await joined
    })

    check('join() does not wait for what is put later', async ({ mp }) => {
      const queue = mp.queue<number>()
      await queue.put(1)
      const joined = queue.join()
      await queue.size()
      await queue.put(2)
      expect(await queue.get()).toBe(1)
      await joined
      expect(await queue.size()).toBe(1)
    })

    check('for await acknowledges an item when the next is asked for', async ({ mp }) => {
      const queue = mp.queue<number>()
      await queue.put(1)
      await queue.put(2)
      await queue.close()
      const seen: number[] = []
      for await (const item of queue) {
        seen.push(item)
        await expect(queue.join({ timeout: 0 })).rejects.toBeInstanceOf(TimeoutError)
      }
      expect(seen).toEqual([1, 2])
      await queue.join({ timeout: 0 })
    })

    check('leaving a for await loop gives the current item back, the attempt counted', async ({ mp }) => {
      const queue = mp.queue<number>()
      await queue.put(1)
      await queue.put(2)
      for await (const item of queue) {
        expect(item).toBe(1)
        break
      }
      const failing = async (): Promise<void> => {
        for await (const item of queue) throw new Error(`cannot do ${item}`)
      }
      await expect(failing()).rejects.toThrow(/^cannot do [12]$/)
      const left = [await queue.receive(), await queue.receive()]
      expect(ascending(left.map((delivery) => delivery.value))).toEqual([1, 2])
      expect(left.reduce((sum, delivery) => sum + delivery.attempt, 0)).toBe(4)
    })

    check('consume() runs the body for each item and ends when the queue is closed and drained', async ({ mp }) => {
      const queue = mp.queue<number>()
      const seen: [number, number][] = []
      const consumed = queue.consume((item, delivery) => {
        seen.push([item, delivery.attempt])
      })
      for (const item of [1, 2, 3]) await queue.put(item)
      await queue.join()
      await queue.close()
      await consumed
      expect(seen).toEqual([1, 2, 3].map((item) => [item, 1]))
    })

    check('consume() gives back the item of a body that throws, and goes on', async ({ mp }) => {
      const queue = mp.queue<string>()
      for (const item of ['bad', 'good']) await queue.put(item)
      const seen: [string, number][] = []
      const consumed = queue.consume((item, delivery) => {
        seen.push([item, delivery.attempt])
        if (item === 'bad' && delivery.attempt === 1) throw new Error('not today')
      })
      await queue.join()
      await queue.close()
      await consumed
      expect(seen.map(String).toSorted()).toEqual(['bad,1', 'bad,2', 'good,1'])
    })

    check('consume() runs as many bodies at once as told', async ({ mp }) => {
      const queue = mp.queue<number>()
      for (let item = 0; item < 7; item += 1) await queue.put(item)
      let [running, most] = [0, 0]
      const arrived: (() => void)[] = []
      const consumed = queue.consume(
        async () => {
          running += 1
          most = Math.max(most, running)
          // The first three wait for one another, so three must run at once.
          await new Promise<void>((go) => {
            arrived.push(go)
            if (arrived.length >= 3) for (const each of arrived) each()
          })
          running -= 1
        },
        { concurrency: 3 },
      )
      await queue.close()
      await consumed
      expect(most).toBe(3)
    })

    check('an aborted consume() takes no more, and ends when the running bodies are done', async ({ mp }) => {
      const queue = mp.queue<number>()
      for (const item of [1, 2, 3, 4]) await queue.put(item)
      const abort = new AbortController()
      const seen: number[] = []
      await queue.consume(
        async (item) => {
          abort.abort()
          await queue.size()
          seen.push(item)
        },
        { signal: abort.signal },
      )
      expect(seen).toEqual([1])
      const rest = [await queue.receive(), await queue.receive(), await queue.receive()]
      expect(rest.map(({ value, attempt }) => [value, attempt])).toEqual([
        [2, 1],
        [3, 1],
        [4, 1],
      ])
    })

    check('an aborted consume() that waits for an item ends', async ({ mp }) => {
      const queue = mp.queue<number>()
      const abort = new AbortController()
      const consumed = queue.consume(() => {}, { signal: abort.signal })
      await queue.size()
      abort.abort()
      await consumed
      await queue.put(1)
      expect(await queue.get()).toBe(1)
    })

    check('a consumer that computes holds up only the item that it has (bull#412)', async ({ mp, start }) => {
      const queue = mp.queue<number>()
      const taken = mp.queue<number>()
      const items = Array.from({ length: 20 }, (_, index) => index)
      for (const item of items) await queue.put(item)
      await start(mp.process(takeAndSpin<number>, [queue, taken]))
      expect(await taken.get()).toBe(0)
      const rest: number[] = []
      while (rest.length < items.length - 1) rest.push(await queue.get({ timeout: 5_000 }))
      expect(ascending(rest)).toEqual(items.slice(1))
    })

    check('for await in two processes: each item to exactly one', async ({ mp, start }) => {
      const queue = mp.queue<number>()
      const items = Array.from({ length: 60 }, (_, index) => index)
      for (const item of items) await queue.put(item)
      const consumers = [
        await start(mp.process(drain<number>, [queue])),
        await start(mp.process(drain<number>, [queue])),
      ]
      await queue.close()
      const taken = await Promise.all(consumers.map((child) => child.result()))
      expect(ascending(taken.flat())).toEqual(items)
    })
  })
}
