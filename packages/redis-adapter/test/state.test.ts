/** What calls wait on, where messages, answers, connections and sessions are lost: everybody is answered once, and nobody stays behind. */
import { type Latch, type Semaphore, StateError } from '@skein/core'
import { expect, test } from 'vitest'
import { cutting, useStage, type World } from './queue-world.ts'

const stage = useStage()

const counter = { name: 'a', permits: 0, bounded: false, owned: false }
const counterOf = (world: World, permits = 0): Semaphore => world.process().mp.semaphore({ ...counter, permits })
const latchOf = (world: World, count: number): Latch => world.process().mp.latch({ name: 'a', count })
const keyOf = (part: string): string => `{${stage.namespace}:semaphore:a}:${part}`

/** How many stand in the line of an event. */
async function standing(count: number, name = 'a'): Promise<void> {
  const key = `{${stage.namespace}:event:${name}}:q`
  await expect.poll(() => stage.redis.ask('ZCARD', key), { interval: 5 }).toBe(count)
}

/** All that Redis keeps of an event but its state. */
const kept = (): Promise<unknown> =>
  stage.redis.ask('EXISTS', ...['q', 'i', 'a'].map((part) => `{${stage.namespace}:event:a}:${part}`))

test('set() in one program wakes those who wait in another, and what they were told is not kept', async () => {
  const [one, two] = [await stage.program(), await stage.program()]
  const [setter, waiter] = [one.process().mp.event({ name: 'a' }), two.process().mp.event({ name: 'a' })]
  const waits = [waiter.wait(), waiter.wait(), setter.wait()]
  await standing(3)
  await setter.set()
  await Promise.all(waits)
  await expect.poll(() => kept()).toBe(0)
})

test('a message that was lost is made up for by a look: also of a set() that was followed by clear()', async () => {
  const [one, two] = [await stage.program(), await stage.program(50)]
  const [setter, waiter] = [one.process().mp.event({ name: 'a' }), two.process().mp.event({ name: 'a' })]
  two.deaf = true
  const waits = [waiter.wait(), waiter.wait(), waiter.wait()]
  await standing(3)
  await setter.set()
  await setter.clear()
  await Promise.all(waits)
  await expect.poll(() => kept()).toBe(0)
})

test('who waits across the loss of a session hears of a set() that it missed', async () => {
  const [one, two] = [await stage.program(), await stage.program()]
  const [setter, waiter] = [one.process().mp.event({ name: 'a' }), two.process().mp.event({ name: 'a' })]
  const [answered, reaped] = [waiter.wait(), waiter.wait()]
  await waiter.isSet()
  two.lose()
  await setter.set()
  await setter.clear()
  await two.bear()
  await answered
  await reaped
  // The same when the others have buried the program meanwhile.
  const again = waiter.wait()
  // The answer to a later call is there: so is the one that it stands in line.
  await waiter.isSet()
  const old = two.sid
  two.lose()
  one.hear(old)
  await standing(0)
  await setter.set()
  await setter.clear()
  await two.bear()
  await again
  await expect.poll(() => kept()).toBe(0)
})

test('who waits when Redis comes back empty waits on for the next set()', async () => {
  const [one, two] = [await stage.program(50), await stage.program(50)]
  const [setter, waiter] = [one.process().mp.event({ name: 'a' }), two.process().mp.event({ name: 'a' })]
  await setter.set()
  await setter.clear()
  let woken = false
  const waiting = waiter.wait().then(() => (woken = true))
  await standing(1)
  await stage.redis.ask('FLUSHALL')
  for (const world of [one, two]) {
    world.lose()
    await world.bear()
  }
  await standing(1)
  expect(woken).toBe(false)
  await setter.set()
  await waiting
})

test('a program that dies leaves its place in line, and what it was told', async () => {
  const [one, two] = [await stage.program(50), await stage.program(50)]
  const [setter, victim] = [one.process().mp.event({ name: 'a' }), two.process().mp.event({ name: 'a' })]
  void victim.wait().catch(() => undefined)
  await standing(1)
  two.crash()
  stage.dead.add(two.sid)
  // Nobody tells of the death: whoever waits behind it asks.
  const waiting = setter.wait()
  await standing(1)
  await setter.set()
  await waiting
  await expect.poll(() => kept()).toBe(0)
})

