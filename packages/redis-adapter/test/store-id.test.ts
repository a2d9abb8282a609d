/** A store has a name of its own: handles are understood whatever it was reached by, and by nobody else's store. */
import { connect, type ConnectOptions, type Context, type Queue, ScopeError, type Value } from '@skein/core'
import { describe, expect, onTestFinished, test } from 'vitest'
import { hostForTest } from '../../../integration-tests/support/hosts.ts'
import { freshNamespace, redisForTest, type RedisServer } from '../../../integration-tests/support/redis.ts'
import { until } from '@skein/conformance'

type Url = string | readonly string[]

async function opened(url: Url, namespace: string, options: ConnectOptions = {}): Promise<Context> {
  const mp = await connect(url, { namespace, sessionTtl: 500, ...options })
  onTestFinished(() => mp.close())
  return mp
}

/** The same server by another name. */
function alias({ url }: RedisServer): string {
  return url.replace('127.0.0.1', 'localhost')
}

async function ids(redis: RedisServer, namespace: string): Promise<unknown> {
  return redis.ask('SMEMBERS', `{${namespace}:sessions}:store`)
}

/** Sends a named value's handle from one context to the other, and reads it there. */
async function understood(from: Context, to: Context): Promise<boolean> {
  const [out, back] = [from, to].map((mp) => mp.queue<Value<string>>('letters')) as [Queue<Value<string>>, Queue<Value<string>>] // prettier-ignore
  await out.put(from.value('kept', 'a'))
  return (await (await back.get()).get()) === 'kept'
}

describe('handles between programs that name one server by different host names', () => {
  test('are understood both ways', async () => {
    const redis = await redisForTest({ own: true })
    const namespace = freshNamespace()
    const [one, other] = [await opened(redis.url, namespace), await opened(alias(redis), namespace)]
    expect(one.lock('a').ref.scope).toBe(other.lock('a').ref.scope)
    expect(await understood(one, other)).toBe(true)
    expect(await understood(other, one)).toBe(true)
  })

  test('work for processes that run in the other program, nameless objects too', async () => {
    const redis = await redisForTest({ own: true })
    const namespace = freshNamespace()
    await hostForTest(alias(redis), namespace, { connect: { serve: true, sessionTtl: 500 } })
    const mp = await opened(redis.url, namespace, { serve: false })
    const { fill } = await import('./targets/store-id.mjs')
    const [queue, named] = [mp.queue<string>(), mp.queue<string>('named')]
    await (await mp.process(fill, [queue, named]).start()).result()
    expect(await queue.get()).toBe('first')
    expect(await named.get()).toBe('second')
  })

  test('stay understood when the server comes back empty, by old and new programs', async () => {
    const redis = await redisForTest({ own: true })
    const namespace = freshNamespace()
    const [one, other] = [await opened(redis.url, namespace), await opened(alias(redis), namespace)]
    const [id] = (await ids(redis, namespace)) as string[]
    await redis.restart({ empty: true })
    await until('the old id is known again', async () => String(await ids(redis, namespace)).includes(String(id)))
    // The second of them may not have its session back yet, to which what the first one makes is gone.
    await until('both are there again', () => understood(one, other).catch(() => false))
    const late = await opened(redis.url.replace('127.0.0.1', '127.1'), namespace)
    expect(await ids(redis, namespace)).toEqual([id])
    expect(await understood(one, late)).toBe(true)
    expect(await understood(late, other)).toBe(true)
  })

  test('are understood also where a new program was there before the old ones had come back', async () => {
    const redis = await redisForTest({ own: true })
    const namespace = freshNamespace()
    const one = await opened(redis.url, namespace)
    const { ref } = one.lock('a')
    // As if the new program had found the empty server first.
    await redis.ask('DEL', `{${namespace}:sessions}:store`)
    const late = await opened(alias(redis), namespace)
    expect(late.lock('a').ref.scope).not.toBe(ref.scope)
    await redis.restart({ empty: true })
    await until('both ids are known', async () => ((await ids(redis, namespace)) as string[]).length === 2)
    // Each learns of the other's with its next beat.
    await until('the new program knows both', () => understood(one, late).catch(() => false))
    await until('the old one does', () => understood(late, one).catch(() => false))
    const { fill } = await import('./targets/store-id.mjs')
    const [mine, theirs] = [one.queue<string>('mine'), late.queue<string>('theirs')]
    // Of the program that does not call the store so.
    await (await late.process(fill, [mine, theirs]).start()).result()
    expect([await mine.get(), await theirs.get()]).toEqual(['first', 'second'])
  })
})

test('the id stays when all programs have ended', async () => {
  const redis = await redisForTest({ own: true })
  const namespace = freshNamespace()
  const first = await opened(redis.url, namespace)
  const { scope } = first.lock('a').ref
  await first.close()
  const second = await opened(redis.url, namespace)
  expect(second.lock('a').ref.scope).toBe(scope)
})

describe('handles of another store are refused', () => {
  test('of another server, also under the same host name later', async () => {
    const namespace = freshNamespace()
    const [redis, elsewhere] = [await redisForTest({ own: true }), await redisForTest({ own: true })]
    const [here, there] = [await opened(redis.url, namespace), await opened(elsewhere.url, namespace)]
    const queue = here.queue<unknown>('letters')
    await expect(queue.put(there.lock('a'))).rejects.toBeInstanceOf(ScopeError)
  })

  test('of the same server where a majority decides, since its locks are others', async () => {
    const redis = await redisForTest({ own: true, single: true })
    const namespace = freshNamespace()
    const [single, quorum] = [await opened(redis.url, namespace), await opened([redis.url], namespace)]
    const also = await opened([alias(redis)], namespace)
    expect(new Set([single, quorum].map((mp) => mp.lock('a').ref.scope)).size).toBe(2)
    expect(also.lock('a').ref.scope).toBe(quorum.lock('a').ref.scope)
  })
})
