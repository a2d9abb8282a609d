/** Queues of several programs on one Redis. */
import { ConflictError, LeaseLostError, QueueClosedError, StateError, TimeoutError } from '@skein/core'
import { describe, expect, test } from 'vitest'
import { useStage, type World } from './queue-world.ts'

const stage = useStage()

describe('one program', () => {
  test('items come in order, and are gone when taken', async () => {
    const one = (await stage.program()).process()
    const queue = one.queue<unknown>('a')
    for (const item of [1, 'two', { three: 3 }]) await queue.put(item)
    expect(await queue.size()).toBe(3)
    expect([await queue.get(), await queue.get(), await queue.get()]).toEqual([1, 'two', { three: 3 }])
    expect(await queue.tryGet()).toBeNull()
    await queue.join({ timeout: 0 })
  })

  test('puts and gets that are not awaited', async () => {
    const queue = (await stage.program()).process().queue<number>('a')
    const items = Array.from({ length: 100 }, (_, index) => index)
    const puts = items.map((item) => queue.put(item))
    const gets = items.map(() => queue.get())
    expect(await Promise.all(gets)).toEqual(items)
    await Promise.all(puts)
  })

  test('maxSize, waiting puts in order, polls', async () => {
    const queue = (await stage.program()).process().queue<number>('a', { maxSize: 2 })
    const puts = [0, 1, 2, 3, 4].map((item) => queue.put(item))
    await Promise.all(puts.slice(0, 2))
    expect(await queue.full()).toBe(true)
    expect(await queue.tryPut(99)).toBe(false)
    await expect(queue.put(99, { timeout: 20 })).rejects.toBeInstanceOf(TimeoutError)
    const got: number[] = []
    for (let n = 0; n < 5; n += 1) got.push(await queue.get())
    expect(got).toEqual([0, 1, 2, 3, 4])
    await Promise.all(puts)
    expect(await queue.tryGet()).toBeNull()
  })

  test('waits that are given up take nothing', async () => {
    const queue = (await stage.program()).process().queue<string>('a')
    await expect(queue.get({ timeout: 20 })).rejects.toBeInstanceOf(TimeoutError)
    const patient = queue.get()
    const abort = new AbortController()
    const given = expect(queue.get({ signal: abort.signal })).rejects.toThrow('enough')
    await queue.size()
    abort.abort(new Error('enough'))
    await given
    await queue.put('kept')
    expect(await patient).toBe('kept')
  })

  test('receive, ack, nack, dead letters', async () => {
    const world = await stage.program()
    const queue = world.process().queue<string>('a', { maxDeliveries: 2 })
    await queue.put('work')
    const first = await queue.receive()
    expect(first.attempt).toBe(1)
    await first.nack()
    await expect(first.ack()).rejects.toBeInstanceOf(LeaseLostError)
    const waiting = queue.receive()
    const second = await waiting
    expect(second.attempt).toBe(2)
    await second.nack()
    await queue.join({ timeout: 0 })
    expect(await stage.redis.ask('ZCARD', `{${stage.namespace}:queue:a}:q:failed`)).toBe(1)
    await queue.put('more')
    const third = await queue.receive()
    const joined = queue.join()
    await third.ack()
    await joined
  })

  test('close: putters are refused, getters drain; reopened by the next mention', async () => {
    const one = (await stage.program()).process()
    const queue = one.queue<number>('a', { maxSize: 1 })
    await queue.put(1)
    const putting = expect(queue.put(2)).rejects.toBeInstanceOf(QueueClosedError)
    await queue.size()
    await queue.close()
    await putting
    await expect(queue.put(3)).rejects.toBeInstanceOf(QueueClosedError)
    expect(await queue.get()).toBe(1)
    await expect(queue.get()).rejects.toBeInstanceOf(QueueClosedError)
    const again = one.queue<number>('a', { maxSize: 1 })
    await again.put(5)
    expect(await again.get()).toBe(5)
    await expect(queue.put(6)).rejects.toBeInstanceOf(QueueClosedError)
  })

  test('a nameless queue leaves no key behind', async () => {
    const world = await stage.program()
    const one = world.process()
    const name = one.mp.anonymousName()
    const queue = one.queue<number>(name)
    await queue.put(1)
    const delivery = await queue.receive()
    expect(delivery.value).toBe(1)
    await queue.put(2)
    expect(world.owned).toEqual(new Set([`queue ${name}`]))
    one.kill()
    await world.settled()
    expect(await stage.redis.ask('KEYS', `{${stage.namespace}:*`)).toEqual([])
    expect(world.owned.size).toBe(0)
  })

  test('destroyed: who waits is told, and nothing is left', async () => {
    const world = await stage.program()
    const one = world.process()
    const queue = one.queue<number>('a')
    await queue.put(0)
    await queue.get()
    const other = world.process().queue<number>('a')
    const waiting = [queue, other].map(async (it) => {
      const got = it.get()
      await expect(got).rejects.toBeInstanceOf(StateError)
      await expect(got).rejects.toThrow(`was destroyed by ${one.session.process.name}`)
    })
    await Promise.all([queue.size(), other.size()])
    await queue.destroy()
    await Promise.all(waiting)
    await queue.destroy()
    await expect(queue.put(1)).rejects.toBeInstanceOf(StateError)
    expect(await stage.redis.ask('KEYS', `{${stage.namespace}:*`)).toEqual([])
  })
})

