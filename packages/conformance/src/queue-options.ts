/** What is said of an item when it is put or given back: when it comes, before what, and whether it is there already. */
import { type DeadLetter, type Queue, QueueClosedError, TimeoutError } from '@skein/core'
import { expect } from 'vitest'
import { untyped } from './checking.ts'
import type { Suite } from './harness.ts'
import { failing, getOne, hold, putLater } from './targets/queue.ts'

/** Milliseconds that passed since `from`. */
const since = (from: number): number => performance.now() - from

export function queueOptionsSuite(suite: Suite): void {
  suite('queue: delay, priority, id', (check) => {
    check('a delayed item comes when its time has come, and not before', async ({ mp }) => {
      const queue = mp.queue<string>()
      const from = performance.now()
      await queue.put('later', { delay: 1_000 })
      expect(await queue.tryGet()).toBeNull()
      await queue.put('now')
      expect(await queue.get()).toBe('now')
      expect(await queue.get()).toBe('later')
      expect(since(from)).toBeGreaterThanOrEqual(999)
      await queue.join({ timeout: 0 })
    })

    check('who waits already gets a delayed item at its time', async ({ mp }) => {
      const queue = mp.queue<string>()
      const waits = [queue.get(), queue.get()]
      await queue.size()
      const from = performance.now()
      await queue.put('second', { delay: 120 })
      await queue.put('first', { delay: 60 })
      expect(await Promise.race(waits)).toBe('first')
      expect(since(from)).toBeGreaterThanOrEqual(59)
      expect((await Promise.all(waits)).toSorted()).toEqual(['first', 'second'])
      expect(since(from)).toBeGreaterThanOrEqual(119)
    })

    check('another process that waits gets it, too', async ({ mp, start }) => {
      const queue = mp.queue<string>()
      const child = await start(mp.process(getOne<string>, [queue]))
      await start(mp.process(putLater, [queue, 'later', 80]))
      expect(await child.result()).toBe('later')
    })

    check('the next in line gets the next delayed item when the first has gone', async ({ mp }) => {
      const queue = mp.queue<string>()
      const abort = new AbortController()
      const [first, second] = [queue.get({ signal: abort.signal }), queue.get()]
      const gone = expect(first).rejects.toThrow('enough')
      await queue.put('later', { delay: 100 })
      abort.abort(new Error('enough'))
      await gone
      expect(await second).toBe('later')
    })

    check('delayed items wait: they count, take room, and purge() drops them', async ({ mp }) => {
      const queue = mp.queue<number>({ maxSize: 2 })
      await queue.put(1, { delay: 60_000 })
      await queue.put(2)
      expect([await queue.size(), await queue.empty(), await queue.full()]).toEqual([2, false, true])
      expect(await queue.tryPut(3)).toBe(false)
      expect(await queue.get()).toBe(2)
      await expect(queue.join({ timeout: 10 })).rejects.toBeInstanceOf(TimeoutError)
      await expect(queue.get({ timeout: 10 })).rejects.toBeInstanceOf(TimeoutError)
      expect(await queue.purge()).toBe(1)
      await queue.join({ timeout: 0 })
      expect(await queue.size()).toBe(0)
    })

    check('a closed queue gives what is delayed before it ends', async ({ mp }) => {
      const queue = mp.queue<string>()
      await queue.put('late', { delay: 80 })
      await queue.close()
      expect(await queue.get()).toBe('late')
      await expect(queue.get()).rejects.toBeInstanceOf(QueueClosedError)
    })

    check('a put that waits for room is delayed from when it has room', async ({ mp }) => {
      const queue = mp.queue<string>({ maxSize: 1 })
      await queue.put('first')
      const put = queue.put('second', { delay: 60 })
      await queue.size()
      expect(await queue.get()).toBe('first')
      await put
      expect(await queue.get()).toBe('second')
      await expect(queue.put('x', { delay: 5, timeout: 0 })).resolves.toBeUndefined()
      await expect(queue.put('y', { delay: 5, timeout: 0 })).rejects.toBeInstanceOf(TimeoutError)
    })

    check('items without a priority come first, then 1, 2, …; the first of each before the second', async ({ mp }) => {
      const queue = mp.queue<string>()
      await queue.put('7a', { priority: 7 })
      await queue.put('1a', { priority: 1 })
      await queue.put('lowest', { priority: 2_097_151 })
      await queue.put('none a')
      await queue.put('7b', { priority: 7 })
      await queue.put('none b', { priority: 0 })
      await queue.put('1b', { priority: 1 })
      expect(await queue.size()).toBe(7)
      expect(await queue.getMany(10)).toEqual(['none a', 'none b', '1a', '1b', '7a', '7b', 'lowest'])
    })

    check('a delayed item has its priority when its time comes', async ({ mp }) => {
      const queue = mp.queue<string>()
      await queue.put('urgent', { priority: 1, delay: 50 })
      await queue.put('lax', { priority: 9 })
      await queue.put('plain, later', { delay: 50 })
      const got = await queue.get()
      expect(got).toBe('lax')
      const rest = [await queue.get(), await queue.get()]
      expect(rest.toSorted()).toEqual(['plain, later', 'urgent'])
    })

    check('what was given back comes first of its priority', async ({ mp }) => {
      const queue = mp.queue<string>()
      for (const item of ['a', 'b']) await queue.put(item, { priority: 3 })
      const first = await queue.receive()
      expect(first.value).toBe('a')
      await first.nack()
      expect(await queue.receive()).toMatchObject({ value: 'a', attempt: 2 })
      await queue.put('plain')
      expect(await queue.getMany(5)).toEqual(['plain', 'b'])
    })

    check('a second put of an id is ignored while the first waits, is delayed or is being handled', async ({ mp }) => {
      const queue = mp.queue<string>()
      await queue.put('first', { id: 'mail:7' })
      await queue.put('ignored', { id: 'mail:7' })
      await queue.put('another', { id: 'mail:8', delay: 60_000 })
      await queue.put('ignored', { id: 'mail:8' })
      expect(await queue.size()).toBe(2)
      const delivery = await queue.receive()
      expect(delivery.value).toBe('first')
      await queue.put('ignored', { id: 'mail:7' })
      expect(await queue.tryGet()).toBeNull()
      await delivery.nack()
      await queue.put('ignored', { id: 'mail:7' })
      expect(await queue.get()).toBe('first')
      await queue.put('again', { id: 'mail:7' })
      expect(await queue.get()).toBe('again')
      expect(await queue.purge()).toBe(1)
      await queue.put('after the purge', { id: 'mail:8' })
      expect(await queue.get()).toBe('after the purge')
      expect(await queue.tryGet()).toBeNull()
    })

    check('a put whose id is there needs no room', async ({ mp }) => {
      const queue = mp.queue<string>({ maxSize: 1 })
      await queue.put('first', { id: 'one' })
      await queue.put('ignored', { id: 'one' })
      expect(await queue.tryPut('full')).toBe(false)
      const waiting = queue.put('second', { id: 'two' })
      await queue.size()
      expect(await queue.get()).toBe('first')
      await waiting
      expect(await queue.get()).toBe('second')
    })

    check('an id is free again when its put was given up', async ({ mp }) => {
      const queue = mp.queue<string>({ maxSize: 1 })
      await queue.put('in the way')
      await expect(queue.put('given up', { id: 'one', timeout: 20 })).rejects.toBeInstanceOf(TimeoutError)
      expect(await queue.get()).toBe('in the way')
      await queue.put('taken', { id: 'one' })
      expect(await queue.get()).toBe('taken')
    })
  })

  suite('queue: given back', (check) => {
    check('nack({ delay }) gives the item back after that', async ({ mp }) => {
      const queue = mp.queue<string>()
      await queue.put('work')
      const delivery = await queue.receive()
      const from = performance.now()
      await delivery.nack({ delay: 80 })
      expect(await queue.size()).toBe(1)
      expect(await queue.tryGet()).toBeNull()
      const again = await queue.receive()
      expect(again).toMatchObject({ value: 'work', attempt: 2 })
      expect(since(from)).toBeGreaterThanOrEqual(79)
      await again.ack()
    })

    check('backoff is the delay of each nack(), unless it says another', async ({ mp }) => {
      const queue = mp.queue<string>({ backoff: 60 })
      await queue.put('work')
      const from = performance.now()
      await (await queue.receive()).nack()
      await (await queue.receive()).nack()
      const third = await queue.receive()
      expect(since(from)).toBeGreaterThanOrEqual(118)
      await third.nack({ delay: 0 })
      expect(await queue.tryGet()).toEqual({ value: 'work' })
    })

    check('backoff doubles up to its max, and travels with the handle', async ({ mp, start }) => {
      const queue = mp.queue<string>({ backoff: { base: 30, max: 50 }, maxDeliveries: 4 })
      await queue.put('work')
      const from = performance.now()
      for (const least of [0, 30, 80, 130]) {
        const delivery = await queue.receive()
        expect(since(from)).toBeGreaterThanOrEqual(least - 1)
        await delivery.nack({ error: new Error('not yet') })
      }
      expect(await queue.deadLetters.clear()).toBe(1)
      await start(mp.process(failing, [queue]))
      await queue.put('for the child')
      const [letter] = await letters(queue)
      expect(letter).toMatchObject({ value: 'for the child', attempts: 4, reason: 'as always' })
    })

    check('a death gives back at once, whatever the backoff', async ({ mp, start, deathKnownWithin }) => {
      const queue = mp.queue<string>({ backoff: 600_000 })
      const said = mp.queue<string>()
      await queue.put('work')
      const child = await start(mp.process(hold<string>, [queue, said]))
      await said.get()
      await child.kill()
      expect(await queue.receive({ timeout: deathKnownWithin + 10_000 })).toMatchObject({ value: 'work', attempt: 2 })
    })

    check('dead letters say what, how often, why and when', async ({ mp }) => {
      const queue = mp.queue<unknown>({ maxDeliveries: 2 })
      expect(await queue.deadLetters.list()).toEqual([])
      const before = Date.now()
      for (const item of [{ n: 1 }, 'second']) await queue.put(item)
      for (const error of [new Error('first time'), new Error('boom')]) await (await queue.receive()).nack({ error })
      for (const error of ['word', undefined]) await (await queue.receive()).nack({ error })
      const list = await queue.deadLetters.list()
      expect(list).toEqual([
        {
          id: expect.any(String) as string,
          value: { n: 1 },
          attempts: 2,
          reason: 'boom',
          at: expect.any(Number) as number,
        },
        {
          id: expect.any(String) as string,
          value: 'second',
          attempts: 2,
          reason: 'given back too often',
          at: expect.any(Number) as number,
        },
      ])
      for (const { at } of list) {
        expect(at).toBeGreaterThanOrEqual(before - 1_000)
        expect(at).toBeLessThanOrEqual(Date.now() + 1_000)
      }
      expect(await queue.size()).toBe(0)
      expect(await queue.deadLetters.clear()).toBe(2)
      expect(await queue.deadLetters.clear()).toBe(0)
      expect(await queue.deadLetters.list()).toEqual([])
    })

    check('a dead letter that is retried is as if newly put', async ({ mp }) => {
      const queue = mp.queue<string>({ maxDeliveries: 1 })
      await queue.put('poison', { priority: 2, id: 'one' })
      await (await queue.receive()).nack()
      await queue.join({ timeout: 0 })
      // Over, its id is free.
      await queue.put('same id', { id: 'one' })
      const [letter] = await queue.deadLetters.list()
      const waiting = queue.join()
      await queue.deadLetters.retry(letter?.id as string)
      expect(await queue.deadLetters.list()).toEqual([])
      const first = await queue.receive()
      expect(first).toMatchObject({ value: 'same id', attempt: 1 })
      await first.ack()
      await waiting
      const again = await queue.receive()
      expect(again).toMatchObject({ value: 'poison', attempt: 1 })
      await again.ack()
      await queue.join({ timeout: 0 })
      await expect(queue.deadLetters.retry(letter?.id as string)).rejects.toThrow(/no dead letter/)
      await expect(queue.deadLetters.retry('../x')).rejects.toThrow(/no dead letter/)
    })

    check('a retry wakes who waits, takes no heed of room, and is refused by a closed queue', async ({ mp }) => {
      const queue = mp.queue<string>({ maxDeliveries: 1, maxSize: 1 })
      for (const item of ['one', 'two']) {
        await queue.put(item)
        await (await queue.receive()).nack()
      }
      const [one, two] = (await queue.deadLetters.list()).map(({ id }) => id)
      const waiting = queue.get()
      await queue.deadLetters.retry(one as string)
      expect(await waiting).toBe('one')
      await queue.put('full')
      await queue.close()
      await expect(queue.deadLetters.retry(two as string)).rejects.toBeInstanceOf(QueueClosedError)
      expect(await queue.deadLetters.list()).toHaveLength(1)
    })

    check('dead letters outlive the queue that was closed, drained and opened again', async ({ mp, unique }) => {
      const name = unique('dead')
      const queue = mp.queue<string>({ name, maxDeliveries: 1 })
      await queue.put('poison')
      await (await queue.receive()).nack()
      await queue.close()
      await expect(queue.get()).rejects.toBeInstanceOf(QueueClosedError)
      const again = mp.queue<string>({ name, maxDeliveries: 1 })
      const [letter] = await again.deadLetters.list()
      expect(letter).toMatchObject({ value: 'poison' })
      await again.deadLetters.retry(letter?.id as string)
      expect(await again.get()).toBe('poison')
      await again.destroy()
    })

    check('inspect() counts what is delayed and what is dead', async ({ mp }) => {
      const queue = mp.queue<number>({ maxDeliveries: 1 })
      await queue.putMany([1, 2])
      await queue.put(3, { delay: 60_000 })
      await (await queue.receive()).nack()
      const { objects } = await mp.inspect()
      expect(objects.find(({ kind, name }) => kind === 'queue' && name === queue.name)).toMatchObject({
        depth: 2,
        delayed: 1,
        dead: 1,
      })
    })

    check('what is said wrongly of an item is refused in the call', async ({ mp }) => {
      const queue = mp.queue<number>()
      for (const delay of [-1, Number.NaN, Number.POSITIVE_INFINITY, 1e15, untyped('5'), untyped(null)])
        await expect(queue.put(1, { delay })).rejects.toThrow(/delay must be a number of milliseconds from 0/)
      for (const priority of [-1, 1.5, Number.NaN, 2_097_152, untyped('1'), untyped(null)])
        await expect(queue.put(1, { priority })).rejects.toThrow(/priority must be an integer from 0 to 2097151/)
      for (const id of ['', 'a b', '{x}', 'x'.repeat(129), untyped(7), untyped(null)])
        await expect(queue.put(1, { id })).rejects.toThrow(/id: a name has 1 to 128/)
      await expect(queue.put(1, untyped({ dealy: 5 }))).rejects.toThrow(/dealy.*delay/)
      for (const backoff of [-1, Number.NaN, untyped('5'), untyped({}), { base: -1 }, { base: 1, max: Number.NaN }])
        expect(() => mp.queue({ backoff })).toThrow(/queue\(\): backoff/)
      await queue.put(1)
      const delivery = await queue.receive()
      for (const delay of [-1, Number.NaN, untyped('5')])
        await expect(delivery.nack({ delay })).rejects.toThrow(/nack\(\): delay/)
      await delivery.ack()
      await expect(queue.deadLetters.retry(untyped(5))).rejects.toThrow(/id of a dead letter/)
      expect(await queue.size()).toBe(0)
    })
  })
}

/** The dead letters, as soon as there are any. */
async function letters<T>(queue: Queue<T>): Promise<DeadLetter<T>[]> {
  await queue.join()
  return queue.deadLetters.list()
}
