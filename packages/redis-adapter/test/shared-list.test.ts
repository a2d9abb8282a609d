/** Shared lists and arrays of several programs on one Redis. */
import { ConflictError } from '@skein/core'
import { connect } from '@skein/core'
import { expect, onTestFinished, test } from 'vitest'
import { Proxy } from '../../../integration-tests/support/proxy.ts'
import { freshNamespace } from '../../../integration-tests/support/redis.ts'
import { cutting, useStage } from './queue-world.ts'

const stage = useStage()

test('answers that were lost: nothing is pushed, put or taken twice', async () => {
  const namespace = freshNamespace()
  const way = await Proxy.start(stage.redis.url)
  const mp = await connect(way.url, { namespace })
  onTestFinished(async () => {
    await mp.close()
    await way.close()
  })
  const list = mp.list<number>('a')
  const lost = async <T>(operation: string, call: () => Promise<T>): Promise<T> => {
    const dropped = way.dropReply(new RegExp(`\\r\\n${operation}\\r\\n`))
    const answer = call()
    await dropped
    return answer
  }
  expect(await lost('push', () => list.push(1, 2, 3))).toBe(3)
  await lost('insert', () => list.insert(1, 9))
  expect(await list.slice()).toEqual([1, 9, 2, 3])
  expect(await lost('first', () => list.shift())).toBe(1)
  expect(await lost('last', () => list.pop())).toBe(3)
  await list.push(9)
  expect(await lost('remove', () => list.remove(9))).toBe(true)
  expect(await list.slice()).toEqual([2, 9])
  await lost('put', () => list.set(0, 5))
  expect(await list.slice()).toEqual([5, 9])
  await list.destroy()

  const array = mp.array([1, 2], 'a')
  await lost('set', () => array.set(1, 7))
  expect(await array.slice()).toEqual([1, 7])
  await array.destroy()
})

test('connections cut at random: what is pushed is shifted once, in order', async () => {
  const [one, two] = [await stage.program(50), await stage.program(50)]
  const [a, b] = [one, two].map((world) => world.process().mp.list<number>({ name: 'a' }))
  const push = async (): Promise<void> => {
    for (let n = 0; n < 300; n += 1) await a?.push(n)
  }
  const got: number[] = []
  const shift = async (): Promise<void> => {
    while (got.length < 300) {
      if ((await b?.length()) === 0) continue
      got.push((await b?.shift()) as number)
    }
  }
  await cutting(stage.redis, Promise.all([push(), shift()]))
  expect(got).toEqual(Array.from({ length: 300 }, (_, n) => n))
}, 30_000)

test('a full store takes no more items, and gives those that it has', async () => {
  const world = await stage.program()
  const list = world.process().mp.list<number>({ name: 'a' })
  await list.push(1, 2, 3, 4)
  await stage.redis.config('maxmemory', 1)
  try {
    const refused = [() => list.push(5), () => list.insert(0, 0), () => list.set(0, 0)]
    for (const call of refused) await expect(call()).rejects.toMatchObject({ name: 'CapacityError' })
    expect([await list.shift(), await list.pop(), await list.remove(3), await list.slice()]).toEqual([1, 4, true, [2]])
    await list.clear()
    expect(await list.length()).toBe(0)
  } finally {
    await stage.redis.config('maxmemory', 0)
  }
})

test('an array of another length is a conflict between programs, too', async () => {
  const [one, two] = [await stage.program(), await stage.program()]
  const [a, b] = [one.process().mp, two.process().mp]
  const mine = a.array({ name: 'a', init: [1, 2, 3] })
  expect(await mine.get(0)).toBe(1)
  const theirs = b.array({ name: 'a', init: 4 })
  await expect(theirs.get(0)).rejects.toMatchObject({ name: 'ConflictError', message: /3 items, 4 were asked for/ })
  await expect(theirs.slice()).rejects.toBeInstanceOf(ConflictError)
  expect(await b.array({ name: 'a', init: 3 }).slice()).toEqual([1, 2, 3])
})

test('a hundred thousand items are made and read', async () => {
  const world = await stage.program()
  const { mp } = world.process()
  const items = Array.from({ length: 100_000 }, (_, n) => n)
  const array = mp.array({ name: 'a', init: items })
  expect(await array.get(99_999)).toBe(99_999)
  expect(await array.slice(50_000, 53_000)).toEqual(items.slice(50_000, 53_000))
  const list = mp.list<number>({ name: 'a' })
  expect(await list.push(...items)).toBe(100_000)
  expect(await list.slice(-2_500)).toEqual(items.slice(-2_500))
})
