/** A pool's chunks travel through Redis: many in a job, in order, and whole. */
import process from 'node:process'
import { CapacityError, connect, type Context, WorkerLostError } from '@skein/core'
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { freshNamespace, redisForTest, type RedisServer, startRedis } from '../../../integration-tests/support/redis.ts'
import { hang, increment, lengthOf, pid } from './targets/pool.mjs'

let redis: RedisServer

beforeAll(async () => {
  redis = await startRedis()
})

afterAll(() => redis.close())

async function open(server: RedisServer = redis): Promise<{ mp: Context; keys: (part: string) => Promise<string[]> }> {
  const namespace = freshNamespace()
  const mp = await connect(server.url, { namespace })
  onTestFinished(() => mp.close())
  const keys = async (part: string): Promise<string[]> => {
    const found = await server.ask('KEYS', `*${namespace}:${part}*`)
    return Array.isArray(found) ? found.map(String) : []
  }
  return { mp, keys }
}

const numbers = (count: number): number[] => Array.from({ length: count }, (_, n) => n)

test('chunks of one turn share jobs', async () => {
  const { mp, keys } = await open()
  const pool = mp.pool(2)
  expect(await pool.map(increment, numbers(10_000), { chunkSize: 1 })).toEqual(numbers(10_000).map((n) => n + 1))
  const counter = (await keys('pool:')).find((key) => key.endsWith(':q:id'))
  expect(counter).toBeDefined()
  const jobs = Number(await redis.ask('GET', counter ?? ''))
  expect(jobs).toBeGreaterThanOrEqual(Math.ceil(10_000 / 256))
  expect(jobs).toBeLessThan(1_000)
  pool.close()
  await pool.join()
  await vi.waitFor(async () => expect(await keys('pool:')).toEqual([]))
})

test('results come in the order of the items, whatever their size', async () => {
  const { mp } = await open()
  const pool = mp.pool(2)
  const sizes = [0, 1, 300_000, 7, 5 * 1024 * 1024, 2_000_000, 3]
  const items = sizes.map((size) => new Uint8Array(size))
  expect(await pool.map(lengthOf, items, { chunkSize: 1 })).toEqual(sizes)
})

test('close() waits for what is on its way', async () => {
  const { mp } = await open()
  const pool = mp.pool(1)
  const results = numbers(500).map((n) => pool.applyAsync(increment, [n]))
  pool.close()
  await pool.join()
  expect(await Promise.all(results)).toEqual(numbers(500).map((n) => n + 1))
})

test('terminate() drops what is on its way', async () => {
  const { mp, keys } = await open()
  const pool = mp.pool(1)
  const results = [pool.applyAsync(hang), ...numbers(500).map((n) => pool.applyAsync(increment, [n]))]
  const settled = Promise.allSettled(results)
  await pool.terminate()
  expect(new Set((await settled).map(({ status }) => status))).toEqual(new Set(['rejected']))
  await vi.waitFor(async () => expect(await keys('pool:')).toEqual([]))
})

test('a task that is cancelled on its way never runs', async () => {
  const { mp } = await open()
  const pool = mp.pool(1)
  const first = pool.applyAsync(pid)
  const second = pool.applyAsync(hang)
  expect(await second.cancel()).toBe(true)
  const worker = await first
  expect(await pool.apply(pid)).toBe(worker)
})

test('a full store rejects tasks with CapacityError; the pool goes on when there is room', async () => {
  const server = await redisForTest({ own: true })
  const { mp } = await open(server)
  const pool = mp.pool(1)
  expect(await pool.apply(increment, [1])).toBe(2)
  await server.config('maxmemory', 1)
  await expect(pool.map(increment, numbers(100), { chunkSize: 10 })).rejects.toThrow(CapacityError)
  await server.config('maxmemory', 0)
  expect(await pool.apply(increment, [2])).toBe(3)
})

test('a Redis that stands still delays tasks, and loses none', async () => {
  const server = await redisForTest({ own: true })
  const { mp } = await open(server)
  const pool = mp.pool(1)
  expect(await pool.apply(increment, [1])).toBe(2)
  await server.stop()
  const result = pool.map(increment, numbers(100), { chunkSize: 10 })
  setTimeout(() => void server.cont(), 500)
  expect(await result).toEqual(numbers(100).map((n) => n + 1))
})

test('a Redis that comes back empty delays tasks and starts, and loses none', async () => {
  const server = await redisForTest({ own: true })
  const { mp } = await open(server)
  const pool = mp.pool(1)
  expect(await pool.apply(increment, [1])).toBe(2)
  await server.stop()
  const result = pool.map(increment, numbers(100), { chunkSize: 10 })
  const child = mp.process(increment, [41])
  const started = child.start()
  await server.cont()
  await server.restart({ empty: true })
  expect(await result).toEqual(numbers(100).map((n) => n + 1))
  await started
  expect(await child.result()).toBe(42)
  expect(await pool.apply(increment, [2])).toBe(3)
})

test('a worker that dies takes only the task that it ran', async () => {
  const { mp } = await open()
  const pool = mp.pool(1)
  const worker = await pool.apply(pid)
  const lost = pool.applyAsync(hang)
  const later = numbers(20).map((n) => pool.applyAsync(increment, [n]))
  const rejected = expect(lost.get()).rejects.toThrow(WorkerLostError)
  // Behind it in the same job, so that it runs by then.
  await vi.waitFor(async () => expect(await lost.wait({ timeout: 200 })).toBe(false))
  process.kill(worker, 'SIGKILL')
  await rejected
  expect(await Promise.all(later)).toEqual(numbers(20).map((n) => n + 1))
})