test('an event that another program destroys rejects who waits for it, and its name is free again', async () => {
  const [one, two] = [await stage.program(), await stage.program()]
  const [destroyer, waiter] = [one.process().mp.event({ name: 'a' }), two.process().mp.event({ name: 'a' })]
  await destroyer.set()
  await destroyer.clear()
  const waiting = expect(waiter.wait()).rejects.toThrow(/event "a" was destroyed by main/)
  await standing(1)
  await destroyer.destroy()
  await waiting
  const fresh = two.process().mp.event({ name: 'a' })
  expect(await fresh.isSet()).toBe(false)
})

test('a nameless event is used by another program as long as its creator lives, and then no longer', async () => {
  const [one, two] = [await stage.program(50), await stage.program(50)]
  const creator = one.process()
  const name = creator.mp.anonymousName()
  const event = creator.mp.event({ name })
  // As a program has it that was sent the handle.
  const elsewhere = two.process().mp.event({ name })
  const waiting = elsewhere.wait()
  await standing(1, name)
  await event.set()
  await waiting
  await event.clear()
  const rejected = expect(elsewhere.wait()).rejects.toBeInstanceOf(StateError)
  await standing(1, name)
  creator.kill()
  await rejected
  await expect(elsewhere.isSet()).rejects.toBeInstanceOf(StateError)
  await expect(two.process().mp.event({ name }).set()).rejects.toThrow(/ended with its creator/)
  await expect.poll(() => stage.redis.ask('KEYS', `{${stage.namespace}:event:*`)).toEqual([])
})

test('with all connections cut again and again, each set() wakes everybody once', async () => {
  const [one, two] = [await stage.program(50), await stage.program(50)]
  const [mine, theirs] = [one.process().mp, two.process().mp]
  const [ping, pong] = [mine.event({ name: 'a' }), mine.event({ name: 'b' })]
  const [pinged, ponged] = [theirs.event({ name: 'a' }), theirs.event({ name: 'b' })]
  const rounds = 300
  const here = (async () => {
    for (let round = 0; round < rounds; round += 1) {
      await ping.set()
      await pong.wait()
      await pong.clear()
    }
  })()
  const there = (async () => {
    for (let round = 0; round < rounds; round += 1) {
      await pinged.wait()
      await pinged.clear()
      await ponged.set()
    }
  })()
  await cutting(stage.redis, Promise.all([here, there]))
  expect(await ping.isSet()).toBe(false)
  expect(await pong.isSet()).toBe(false)
  await expect.poll(() => kept()).toBe(0)
}, 60_000)

test('a wait that is refused by a full store says so; those who stand in line are served all the same', async () => {
  const [one, two] = [await stage.program(50), await stage.program(50)]
  const [setter, waiter] = [one.process().mp.event({ name: 'a' }), two.process().mp.event({ name: 'a' })]
  const waiting = waiter.wait()
  await standing(1)
  await stage.redis.config('maxmemory', '1mb')
  try {
    await expect(waiter.wait()).rejects.toMatchObject({ name: 'CapacityError' })
    await setter.set()
    await waiting
  } finally {
    await stage.redis.config('maxmemory', '0')
  }
})

test('each countDown() counts once, with all connections cut again and again', async () => {
  const [one, two] = [await stage.program(50), await stage.program(50)]
  const total = 400
  const [mine, theirs] = [latchOf(one, total), latchOf(two, total)]
  const opened = [mine.wait(), theirs.wait()]
  const counted = async (latch: Latch): Promise<number[]> => {
    const left: number[] = []
    for (let turn = 0; turn < total / 2; turn += 1) left.push(await latch.countDown())
    return left
  }
  const counting = Promise.all([counted(mine), counted(theirs)])
  await cutting(stage.redis, counting)
  const left = (await counting).flat().toSorted((a, b) => a - b)
  expect(left).toEqual(Array.from({ length: total }, (_, each) => each))
  await Promise.all(opened)
}, 60_000)

test('a latch of another count in another program is a conflict', async () => {
  const [one, two] = [await stage.program(), await stage.program()]
  const [mine, theirs] = [latchOf(one, 2), latchOf(two, 3)]
  expect(await mine.countDown()).toBe(1)
  await expect(theirs.countDown()).rejects.toThrow(/count of 2, 3 was asked for/)
  await expect(theirs.wait()).rejects.toMatchObject({ name: 'ConflictError' })
  expect(await mine.count()).toBe(1)
})

