/** `redis+sentinel:`: the master that the Sentinels name, and the next one after a failover. */
import {
  AuthenticationError,
  connect,
  ConnectionError,
  type Context,
  type Delivery,
  LeaseLostError,
  NotSupportedError,
} from '@skein/core'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { until } from '@skein/conformance'
import { freshNamespace, redisForTest } from '../../../integration-tests/support/redis.ts'
import { startWatched, type Watched } from '../../../integration-tests/support/sentinel.ts'
import { give } from './targets/sentinel.mjs'

async function opened(url: string, namespace = freshNamespace()): Promise<Context> {
  const mp = await connect(url, { namespace, sessionTtl: 500 })
  onTestFinished(() => mp.close())
  return mp
}

describe('a master behind Sentinels', () => {
  let watched: Watched
  beforeAll(async () => {
    watched = await startWatched()
  })
  afterAll(() => watched.close())

  test('is found by any Sentinel that answers, and is the store that it is by its own url', async () => {
    const namespace = freshNamespace()
    const [, ...others] = watched.url.replace('redis+sentinel://', '').replace('/main', '').split(',')
    const behind = await opened(`redis+sentinel://127.0.0.1:1,${others.join(',')}/main`, namespace)
    const direct = await opened(watched.first.url, namespace)
    await behind.queue('a').put('through a Sentinel')
    expect(await direct.queue('a').get()).toBe('through a Sentinel')
    expect(behind.lock('a').ref.scope).toBe(direct.lock('a').ref.scope)
    const child = await behind.process(give, [behind.queue<number>('b'), 7]).start()
    await child.join()
    expect(await direct.queue('b').get()).toBe(7)
  })

  test('is not found by Sentinels that do not answer: told in time', async () => {
    const began = performance.now()
    const error: unknown = await connect('redis+sentinel://127.0.0.1:1,127.0.0.1:2/main').catch(
      (reason: unknown) => reason,
    )
    expect(performance.now() - began).toBeLessThan(5_000)
    expect(error).toBeInstanceOf(ConnectionError)
    expect((error as Error).message).toMatch(/^no connection to Redis at redis\+sentinel:\/\/127\.0\.0\.1:1,127\.0\.0\.1:2\/main \(All sentinels are unreachable/) // prettier-ignore
  })

  test('wants its own password, which nothing shows', async () => {
    const url = watched.url.replace('//', '//alice:correct-horse@')
    const error: unknown = await connect(url, { namespace: freshNamespace() }).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(AuthenticationError)
    expect((error as Error).message).not.toContain('correct-horse')
  })
})

test('in an array it is refused: a failover could make one of two', async () => {
  const redis = await redisForTest()
  await expect(connect(['redis+sentinel://a/main', redis.url])).rejects.toBeInstanceOf(NotSupportedError)
})

test('after a failover: what was held is lost, to its holders first; what has a name is there; who waits goes on', async () => {
  const watched = await startWatched()
  onTestFinished(() => watched.close())
  const namespace = freshNamespace()
  const [one, other] = [await opened(watched.url, namespace), await opened(watched.url, namespace)]
  await one.queue('kept').put('before')
  const delivery: Delivery<unknown> = await one
    .queue('held')
    .put(1)
    .then(() => one.queue('held').receive())
  const lease = await one.lock('a').acquire()
  const waiting = other.lock('a').acquire()
  const { scope } = one.lock('a').ref
  const before = await watched.master()
  await watched.synced()
  await watched.first.kill()
  await new Promise((resolve) => lease.signal.addEventListener('abort', resolve))
  expect(lease.signal.reason).toBeInstanceOf(LeaseLostError)
  const next = await waiting
  expect(next.token).toBeGreaterThan(lease.token)
  expect(await watched.master()).not.toBe(before)
  await expect(delivery.ack()).rejects.toBeInstanceOf(LeaseLostError)
  expect(await other.queue('kept').get()).toBe('before')
  await until('both are connected', () => [one, other].every(({ state }) => state === 'connected'))
  expect(
    await one
      .queue('after')
      .put(1)
      .then(() => other.queue('after').get()),
  ).toBe(1)
  const late = await opened(watched.url, namespace)
  expect(late.lock('a').ref.scope).toBe(scope)
  expect(await late.lock('a').tryAcquire()).toBeNull()
  await next.release()
  expect(await late.lock('a').with(() => 'held')).toBe('held')
})
