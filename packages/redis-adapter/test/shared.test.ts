/** Shared state of several programs on one Redis: lost answers, lost messages, lost data, and a full store. */
import { CapacityError, ConnectionError, type Handle, StateError } from '@skein/core'
import { type HandleRef, handleRef } from '@skein/core/adapter'
import { connect, type Context, type Value } from '@skein/core'
import { expect, onTestFinished, test } from 'vitest'
import { Proxy } from '../../../integration-tests/support/proxy.ts'
import { freshNamespace } from '../../../integration-tests/support/redis.ts'
import { RedisShared } from '../src/supervisor/redis-shared.ts'
import { cutting, type TestProcess, useStage } from './queue-world.ts'

const stage = useStage()

/** As a handle arrives in another process. */
function passed<T extends Handle>(handle: T, to: TestProcess): T {
  return to.mp.attach(Reflect.get(handle, handleRef) as HandleRef) as T
}

interface Programs {
  readonly near: Context
  /** The way of `far` to the server. */
  readonly way: Proxy
  readonly far: Context
}

/** Two programs of one namespace, one of them behind a way that loses answers. */
async function programs(): Promise<Programs> {
  const namespace = freshNamespace()
  const way = await Proxy.start(stage.redis.url)
  const [near, far] = [await connect(stage.redis.url, { namespace }), await connect(way.url, { namespace })]
  onTestFinished(async () => {
    await Promise.all([near.close(), far.close()])
    await way.close()
  })
  return { near, way, far }
}

/** Runs a call whose answer is lost, and `between` it and its being sent again. */
async function answerLost<T>(
  way: Proxy,
  to: RegExp,
  call: () => Promise<T>,
  between: () => Promise<unknown>,
): Promise<T> {
  const dropped = way.dropReply(to)
  const answer = call()
  await dropped
  // Its connection ends when the answer comes; new ones are refused until `between` is done.
  way.refuseNext()
  await between()
  way.accept()
  return answer
}

test('a set whose answer was lost does not undo what somebody has set since', async () => {
  const { near, far, way } = await programs()
  const [mine, theirs] = [near.value(0, 'a'), far.value(0, 'a')]
  expect(await theirs.get()).toBe(0)
  const between = async (): Promise<void> => {
    await expect.poll(() => mine.get()).toBe(1)
    await mine.set(2)
  }
  await answerLost(way, /\r\nset\r\n/, () => theirs.set(1), between)
  expect(await theirs.get()).toBe(2)
  await mine.destroy()
})

test('an add whose answer was lost is added once, and gives the sum that it made', async () => {
  const { near, far, way } = await programs()
  const [mine, theirs] = [near.value(0, 'a'), far.value(0, 'a')]
  for (let round = 0; round < 5; round += 1) {
    await mine.set(0)
    const between = async (): Promise<void> => {
      await expect.poll(() => mine.get()).toBe(1)
      await mine.add(10)
    }
    expect(await answerLost(way, /\r\nadd\r\n/, () => theirs.add(1), between)).toBe(1)
    expect(await mine.get()).toBe(11)
  }
  await mine.destroy()
})

test('an update whose answer was lost is applied once', async () => {
  const { near, far, way } = await programs()
  const [mine, theirs] = [near.value('', 'a'), far.value('', 'a')]
  const between = async (): Promise<void> => {
    await expect.poll(() => mine.get()).toBe('x')
    await mine.update((text) => `${text}y`)
  }
  const update = (): Promise<string> => theirs.update((text) => `${text}x`)
  expect(await answerLost(way, /\r\nreplace\r\n/, update, between)).toBe('x')
  expect(await mine.get()).toBe('xy')
  await mine.destroy()
})

test('of a dict: what was lost on its way is not done again', async () => {
  const { near, far, way } = await programs()
  const [mine, theirs] = [near.dict<number>('a'), far.dict<number>('a')]
  await theirs.set('a', 1)
  const gone = async (): Promise<void> => {
    await expect.poll(() => mine.has('a')).toBe(false)
    await mine.set('a', 2)
  }
  expect(await answerLost(way, /\r\npop\r\n/, () => theirs.pop('a'), gone)).toBe(1)
  expect(await mine.get('a')).toBe(2)
  expect(await answerLost(way, /\r\ndelete\r\n/, () => theirs.delete('a'), gone)).toBe(true)
  expect(await mine.get('a')).toBe(2)
  await answerLost(way, /\r\nclear\r\n/, () => theirs.clear(), gone)
  expect(await mine.get('a')).toBe(2)
  const there = async (): Promise<void> => {
    await expect.poll(() => mine.get('b')).toBe(1)
    await mine.set('b', 2)
  }
  expect(await answerLost(way, /\r\nsettle\r\n/, () => theirs.setDefault('b', 1), there)).toBe(1)
  expect(await mine.get('b')).toBe(2)
  await mine.destroy()
})