describe('a process of the program', () => {
  test('that dies gives back what it held, to the front, the attempt counted', async () => {
    const world = await stage.program()
    const [one, two] = [world.process(), world.process()]
    const mine = one.queue<number>('a')
    const theirs = two.queue<number>('a')
    for (const item of [1, 2, 3]) await mine.put(item)
    expect((await theirs.receive()).value).toBe(1)
    expect((await theirs.receive()).value).toBe(2)
    void theirs.receive()
    await theirs.size()
    two.kill()
    const back = [await mine.receive(), await mine.receive(), await mine.receive()]
    expect(back.map(({ value, attempt }) => [value, attempt])).toEqual([
      [1, 2],
      [2, 2],
      [3, expect.any(Number)],
    ])
  })

  test('that dies in line holds nobody up', async () => {
    const world = await stage.program()
    const [one, two] = [world.process(), world.process()]
    const theirs = two.queue<number>('a')
    void theirs.get().catch(() => undefined)
    await theirs.size()
    const mine = one.queue<number>('a')
    const waiting = mine.get()
    await mine.size()
    two.kill()
    await mine.put(1)
    expect(await waiting).toBe(1)
  })

  test('that is stopped loses its deliveries, and waits on when it speaks again (bull#1416)', async () => {
    const world = await stage.program()
    const [one, two] = [world.process(), world.process()]
    const mine = one.queue<number>('a')
    const theirs = two.queue<number>('a')
    await mine.put(1)
    const held = await theirs.receive()
    const waiting = theirs.get()
    await theirs.size()
    world.suspend(two)
    const again = await mine.receive()
    expect(again).toMatchObject({ value: 1, attempt: 2 })
    await expect(held.ack()).rejects.toBeInstanceOf(LeaseLostError)
    await again.ack()
    await mine.put(2)
    expect(await mine.get()).toBe(2)
    world.resume(two)
    await mine.put(3)
    expect(await waiting).toBe(3)
  })
})

