/** Topics on Redis: what a program has missed it is told, whatever the reason. */
import { execFile } from 'node:child_process'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { CapacityError, connect, type Context } from '@skein/core'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { freshNamespace, type RedisServer, startRedis } from '../../../integration-tests/support/redis.ts'

let redis: RedisServer
beforeAll(async () => {
  redis = await startRedis()
}, 60_000)
afterAll(async () => {
  await redis?.close()
})

async function open(): Promise<{ mp: Context; base: string }> {
  const namespace = freshNamespace()
  const mp = await connect(redis.url, { namespace, sessionTtl: 500 })
  onTestFinished(() => mp.close())
  return { mp, base: `{${namespace}:topic:news}` }
}

test('messages that are no longer in the stream are missed aloud, after what is there before them', async () => {
  const { mp, base } = await open()
  const topic = mp.topic<string>('news')
  const loop = topic[Symbol.asyncIterator]()
  await topic.publish('heard')
  // As if others had published meanwhile, and too much.
  await redis.ask('INCRBY', `${base}:n`, 3)
  await topic.publish('later')
  expect(await loop.next()).toEqual({ done: false, value: 'heard' })
  const missed = loop.next()
  await expect(missed).rejects.toBeInstanceOf(CapacityError)
  await expect(missed).rejects.toThrow(/topic "news": .*longer than messages are kept/)
  expect(await loop.next()).toEqual({ done: true, value: undefined })
  await topic.destroy()
})

test('a loop that began after what is missing goes on', async () => {
  const { mp, base } = await open()
  const topic = mp.topic<string>('news')
  const early = topic[Symbol.asyncIterator]()
  await topic.publish('heard')
  await redis.ask('INCRBY', `${base}:n`, 3)
  const late = topic[Symbol.asyncIterator]()
  await topic.publish('for the late one')
  expect(await late.next()).toEqual({ done: false, value: 'for the late one' })
  expect(await early.next()).toEqual({ done: false, value: 'heard' })
  await expect(early.next()).rejects.toBeInstanceOf(CapacityError)
  await topic.destroy()
})

test('a server that has come back empty is told to who listens, and a new loop hears again', async () => {
  const { mp } = await open()
  const topic = mp.topic<string>('news')
  const loop = topic[Symbol.asyncIterator]()
  await topic.publish('heard')
  expect(await loop.next()).toEqual({ done: false, value: 'heard' })
  const waiting = loop.next()
  await redis.ask('FLUSHALL')
  await expect(waiting).rejects.toThrow(/without its data/)
  // The session is made anew, and calls that do not wait are refused meanwhile.
  const told = (): Promise<boolean> =>
    topic.publish('into the void').then(
      () => true,
      () => false,
    )
  await expect.poll(told).toBe(true)
  const again = topic[Symbol.asyncIterator]()
  await topic.publish('new')
  expect(await again.next()).toEqual({ done: false, value: 'new' })
  await topic.destroy()
})

test('two programs hear each other, and nothing is left when nobody listens but what ends by itself', async () => {
  const { mp, base } = await open()
  const keys = (): Promise<string[]> => redis.ask('KEYS', `${base}:*`) as Promise<string[]>
  const topic = mp.topic<number>('news')
  const loop = topic[Symbol.asyncIterator]()
  const program = fileURLToPath(new URL('targets/topic-program.mjs', import.meta.url))
  const other = promisify(execFile)(process.execPath, [program, redis.url, mp.namespace])
  expect((await loop.next()).value).toBe(1)
  const { objects } = await mp.inspect()
  const pids = objects.find(({ kind }) => kind === 'topic')?.waiters.map(({ pid }) => pid)
  expect(pids).toHaveLength(2)
  expect(pids).toContain(process.pid)
  await topic.publish(2)
  expect((await loop.next()).value).toBe(2)
  await loop.return?.()
  expect(JSON.parse((await other).stdout)).toEqual([1, 2])
  await topic.publish(3)
  expect(await redis.ask('EXISTS', `${base}:e`)).toBe(0)
  for (const key of await keys()) expect(await redis.ask('PTTL', key)).toBeGreaterThan(0)
  await topic.destroy()
  expect(await keys()).toEqual([])
})