test('connections cut at random: every change counts once', async () => {
  const [one, two] = [await stage.program(50), await stage.program(50)]
  const values = [one, two].map((world) => world.process().mp.value({ name: 'a', initial: 0 }))
  let [known, doubtful] = [0, 0]
  const change = async (value: (typeof values)[number], round: number): Promise<void> => {
    try {
      if (round % 2 === 0) await value.add(1)
      else await value.update((n) => n + 1)
      known += 1
    } catch (error) {
      expect(error).toBeInstanceOf(ConnectionError)
      doubtful += 1
    }
  }
  const work = values.map(async (value) => {
    for (let round = 0; round < 200; round += 1) await change(value, round)
  })
  await cutting(stage.redis, Promise.all(work))
  const total = await (values[0] as (typeof values)[number]).get()
  expect(total).toBeGreaterThanOrEqual(known)
  expect(total).toBeLessThanOrEqual(known + doubtful)
  expect(doubtful).toBe(0)
}, 30_000)

test('what answers were is remembered no longer than somebody may ask again', async () => {
  const world = await stage.program()
  const value = world.process().mp.value({ name: 'a', initial: 0 })
  for (let round = 0; round < 200; round += 1) await value.add(1)
  await Promise.all(Array.from({ length: 200 }, () => value.add(1)))
  for (let round = 0; round < 10; round += 1) await value.add(1)
  const key = `{${stage.namespace}:value:a}`
  expect(await stage.redis.ask('HLEN', `${key}:r`)).toBeLessThan(5)
  expect(await stage.redis.ask('PTTL', `${key}:r`)).toBeGreaterThan(60_000)
  // Two minutes later: what was left there by programs that have died is gone.
  await stage.redis.ask('HSET', `${key}:r`, 'dead/1/1', '')
  for (let minute = 0; minute < 2; minute += 1) {
    await stage.redis.ask('HSET', `${key}:s`, 'g', '0')
    await value.add(1)
  }
  expect(await stage.redis.ask('HEXISTS', `${key}:r`, 'dead/1/1')).toBe(0)
  expect(await stage.redis.ask('HEXISTS', `${key}:q`, 'dead/1/1')).toBe(0)
  await value.destroy()
  expect(await stage.redis.ask('KEYS', `${key}:*`)).toEqual([])
})

test('who dies or stops in its turn holds up nobody for long', async () => {
  const world = await stage.program(100)
  const [a, b] = [world.process('a'), world.process('b')]
  const [slow, quick] = [a, b].map((one) => one.mp.value({ name: 'a', initial: 0 }))
  let tries = 0
  const stuck = slow?.update(async (n) => {
    tries += 1
    // It loses until it has the turn, and keeps that.
    if (tries > 3) return new Promise<number>(() => undefined)
    await quick?.add(1)
    return n
  })
  stuck?.catch(() => undefined)
  await expect.poll(() => tries).toBe(4)
  const began = performance.now()
  expect(await quick?.add(1)).toBe(4)
  expect(performance.now() - began).toBeGreaterThan(500)
  // The turn is over, and its holder in nobody's way any more.
  const again = performance.now()
  expect(await quick?.add(1)).toBe(5)
  expect(performance.now() - again).toBeLessThan(400)
  a.kill()
  expect(await quick?.update((n) => n + 1)).toBe(6)
})

test('destroyed by another program: handles hear of it, and never work on the next one of that name', async () => {
  const [one, two] = [await stage.program(), await stage.program()]
  const [a, b] = [one.process('anna').mp, two.process().mp]
  const [mine, theirs] = [a.value({ name: 'a', initial: 1 }), b.value({ name: 'a', initial: 2 })]
  // Whoever comes first makes it, and these two have a connection each.
  expect(await mine.get()).toBe(1)
  expect(await theirs.get()).toBe(1)
  await mine.destroy()
  await expect.poll(() => theirs.get().catch(String)).toMatch(/StateError: value "a" was destroyed by anna/)
  expect(await b.value({ name: 'a', initial: 3 }).get()).toBe(3)

  two.deaf = true
  const unheard = b.value({ name: 'a', initial: 4 })
  await unheard.set(5)
  await a.value({ name: 'a', initial: 6 }).destroy()
  const next = a.value({ name: 'a', initial: 7 })
  await next.get()
  await expect(unheard.set(8)).rejects.toBeInstanceOf(StateError)
  expect(await next.get()).toBe(7)
  expect(await b.value({ name: 'a', initial: 9 }).get()).toBe(7)
  await next.destroy()
})

