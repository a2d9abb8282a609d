/** A host that is to end in good order: what it has begun it runs to the end, the rest goes elsewhere, and nothing is lost. */
import { until } from '@skein/conformance'
import { connect, StateError, TimeoutError } from '@skein/core'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { type RedisServer, startRedis } from '../../../integration-tests/support/redis.ts'
import { field } from './serve-field.ts'
import { drainFromBelow, drainHost, parentPid, slow, wait } from './targets/serve.mjs'

let redis: RedisServer

beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.close())

test('H4: it takes nothing more, a process runs to its end, and what was not begun is taken by another host', async () => {
  const { mp, host } = await field(redis)
  const old = await host({ connect: { serve: { slots: 1 } } })
  const door = mp.queue<string>()
  const running = await mp.process(wait, [door]).start()
  const waiting = mp.process(parentPid)
  const started = waiting.start()
  const drained = old.drain()
  await until('it drains', async () => (await mp.hosts()).some(({ state }) => state === 'draining'))
  const next = await host()
  await started
  expect(await waiting.result()).toBe(next.pid)
  expect((await mp.hosts()).map(({ pid, state, busy }) => [pid, state, busy])).toContainEqual([old.pid, 'draining', 1])
  await door.put('open')
  expect(await running.result()).toBe('open')
  expect(await drained).toBe('drained')
  await old.close()
})

test('H4: a pool loses no task: chunks that were begun are run to their end, the others elsewhere', async () => {
  const { mp, host } = await field(redis)
  const old = await host()
  const pool = mp.pool(2)
  const items = Array.from({ length: 60 }, (_, item) => item)
  const results = pool.mapAsync(
    slow,
    Array.from(items, () => 30),
    { chunkSize: 2 },
  )
  await until('both work', async () => (await pool.stats()).running === 2)
  const next = await host()
  expect(await old.drain()).toBe('drained')
  await old.close()
  expect(await results).toHaveLength(60)
  const stats = await pool.stats()
  expect(stats.lost).toBe(0)
  const parents = await pool.map(parentPid, items, { chunkSize: 5 })
  expect(new Set(parents)).toEqual(new Set([next.pid]))
  await pool.terminate()
})

test('it may take as long as it is given; then what runs goes on, and nothing more is taken', async () => {
  const { mp, host } = await field(redis)
  const old = await host()
  const door = mp.queue<string>()
  const child = await mp.process(wait, [door]).start()
  expect(await old.drain({ timeout: 200 })).toBe('TimeoutError')
  await expect(mp.process(parentPid).start({ timeout: 300 })).rejects.toThrow(/it takes nothing more/)
  await door.put('open')
  expect(await child.result()).toBe('open')
  expect(await old.drain({ timeout: 5_000 })).toBe('drained')
})

test('what it runs for others does not drain it', async () => {
  const { mp, host } = await field(redis)
  const { pid } = await host()
  const said = await (await mp.process(drainHost).start()).result()
  expect(said).toBeInstanceOf(StateError)
  expect(String(said)).toContain('for another program')
  const pool = mp.pool(1)
  expect(await pool.apply(drainHost)).toBeInstanceOf(StateError)
  expect(await pool.apply(parentPid)).toBe(pid)
  await pool.terminate()
})

test('nor does what that starts there, a process as little as a worker', async () => {
  const { mp, host } = await field(redis)
  const { pid } = await host()
  const said = await (await mp.process(drainFromBelow).start()).result()
  for (const one of said) expect(one).toBeInstanceOf(StateError)
  expect(said).toHaveLength(2)
  expect(await (await mp.process(parentPid).start()).result()).toBe(pid)
})

test('who serves nobody has nothing to drain', async () => {
  const { mp } = await field(redis)
  await expect(mp.drain()).resolves.toBeUndefined()
  await expect(mp.drain({ timeout: Number.NaN })).rejects.toThrow(/timeout must be/)
})

test('on the local adapter there is nothing to drain', async () => {
  const mp = await connect('local:')
  onTestFinished(() => mp.close())
  await mp.drain({ timeout: 0 }).catch((error: unknown) => expect(error).toBeInstanceOf(TimeoutError))
  await mp.drain()
  const [itself] = await mp.hosts()
  expect(itself).toMatchObject({
    pid: process.pid,
    slots: Number.POSITIVE_INFINITY,
    busy: 0,
    labels: {},
    state: 'serving',
  })
})