test('each permit of a semaphore that nobody owns is given and taken once, with all connections cut again and again', async () => {
  const [one, two] = [await stage.program(50), await stage.program(50)]
  const [mine, theirs] = [counterOf(one), counterOf(two)]
  const rounds = 300
  const taking = [mine, theirs].map(async (semaphore) => {
    const tokens: number[] = []
    for (let turn = 0; turn < rounds; turn += 1) tokens.push((await semaphore.acquire()).token)
    return tokens
  })
  const giving = [mine, theirs].map(async (semaphore) => {
    for (let turn = 0; turn < rounds; turn += 1) await semaphore.release()
  })
  await cutting(stage.redis, Promise.all([...taking, ...giving]))
  expect(new Set((await Promise.all(taking)).flat()).size).toBe(2 * rounds)
  expect(await mine.value()).toBe(0)
  await expect.poll(() => stage.redis.ask('EXISTS', ...['q', 'i', 'a'].map(keyOf))).toBe(0)
}, 60_000)

test('a permit on its way to a program that dies goes to the next one in line', async () => {
  const [one, two, three] = [await stage.program(50), await stage.program(50), await stage.program(50)]
  const [giver, victim, next] = [counterOf(one), counterOf(two), counterOf(three)]
  void victim.acquire().catch(() => undefined)
  await expect.poll(() => stage.redis.ask('ZCARD', keyOf('q'))).toBe(1)
  const got = next.acquire()
  await expect.poll(() => stage.redis.ask('ZCARD', keyOf('q'))).toBe(2)
  two.crash()
  await giver.release()
  stage.dead.add(two.sid)
  await got
  expect(await giver.value()).toBe(0)
})

test('a process that is stopped takes no permit, and waits again when it goes on', async () => {
  const world = await stage.program()
  const [stopped, other] = [world.process(), world.process()]
  const first = stopped.mp.semaphore(counter).acquire()
  await expect.poll(() => stage.redis.ask('ZCARD', keyOf('q'))).toBe(1)
  const second = other.mp.semaphore(counter).acquire()
  await expect.poll(() => stage.redis.ask('ZCARD', keyOf('q'))).toBe(2)
  world.suspend(stopped)
  await other.mp.semaphore(counter).release()
  await second
  world.resume(stopped)
  await other.mp.semaphore(counter).release()
  await first
})

test('a permit that was taken stays taken when the session of its program is lost', async () => {
  const [one, two] = [await stage.program(), await stage.program()]
  const [mine, theirs] = [counterOf(one, 2), counterOf(two, 2)]
  await theirs.acquire()
  const old = two.sid
  two.lose()
  one.hear(old)
  await two.bear()
  expect(await mine.value()).toBe(1)
})

test('semaphores with and without owners under one name are a conflict, whichever program was first', async () => {
  const [one, two] = [await stage.program(), await stage.program()]
  const [mine, theirs] = [one.process().mp, two.process().mp]
  const [owned, free] = [
    { ...counter, owned: true, permits: 2 },
    { ...counter, permits: 2 },
  ]
  await mine.semaphore(free).acquire()
  await expect(theirs.semaphore(owned).acquire()).rejects.toThrow(/belong to nobody, 2 permits were asked for/)
  await mine.semaphore(free).destroy()
  await theirs.semaphore(owned).acquire()
  await expect(mine.semaphore(free).acquire()).rejects.toThrow(/2 permits that belong to who took them/)
})

test('a permit that its process has heard of stays taken, though word of that was tried again before the next session', async () => {
  const [one, two] = [await stage.program(), await stage.program()]
  const taker = counterOf(two)
  const taken = taker.acquire()
  await taker.value()
  // Only messages get through.
  two.store.closeGate()
  await counterOf(one).release()
  await taken
  await new Promise(setImmediate)
  const before = two.calls.length
  two.lose()
  await expect.poll(() => two.calls.length).toBeGreaterThan(before)
  await two.bear()
  expect(await taker.value()).toBe(0)
})

test('who waited while its program was away stands in no line when the object was destroyed meanwhile', async () => {
  const [one, two] = [await stage.program(), await stage.program(50)]
  const [mine, theirs] = [counterOf(one), counterOf(two)]
  const taken = theirs.acquire()
  await theirs.value()
  two.store.closeGate()
  // It asks once more.
  const before = two.calls.length
  await expect.poll(() => two.calls.length).toBeGreaterThan(before)
  await mine.destroy()
  await expect(taken).rejects.toBeInstanceOf(StateError)
  // Word of its leaving gets no answer, and is tried again.
  const left = two.calls.length
  await expect.poll(() => two.calls.length).toBeGreaterThan(left)
  two.store.resume(two.store.met())
  await two.settled()
  const next = counterOf(one)
  await next.release()
  expect(await next.value()).toBe(1)
})