describe('several programs', () => {
  test('getters are served in the order of asking, by messages alone', async () => {
    const worlds2 = await Promise.all([stage.program(60_000), stage.program(60_000), stage.program(60_000)])
    const [a, b, c] = worlds2.map((world) => world.process().queue<number>('a')) as [Q, Q, Q]
    const order: string[] = []
    const gets: Promise<unknown>[] = []
    for (const [name, queue] of [
      ['b', b],
      ['c', c],
      ['b again', b],
      ['a', a],
    ] as const) {
      gets.push(queue.get().then((item) => order.push(`${name} ${String(item)}`)))
      await queue.size()
    }
    for (const [index, get] of gets.entries()) {
      await a.put(index)
      await get
    }
    expect(order).toEqual(['b 0', 'c 1', 'b again 2', 'a 3'])
  })

  test('putters wait for room across programs', async () => {
    const [one, two] = [await stage.program(60_000), await stage.program(60_000)]
    const a = one.process().queue<number>('a', { maxSize: 1 })
    const b = two.process().queue<number>('a', { maxSize: 1 })
    await a.put(1)
    const second = b.put(2)
    await b.size()
    const third = a.put(3)
    await a.size()
    expect([await b.get(), await b.get(), await b.get()]).toEqual([1, 2, 3])
    await Promise.all([second, third])
  })

  test('a lost message is made up for by a look', async () => {
    const [one, two] = [await stage.program(50), await stage.program(50)]
    const a = one.process().queue<number>('a')
    const b = two.process().queue<number>('a')
    two.deaf = true
    const waiting = b.get()
    await b.size()
    await a.put(1)
    expect(await waiting).toBe(1)
  })

  test('what a dead program held comes back, and its places in line hold nobody up', async () => {
    const [one, two] = [await stage.program(50), await stage.program(50)]
    const a = one.process().queue<number>('a', { maxSize: 2 })
    const b = two.process().queue<number>('a', { maxSize: 2 })
    await a.put(1)
    await a.put(2)
    expect((await b.receive()).value).toBe(1)
    void b.put(3).catch(() => undefined)
    await b.size()
    two.crash()
    stage.dead.add(two.sid)
    const got = [await a.receive(), await a.receive()].map(({ value, attempt }) => [value, attempt])
    expect(got).toEqual([
      [2, 1],
      [1, 2],
    ])
  })

  test('a death is heard of', async () => {
    const [one, two] = [await stage.program(60_000), await stage.program(60_000)]
    const a = one.process().queue<number>('a')
    const b = two.process().queue<number>('a')
    await a.put(1)
    await b.receive()
    const waiting = a.receive()
    await a.size()
    two.crash()
    one.hear(two.sid)
    expect(await waiting).toMatchObject({ value: 1, attempt: 2 })
  })

  test('closing is heard by those who wait elsewhere', async () => {
    const [one, two] = [await stage.program(60_000), await stage.program(60_000)]
    const a = one.process().queue<number>('a', { maxSize: 1 })
    const b = two.process().queue<number>('a', { maxSize: 1 })
    await a.put(1)
    const held = await a.receive()
    const put = expect(b.put(2)).rejects.toBeInstanceOf(QueueClosedError)
    const get = expect(b.get()).rejects.toBeInstanceOf(QueueClosedError)
    await b.size()
    await a.close()
    await put
    await held.ack()
    await get
  })

  test('another shape is a conflict', async () => {
    const [one, two] = [await stage.program(), await stage.program()]
    await one.process().queue<number>('a', { maxSize: 3 }).put(1)
    const other = two.process().queue<number>('a', { maxSize: 4 })
    await expect(other.put(1)).rejects.toBeInstanceOf(ConflictError)
    await expect(other.size()).rejects.toBeInstanceOf(ConflictError)
  })

  test('join waits for what others hold', async () => {
    const [one, two] = [await stage.program(60_000), await stage.program(60_000)]
    const a = one.process().queue<number>('a')
    const b = two.process().queue<number>('a')
    await a.put(1)
    const delivery = await b.receive()
    const joined = a.join()
    await a.size()
    await a.put(2)
    await delivery.ack()
    await joined
    expect(await a.size()).toBe(1)
  })
})

type Q = ReturnType<Awaited<ReturnType<World['process']>>['queue']>
