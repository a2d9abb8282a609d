/** A context that closes while another one of its process goes on: what waits through it ends, and what that asked for is the other one's. */
import { bind } from '@skein/core'
import type { Connection, Context } from '@skein/core'
import { expect } from 'vitest'
import { ascending, failureOf } from './checking.ts'
import type { Suite, Tools } from './harness.ts'
import { hear } from './targets/basic.ts'

/** Closes it; each of the waits, which are its own, rejects. */
export async function closes(context: Context, waits: readonly Promise<unknown>[]): Promise<void> {
  const failures = waits.map((wait) => failureOf(() => wait))
  // Answered after them, in the same stream.
  await context.inspect()
  await context.close()
  expect((await Promise.all(failures)).map((error) => (error as Error).name)).toEqual(waits.map(() => 'ClosedError'))
}

/** A pipe whose first end is the closing context's, and whose other end is not. */
async function pipeBetween(
  mp: Context,
  closing: Context,
  name: string,
): Promise<[Connection<number>, Connection<number>]> {
  const [here, there] = mp.pipe<number>()
  const post = mp.queue<Connection<number>>(name)
  await post.put(here)
  const end = await closing.queue<Connection<number>>(name).get()
  await post.destroy()
  return [end, there]
}

export function closingSuite(suite: Suite): void {
  suite('one of two contexts closes', (check) => {
    /** @param body with the context that closes, the one that stays, and a name for what they share */
    const checkTwo = (
      promise: string,
      body: (closing: Context, staying: Context, name: string, tools: Tools) => Promise<void>,
    ): void => check(promise, async (tools) => body(await tools.connect(), tools.mp, tools.unique('shared'), tools))

    for (const [what, permits] of [
      ['semaphore', (mp: Context, name: string) => mp.semaphore(1, name)],
      ['bounded semaphore', (mp: Context, name: string) => mp.boundedSemaphore(1, name)],
      ['semaphore whose permits are nobody’s', (mp: Context, name: string) => mp.semaphore(1, { name, owned: false })],
    ] as const) {
      checkTwo(`a ${what}: who waits for a permit`, async (closing, staying, name) => {
        const [its, ours] = [permits(closing, name), permits(staying, name)]
        const lease = await ours.acquire()
        const waits = [its.acquire(), its.with(() => 'held')]
        const behind = ours.acquire()
        await closes(closing, waits)
        await lease.release()
        await (await behind).release()
        expect(await ours.value()).toBe(1)
        await ours.destroy()
      })
    }

    checkTwo('a rwlock: who waits to read or to write', async (closing, staying, name) => {
      const [its, ours] = [closing.rwlock(name), staying.rwlock(name)]
      const lease = await ours.write.acquire()
      const waits = [its.read.acquire(), its.write.acquire(), its.read.with(() => 'held')]
      const behind = ours.read.acquire()
      await closes(closing, waits)
      await lease.release()
      await (await behind).release()
      expect(await ours.write.locked()).toBe(false)
      await ours.destroy()
    })

    checkTwo('an event and a latch: who waits', async (closing, staying, name) => {
      const [event, latch] = [staying.event(name), staying.latch(1, name)]
      const ours = [event.wait(), latch.wait()]
      await closes(closing, [closing.event(name).wait(), closing.latch(1, name).wait()])
      await event.set()
      await latch.countDown()
      await Promise.all(ours)
      await Promise.all([event.destroy(), latch.destroy()])
    })

    checkTwo('a barrier: a party that leaves so breaks it', async (closing, staying, name) => {
      const barrier = staying.barrier(3, name)
      const ours = failureOf(() => barrier.wait())
      await closes(closing, [closing.barrier(3, name).wait()])
      expect(await ours).toMatchObject({ name: 'BrokenBarrierError' })
      await barrier.destroy()
    })

    checkTwo('a barrier: the party leaves that runs the action', async (closing, staying, name) => {
      const [said, words] = [staying.queue<number>(), staying.queue<string>()]
      const barrier = staying.barrier(2, name)
      const ours = failureOf(() => barrier.wait())
      expect(await barrier.waiting()).toBe(1)
      const its = closing.barrier(2, { name, action: bind(hear<string>, said, words) }).wait()
      await said.get()
      await closing.close()
      await words.put('done')
      expect(await failureOf(() => its)).toMatchObject({ name: 'ClosedError' })
      expect(await ours).toMatchObject({ name: 'BrokenBarrierError' })
      await barrier.destroy()
    })

    checkTwo('a queue: who waits for an item, in every way', async (closing, staying, name) => {
      const [its, ours] = [closing.queue<number>(name), staying.queue<number>(name)]
      const loop = its[Symbol.asyncIterator]()
      const waits = [its.get(), its.receive(), its.getMany(2), its.consume(() => {}, { concurrency: 2 }), loop.next()]
      const behind = ours.get()
      await closes(closing, waits)
      await ours.put(1)
      await ours.put(2)
      expect(await behind).toBe(1)
      expect(await ours.get()).toBe(2)
      expect(await ours.tryGet()).toBeNull()
      await ours.destroy()
    })

    checkTwo('a queue: who waits for room', async (closing, staying, name) => {
      const options = { name, maxSize: 1 }
      const [its, ours] = [closing.queue<string>(options), staying.queue<string>(options)]
      await ours.put('first')
      const waits = [its.put('never'), its.putMany(['never', 'either'])]
      const behind = ours.put('second')
      await closes(closing, waits)
      expect(await ours.get()).toBe('first')
      await behind
      expect(await ours.get()).toBe('second')
      expect(await ours.tryGet()).toBeNull()
      await ours.destroy()
    })

    checkTwo('a queue: what is put, with nobody waiting for that, is there', async (closing, staying, name) => {
      const put = closing.queue<string>(name).put('in time')
      await closing.close()
      await put
      expect(await staying.queue<string>(name).get()).toBe('in time')
      await staying.queue(name).destroy()
    })

    checkTwo('a queue to join: who waits for an item or the end of the work', async (closing, staying, name) => {
      const [its, ours] = [closing.joinableQueue<number>(name), staying.joinableQueue<number>(name)]
      await ours.put(1)
      expect(await ours.get()).toBe(1)
      const joined = ours.join()
      await closes(closing, [its.join(), its.get()])
      await ours.taskDone()
      await joined
      await ours.destroy()
    })

    checkTwo('a queue: what it holds goes back, in its order, as delivered once', async (closing, staying, name) => {
      const [its, ours] = [closing.queue<number>(name), staying.queue<number>(name)]
      await ours.putMany([1, 2, 3])
      const held = [await its.receive(), await its.receive()]
      const kept = await ours.receive()
      const other = await its.tryGet()
      expect([held.map(({ value }) => value), kept.value, other]).toEqual([[1, 2], 3, null])
      await closing.close()
      for (const delivery of held) {
        expect(await failureOf(() => delivery.ack())).toMatchObject({ name: 'LeaseLostError' })
        expect(delivery.signal.aborted).toBe(true)
      }
      const again = [await ours.receive(), await ours.receive()]
      expect(again.map(({ value, attempt }) => [value, attempt])).toEqual([
        [1, 2],
        [2, 2],
      ])
      for (const delivery of [kept, ...again]) await delivery.ack()
      await ours.destroy()
    })

    checkTwo('a queue to join: what it got and has not done goes back', async (closing, staying, name) => {
      const [its, ours] = [closing.joinableQueue<number>(name), staying.joinableQueue<number>(name)]
      await ours.putMany([1, 2])
      expect([await its.get(), await ours.get()]).toEqual([1, 2])
      await closing.close()
      await ours.taskDone()
      expect(await ours.get()).toBe(1)
      await ours.taskDone()
      await ours.join({ timeout: 0 })
      await ours.destroy()
    })

    checkTwo('a pipe: who waits for a message', async (closing, staying, name) => {
      const [end, there] = await pipeBetween(staying, closing, name)
      await closes(closing, [end.recv(), end.recvBytes(), end.poll(Number.POSITIVE_INFINITY), closing.wait([end])])
      await there.send(1)
      await there.destroy()
    })

    checkTwo('a topic: who listens', async (closing, staying, name) => {
      const [topic, its] = [staying.topic<number>(name), closing.topic<number>(name)]
      const ours = topic[Symbol.asyncIterator]()
      const [waiting, idle] = [its[Symbol.asyncIterator](), its[Symbol.asyncIterator]()]
      await closes(closing, [waiting.next()])
      expect(await failureOf(() => idle.next())).toMatchObject({ name: 'ClosedError' })
      await topic.publish(1)
      expect(await ours.next()).toEqual({ done: false, value: 1 })
      await topic.destroy()
    })

    checkTwo('what nobody else knows: who waits for it hears of the close, not that it is gone', async (closing) => {
      const [lock, queue, [end]] = [closing.lock(), closing.queue(), closing.pipe()]
      await lock.acquire()
      const waits = [lock.acquire(), queue.get(), closing.event().wait(), closing.barrier(2).wait(), end.recv()]
      await closes(closing, waits)
      // Gone already.
      await Promise.all([lock.destroy(), queue.destroy(), end.destroy()])
    })

    checkTwo('what comes in the moment of the close is had by one of the two', async (_first, staying, name, tools) => {
      const ours = staying.queue<number>(name)
      const had: number[] = []
      for (let n = 0; n < 20; n += 1) {
        const closing = await tools.connect()
        const its = closing.queue<number>(name)
        const gets = [its.get(), its.get(), its.getMany(2), its.tryGet()].map(async (get) => {
          try {
            return [(await get) ?? []].flat().map((one) => (typeof one === 'number' ? one : one.value))
          } catch {
            return [] // it was closed first
          }
        })
        if (n % 2 === 0) await closing.inspect()
        await Promise.all([ours.put(n), closing.close()])
        had.push(...(await Promise.all(gets)).flat())
        if (!had.includes(n)) had.push(await ours.get())
      }
      expect(ascending(had)).toEqual(Array.from({ length: 20 }, (_, n) => n))
      expect(await ours.size()).toBe(0)
      await ours.destroy()
    })
  })
}
