/** What a program sees while Redis is paused, gone, empty or full. */
import { connect, type Context, type Lease, LeaseLostError } from '@skein/core'
import { describe, expect, onTestFinished, test } from 'vitest'
import { RESTART } from './support/clustered.ts'
import { Proxy } from './support/proxy.ts'
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
  // In a cluster a restart costs the leases, whatever is kept (decision 36).
  const redis = await redisForTest({ own: true, single: true, persistence: 'always' })
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

describe('a server that starts again, and a holder that does not hear of it', () => {
  const options = (): { namespace: string; sessionTtl: number } => ({
    namespace: freshNamespace(),
    sessionTtl: 2_000 + RESTART,
  })
  const withFile = ['--dbfilename', 'kept.rdb']
  const cases = {
    'with nothing': { args: [], again: { empty: true } },
    'with what it knew a while ago': { args: withFile, again: {} },
  }
  for (const [what, { args, again }] of Object.entries(cases)) {
    test(`${what}: nobody else is granted the lock before the holder has lost it`, async () => {
      const redis = await redisForTest({ own: true, args })
      const proxy = await Proxy.start(redis.url)
      onTestFinished(() => proxy.close())
      const shared = options()
      const [far, near] = [await connect(proxy.url, shared), await connect(redis.url, shared)]
      for (const mp of [far, near]) onTestFinished(() => mp.close())
      if (args.length > 0) await redis.ask('SAVE')
      const [lease, permits] = [await far.lock('a').acquire(), await far.semaphore(2, 'b').acquire({ permits: 2 })]
      const held = (one: Lease): boolean => one.expiresIn > 0
      const asked = [near.lock('a').acquire(), near.semaphore(2, 'b').acquire()].map(async (next) => {
        const { token } = await next
        return { token, before: held(lease) || held(permits) }
      })
      proxy.refuse()
      await redis.restart(again)
      await expect.poll(() => near.state).toBe('connected')
      expect(held(lease) && held(permits)).toBe(true)
      expect(await near.lock('a').tryAcquire()).toBeNull()
      // Who comes now is told as well.
      const late = await connect(redis.url.replace('127.0.0.1', 'localhost'), shared)
      onTestFinished(() => late.close())
      expect(await late.lock('a').tryAcquire()).toBeNull()
      const [next, permit] = await Promise.all(asked)
      expect([next?.before, permit?.before]).toEqual([false, false])
      expect(next?.token).toBeGreaterThan(lease.token)
      expect(permit?.token).toBeGreaterThan(permits.token)
      proxy.accept()
      await expect.poll(() => lease.signal.aborted).toBe(true)
      expect(lease.signal.reason).toBeInstanceOf(LeaseLostError)
    })
  }
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
  // Of a cluster, when its other masters are back, too.
  await expect.poll(() => mp.state).toBe('connected')
})
