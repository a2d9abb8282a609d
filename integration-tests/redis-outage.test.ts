/** What a program sees while Redis is paused, gone, empty or full. */
import { connect, type Context, LeaseLostError } from '@skein/core'
import { expect, onTestFinished, test } from 'vitest'
import { freshNamespace, redisForTest } from './support/redis.ts'

async function program(url: string, sessionTtl?: number): Promise<Context> {
  const options = { namespace: freshNamespace(), ...(sessionTtl === undefined ? {} : { sessionTtl }) }
  const mp = await connect(url, options)
  onTestFinished(() => mp.close())
  return mp
}

async function pause(time: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, time))
}

async function aborted(signal: AbortSignal): Promise<unknown> {
  if (!signal.aborted) await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
  return signal.reason
}

test('a lock and a delivery are kept through a pause of three seconds', async () => {
  const redis = await redisForTest({ own: true })
  const mp = await program(redis.url)
  const lease = await mp.lock('a').acquire()
  const queue = mp.queue<string>('work')
  await queue.put('item')
  const delivery = await queue.receive()
  await redis.stop()
  await pause(3_000)
  lease.assertHeld()
  await redis.cont()
  await pause(1_500)
  lease.assertHeld()
  expect(lease.signal.aborted).toBe(false)
  await delivery.ack()
  expect(await lease.release()).toBe(true)
  expect(mp.state).toBe('connected')
})

test('a server that keeps what it was told loses nothing by a crash', async () => {
  const redis = await redisForTest({ own: true, persistence: 'always' })
  const mp = await program(redis.url)
  const lease = await mp.lock('a').acquire()
  const queue = mp.queue<number>('work')
  for (const item of [1, 2, 3]) await queue.put(item)
  const delivery = await queue.receive()
  await redis.restart()
  expect(await queue.get()).toBe(2)
  expect(await queue.get()).toBe(3)
  await delivery.ack()
  lease.assertHeld()
  expect(await lease.release()).toBe(true)
  expect(await queue.size()).toBe(0)
})

test('a server that starts again empty: holders are told, waiting calls go on, fencing tokens rise', async () => {
  const ttl = 1_000
  const redis = await redisForTest({ own: true })
  const mp = await program(redis.url, ttl)
  const lock = mp.lock('a')
  const lease = await lock.acquire()
  const semaphore = mp.semaphore(2, 'b')
  const permits = await semaphore.acquire({ permits: 2 })
  const queue = mp.queue<string>('work')
  await queue.put('item')
  const delivery = await queue.receive()
  const [next, permit, item] = [lock.acquire(), semaphore.acquire(), queue.get()]
  const began = performance.now()
  await redis.restart({ empty: true })
  const reasons = await Promise.all([aborted(lease.signal), aborted(permits.signal), aborted(delivery.signal)])
  expect(performance.now() - began).toBeLessThan(ttl + 2_000)
  for (const reason of reasons) expect(reason).toBeInstanceOf(LeaseLostError)
  expect(() => lease.assertHeld()).toThrow(LeaseLostError)
  expect(await lease.release()).toBe(false)
  await expect(delivery.ack()).rejects.toThrow(LeaseLostError)
  const successor = await next
  expect(successor.token).toBeGreaterThan(lease.token)
  expect((await permit).token).toBeGreaterThan(permits.token)
  await queue.put('another')
  expect(await item).toBe('another')
  await successor.release()
})

test('a full store takes nothing more, gives everything back, and loses nobody', async () => {
  const redis = await redisForTest({ own: true })
  const mp = await program(redis.url, 1_000)
  const [lock, queue] = [mp.lock('a'), mp.queue<string>('work')]
  const lease = await lock.acquire()
  await queue.put('first')
  await queue.put('second')
  const delivery = await queue.receive()
  await redis.config('maxmemory', 1)
  await expect(queue.put('third')).rejects.toMatchObject({ code: 'ERR_SKEIN_CAPACITY', retryable: true })
  await expect(mp.lock('b').tryAcquire()).rejects.toMatchObject({ code: 'ERR_SKEIN_CAPACITY' })
  await pause(2_500)
  lease.assertHeld()
  expect(await lease.release()).toBe(true)
  await delivery.ack()
  expect(await queue.get()).toBe('second')
  await redis.config('maxmemory', 0)
  await queue.put('third')
  expect(await queue.get()).toBe('third')
})

test('while Redis is away a call that does not wait rejects, one that waits goes on', async () => {
  const redis = await redisForTest({ own: true, persistence: 'always' })
  const mp = await program(redis.url)
  const [lock, queue] = [mp.lock('a'), mp.queue<string>('work')]
  await queue.size()
  const item = queue.get()
  await redis.kill()
  const began = performance.now()
  await expect(lock.tryAcquire()).rejects.toMatchObject({ code: 'ERR_SKEIN_CONNECTION', retryable: true })
  expect(performance.now() - began).toBeLessThan(8_000)
  expect(mp.state).toBe('suspended')
  await redis.restart()
  await queue.put('at last')
  expect(await item).toBe('at last')
  expect(mp.state).toBe('connected')
})
