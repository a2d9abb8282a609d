/** A topic: everybody who listens hears it, nobody later. */
import { CapacityError, EncodeError, StateError, type Topic } from '@skein/core'
import { expect } from 'vitest'
import { untyped } from './checking.ts'
import type { Suite, Tools } from './harness.ts'
import { listen, listenIdly, listenToTheEnd, publishAll } from './targets/topic.ts'

const range = (count: number): number[] => Array.from({ length: count }, (_, n) => n)

/** The next so many messages. */
async function take<T>(loop: AsyncIterator<T>, count: number): Promise<T[]> {
  const messages: T[] = []
  while (messages.length < count) {
    const { done, value } = await loop.next()
    if (done === true) break
    messages.push(value)
  }
  return messages
}

export function topicSuite(suite: Suite): void {
  suite('topic', (check) => {
    /** With a topic of its own, which is gone afterwards. */
    const checkTopic = (promise: string, body: (topic: Topic<number>, tools: Tools) => Promise<void>): void =>
      check(promise, async (tools) => {
        const topic = tools.mp.topic<number>(tools.unique('news'))
        try {
          await body(topic, tools)
        } finally {
          await topic.destroy()
        }
      })

    checkTopic('who listens hears what is published then, in order', async (topic) => {
      await topic.publish(0)
      const loop = topic[Symbol.asyncIterator]()
      for (const n of [1, 2, 3]) await topic.publish(n)
      expect(await take(loop, 3)).toEqual([1, 2, 3])
      await loop.return?.()
      expect(await loop.next()).toEqual({ done: true, value: undefined })
      await topic.publish(4)
    })

    checkTopic('a message that is waited for arrives', async (topic) => {
      const loop = topic[Symbol.asyncIterator]()
      const waiting = [loop.next(), loop.next()]
      await topic.publish(1)
      await topic.publish(2)
      expect((await Promise.all(waiting)).map(({ value }) => value)).toEqual([1, 2])
      await loop.return?.()
    })

    checkTopic('each loop hears all from when it began', async (one, { mp }) => {
      const other = mp.topic<number>(one.name)
      const first = one[Symbol.asyncIterator]()
      await one.publish(1)
      const second = other[Symbol.asyncIterator]()
      await other.publish(2)
      expect(await take(first, 2)).toEqual([1, 2])
      await one.publish(3)
      expect(await take(second, 2)).toEqual([2, 3])
      expect(await take(first, 1)).toEqual([3])
      for (const loop of [first, second]) await loop.return?.()
    })

    checkTopic('for await, and leaving it', async (topic) => {
      const heard: number[] = []
      const listening = (async () => {
        for await (const message of topic) {
          heard.push(message)
          if (message === 2) break
        }
      })()
      for (const n of range(5)) await topic.publish(n)
      await listening
      expect(heard).toEqual([0, 1, 2])
    })

    checkTopic('leaving a loop ends what waits in it', async (topic) => {
      const loop = topic[Symbol.asyncIterator]()
      const waiting = loop.next()
      await loop.return?.()
      expect(await waiting).toEqual({ done: true, value: undefined })
    })

    checkTopic('several processes hear the same, whoever publishes', async (topic, { mp, start }) => {
      const here = topic[Symbol.asyncIterator]()
      const children = []
      for (let n = 0; n < 3; n += 1) {
        const ready = mp.event()
        children.push(await start(mp.process(listen, [topic, ready, 99])))
        await ready.wait()
      }
      await topic.publish(1)
      await (await start(mp.process(publishAll, [topic, range(50)]))).join()
      await topic.publish(99)
      const all = [1, ...range(50), 99]
      for (const child of children) expect(await child.result()).toEqual(all)
      expect(await take(here, all.length)).toEqual(all)
      await here.return?.()
    })

    checkTopic(
      'two publishers: each one’s order is kept, and all hear the same order',
      async (topic, { mp, start }) => {
        const here = topic[Symbol.asyncIterator]()
        const ready = mp.event()
        const child = await start(mp.process(listen, [topic, ready, -1]))
        await ready.wait()
        const publishers = [range(100), range(100).map((n) => n + 1_000)]
        await Promise.all(
          publishers.map(async (messages) => (await start(mp.process(publishAll, [topic, messages]))).join()),
        )
        await topic.publish(-1)
        const heard = await take(here, 201)
        for (const messages of publishers) expect(heard.filter((n) => messages.includes(n))).toEqual(messages)
        expect(await child.result()).toEqual(heard)
        await here.return?.()
      },
    )

    checkTopic('who dies listens no longer, and disturbs nobody', async (topic, { mp, start }) => {
      const ready = mp.event()
      const child = await start(mp.process(listenIdly, [topic, ready]))
      await ready.wait()
      const here = topic[Symbol.asyncIterator]()
      await topic.publish(1)
      await child.kill()
      await topic.publish(2)
      expect(await take(here, 2)).toEqual([1, 2])
      await here.return?.()
    })

    checkTopic(
      'a loop that falls too far behind hears what it has, and then that it missed something',
      async (topic) => {
        const slow = topic[Symbol.asyncIterator]()
        const count = 10_050
        for (let n = 0; n < count; n += 50) await Promise.all(range(50).map((k) => topic.publish(n + k)))
        const heard: number[] = []
        const missed = (async () => {
          for await (const message of slow) heard.push(message)
        })()
        await expect(missed).rejects.toBeInstanceOf(CapacityError)
        await expect(missed).rejects.toThrow(/10000.*begin another loop/)
        expect(heard).toEqual(range(10_000))
        expect(await slow.next()).toEqual({ done: true, value: undefined })
        // Another one goes on.
        const next = topic[Symbol.asyncIterator]()
        await topic.publish(-1)
        expect(await take(next, 1)).toEqual([-1])
        await next.return?.()
      },
    )

    checkTopic('a loop that keeps up may hear any number', async (topic) => {
      const loop = topic[Symbol.asyncIterator]()
      for (let n = 0; n < 12_000; n += 100) {
        await Promise.all(range(100).map((k) => topic.publish(n + k)))
        expect(await take(loop, 100)).toEqual(range(100).map((k) => n + k))
      }
      await loop.return?.()
    })

    checkTopic('a topic that is destroyed ends its loops, here and elsewhere', async (topic, { mp, start }) => {
      const [ready, said] = [mp.event(), mp.queue<string>()]
      await start(mp.process(listenToTheEnd, [topic, ready, said]))
      await ready.wait()
      const loop = topic[Symbol.asyncIterator]()
      await topic.publish(1)
      expect(await said.get()).toBe('1')
      expect(await take(loop, 1)).toEqual([1])
      const waiting = expect(loop.next()).rejects.toBeInstanceOf(StateError)
      await topic.destroy()
      expect(await said.get()).toBe('StateError')
      await waiting
      await expect(topic.publish(2)).rejects.toBeInstanceOf(StateError)
    })

    check(
      'a message is what it was when it was published; one that cannot cross is refused',
      async ({ mp, unique }) => {
        const topic: Topic<unknown> = mp.topic(unique('news'))
        const loop = topic[Symbol.asyncIterator]()
        const message = [1]
        const sent = topic.publish(message)
        message.push(2)
        await sent
        await expect(topic.publish(() => {})).rejects.toBeInstanceOf(EncodeError)
        await topic.publish(new Map([['key', new Date(5)]]))
        expect(await take(loop, 2)).toEqual([[1], new Map([['key', new Date(5)]])])
        await topic.destroy()
      },
    )

    check('a topic has a name', async ({ mp }) => {
      for (const name of ['', 'a b', untyped(undefined), untyped({ name: 'x' })])
        expect(() => mp.topic(name)).toThrow(/topic\(\): a name has 1 to 128/)
    })
  })
}