test('a nameless value ends with its creator, and leaves nothing', async () => {
  const world = await stage.program()
  const [a, b] = [world.process(), world.process()]
  const mine = a.mp.value({ name: a.mp.anonymousName(), initial: 'x' })
  const theirs = passed(mine, b)
  await theirs.set('y')
  expect(world.owned.size).toBe(1)
  b.kill()
  expect(await mine.get()).toBe('y')
  const late = passed(mine, world.process())
  expect(await late.get()).toBe('y')
  a.kill()
  await expect(late.get()).rejects.toBeInstanceOf(StateError)
  await expect.poll(() => stage.redis.ask('KEYS', `{${stage.namespace}:*`)).toEqual([])
  expect(world.owned.size).toBe(0)
})

test('a server that comes back empty: handles are told, and the name begins anew', async () => {
  const world = await stage.program()
  const { mp } = world.process()
  const [value, unused] = [mp.value({ name: 'a', initial: 1 }), mp.value({ name: 'b', initial: 1 })]
  await Promise.all([value.set(2), unused.set(2)])
  await stage.redis.restart({ empty: true })
  await expect(value.get()).rejects.toMatchObject({ name: 'StateError', message: /come back without it/ })
  world.lose()
  await world.bear()
  // Without having been asked.
  await expect.poll(() => mp.value({ name: 'b', initial: 3 }).get().catch(String)).toBe(3)
  expect(await mp.value({ name: 'a', initial: 4 }).get()).toBe(4)
})

test('what is made while the session is away, and only passed on, is there when the session is', async () => {
  const [one, two] = [await stage.program(), await stage.program()]
  const [a, b] = [one.process(), two.process()]
  one.lose()
  const theirs = passed(a.mp.value({ name: 'a', initial: 1 }), b)
  await expect(theirs.get()).rejects.toBeInstanceOf(StateError)
  // What was asked before it is given up.
  await one.bear()
  await expect.poll(() => passed(theirs, two.process()).get().catch(String)).toBe(1)
})

test('a full store takes no more, and gives what it has', async () => {
  const world = await stage.program()
  const { mp } = world.process()
  const value = mp.value({ name: 'a', initial: 1 })
  await value.set(2)
  await stage.redis.config('maxmemory', 1)
  const early = mp.value({ name: 'b', initial: 1 })
  try {
    for (const call of [() => value.set(3), () => value.add(1), () => value.update(() => 3), () => early.get()]) {
      await expect(call()).rejects.toBeInstanceOf(CapacityError)
    }
    expect(await value.get()).toBe(2)
  } finally {
    await stage.redis.config('maxmemory', 0)
  }
  await value.set(3)
  expect([await value.get(), await early.get()]).toEqual([3, 1])
  const dict = mp.dict({ name: 'a' })
  for (const key of ['a', 'b', 'c']) await dict.set(key, 1)
  await stage.redis.config('maxmemory', 1)
  await expect(dict.setDefault('d', 1)).rejects.toBeInstanceOf(CapacityError)
  expect([await dict.setDefault('a', 2).catch(String), await dict.pop('a'), await dict.delete('b')]).toEqual([
    expect.stringContaining('CapacityError'),
    1,
    true,
  ])
  await dict.clear()
  expect(await dict.size()).toBe(0)
  await Promise.all([value.destroy(), dict.destroy()])
  await stage.redis.config('maxmemory', 0)
})

test('what is made on a full store, and only passed on, is there when there is room', async () => {
  const [one, two] = [await stage.program(), await stage.program()]
  const [a, b] = [one.process(), two.process()]
  await stage.redis.config('maxmemory', 1)
  let made: Value<number> | null = null
  try {
    made = a.mp.value({ name: 'a', initial: 1 })
    await expect.poll(() => one.calls).toContain('shared-open')
    await one.settled()
  } finally {
    await stage.redis.config('maxmemory', 0)
  }
  const value = made
  const other = (): Promise<unknown> => passed(value, b).get().catch(String)
  await expect.poll(other).toBe(1)
})

test('a program that loses sight of a value which is there still takes nothing from those who have it', async () => {
  const [one, two] = [await stage.program(), await stage.program()]
  const [a, b] = [one.process(), two.process()]
  const mine = a.mp.value({ name: a.mp.anonymousName(), initial: 1 })
  await mine.get()
  const object = two.broker.add(new RedisShared('value', mine.name, {}, two.around, b.session))
  const theirs = passed(mine, b)
  // It loses so many races that it takes a turn.
  let races = 0
  await theirs.update(async (now) => {
    if (races < 3) await mine.set(now)
    races += 1
    return now + 1
  })
  expect(two.calls).toContain('permits-acquire')
  object.remove?.(new StateError('its keeper cannot be heard'))
  await two.settled()
  expect(await mine.get()).toBe(2)
})
