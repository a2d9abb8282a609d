/** Queues whose connection, session or server is lost, or whose server is full. */
import { LeaseLostError, type Queue, StateError } from '@skein/core'
import { type HandleRef, handleRef } from '@skein/core/adapter'
import { expect, test } from 'vitest'
import { RedisQueueObject } from '../src/supervisor/redis-queue-object.ts'
import { cutting, useStage } from './queue-world.ts'

const stage = useStage()

test('session lost: deliveries come back, waiting calls go on', async () => {
  const [one, two] = [await stage.program(100), await stage.program(100)]
  const a = one.process().queue<number>('a', { maxSize: 1 })
  const b = two.process().queue<number>('a', { maxSize: 1 })
  await a.put(1)
  const held = await a.receive()
  const putting = a.put(2)
  const getting = a.get()
  await a.size()
  stage.dead.add(one.sid)
  one.lose()
  await one.bear()
  await expect(held.ack()).rejects.toBeInstanceOf(LeaseLostError)
  expect(await getting).toBe(1)
  await putting
  expect(await b.get()).toBe(2)
})

test('connections cut at random: nothing is lost or doubled', async () => {
  const world = await stage.program(50)
  const [one, two] = [world.process(), world.process()]
  const a = one.queue<number>('a', { maxSize: 5 })
  const b = two.queue<number>('a', { maxSize: 5 })
  const items = Array.from({ length: 300 }, (_, index) => index)
  const produce = (async () => {
    for (const item of items) await a.put(item)
    await a.close()
  })()
  const got: number[] = []
  const consumed = b.consume((item) => {
    got.push(item)
  })
  await cutting(stage.redis, Promise.all([produce, consumed]))
  expect(got).toEqual(items)
}, 30_000)

test('restarted empty: who waits waits on', async () => {
  const world = await stage.program(50)
  const queue = world.process().queue<number>('b')
  const waiting = queue.get()
  await queue.size()
  await stage.redis.restart({ empty: true })
  world.lose()
  await world.bear()
  await queue.put(7)
  expect(await waiting).toBe(7)
})

test('a full store refuses puts, and only them', async () => {
  const world = await stage.program()
  const queue = world.process().queue<string>('a')
  for (const item of ['a', 'b', 'c']) await queue.put(item)
  await stage.redis.config('maxmemory', '1mb')
  try {
    await expect(queue.put('d')).rejects.toMatchObject({ name: 'CapacityError' })
    await (await queue.receive()).ack()
    await (await queue.receive()).nack()
    expect(await queue.get()).toBe('b')
    expect(await queue.get()).toBe('c')
  } finally {
    await stage.redis.config('maxmemory', '0')
  }
})

test('a put under way when the session is lost is put once', async () => {
  const world = await stage.program(50)
  const queue = world.process().queue<number>('a')
  await queue.size()
  for (let turns = 1; turns < 6; turns += 1) {
    const put = queue.put(turns)
    for (let turn = 0; turn < turns; turn += 1) await new Promise(setImmediate)
    world.lose()
    await world.bear()
    await put
    expect(await queue.size()).toBe(1)
    expect(await queue.get()).toBe(turns)
  }
})

test('who waited while its program was away stands in no line when the queue was destroyed meanwhile', async () => {
  const [one, two] = [await stage.program(), await stage.program(50)]
  const [mine, theirs] = [one.process().queue<number>('a'), two.process().queue<number>('a')]
  const getting = theirs.get()
  await theirs.size()
  two.store.closeGate()
  // It asks once more.
  const before = two.calls.length
  await expect.poll(() => two.calls.length).toBeGreaterThan(before)
  await mine.destroy()
  await expect(getting).rejects.toBeInstanceOf(StateError)
  two.store.resume(two.store.met())
  await two.settled()
  const next = one.process().queue<number>('a')
  await next.put(1)
  expect(await next.get({ timeout: 5_000 })).toBe(1)
})

test('a program that loses sight of a queue which is there still gives back what its processes hold', async () => {
  const [one, two] = [await stage.program(), await stage.program()]
  const [creator, other] = [one.process(), two.process()]
  const name = creator.mp.anonymousName()
  const mine = creator.queue<number>(name)
  await mine.put(1)
  const shape = { maxSize: Infinity, maxDeliveries: 5 }
  const object = two.broker.add(new RedisQueueObject(name, shape, two.around, other.session, true))
  const theirs = other.mp.attach(Reflect.get(mine, handleRef) as HandleRef) as Queue<number>
  await theirs.receive()
  object.remove?.(new StateError('its keeper cannot be heard'))
  expect(await mine.get({ timeout: 5_000 })).toBe(1)
})
