/** Starts that ask for a host: who takes them, who does not, and what is said when nobody does. */
import { hostname } from 'node:os'
import { until } from '@skein/conformance'
import { connect, NoHostError, TimeoutError } from '@skein/core'
import { PROTOCOL, VERSION } from '@skein/core/adapter'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { hostForTest } from '../../../integration-tests/support/hosts.ts'
import { freshNamespace, type RedisServer, startRedis } from '../../../integration-tests/support/redis.ts'
import { field } from './serve-field.ts'
import { parentPid, wait } from './targets/serve.mjs'

let redis: RedisServer

beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.close())

const gpu = { gpu: 'yes' }

describe('labels', () => {
  test('a start runs only where all of them are, and waits until there is such a host', async () => {
    const { mp, host } = await field(redis)
    const others = [await host(), await host({ connect: { serve: { labels: { zone: 'a' } } } })]
    const asks = Array.from({ length: 3 }, () => mp.process(parentPid, [], { labels: { zone: 'a', ...gpu } }))
    const started = asks.map((one) => one.start())
    const plain = await mp.process(parentPid).start()
    expect(others.map(({ pid }) => pid)).toContain(await plain.result())
    const { pid } = await host({ connect: { serve: { labels: { zone: 'a', size: 'l', ...gpu } } } })
    await Promise.all(started)
    for (const one of asks) expect(await one.result()).toBe(pid)
  })

  test('of a pool are those of its workers', async () => {
    const { mp, host } = await field(redis)
    await host()
    const { pid } = await host({ connect: { serve: { labels: gpu } } })
    const pool = mp.pool(2, { labels: gpu })
    expect(new Set(await pool.map(parentPid, Array.from({ length: 20 }), { chunkSize: 1 }))).toEqual(new Set([pid]))
    await pool.terminate()
  })

  test('send elsewhere what a program would run itself, and only that', async () => {
    const namespace = freshNamespace()
    const { pid } = await hostForTest(redis.url, namespace, { connect: { serve: { labels: gpu } } })
    const own = await connect(redis.url, { namespace })
    onTestFinished(() => own.close())
    const [here, there] = [own.process(parentPid), own.process(parentPid, [], { labels: gpu })]
    for (const one of [here, there]) await one.start()
    expect(await here.result()).toBe(process.pid)
    expect(await there.result()).toBe(pid)
    const pool = own.pool(1, { labels: gpu })
    expect(await pool.apply(parentPid)).toBe(pid)
    await pool.terminate()
  })

  test('share the slots of a host with what asks for nothing; a full host stands in nobody’s way', async () => {
    const { mp, host } = await field(redis)
    const small = await host({ connect: { serve: { slots: 1, labels: gpu } } })
    const door = mp.queue<string>()
    const first = await mp.process(wait, [door], { labels: gpu }).start()
    const [plain, labelled] = [mp.process(parentPid), mp.process(parentPid, [], { labels: gpu })]
    const started = [plain.start(), labelled.start()]
    await expect(mp.process(parentPid, [], { labels: gpu }).start({ timeout: 1_000 })).rejects.toThrow(NoHostError)
    const large = await host({ connect: { serve: { labels: gpu } } })
    await Promise.all(started)
    expect([await plain.result(), await labelled.result()]).toEqual([large.pid, large.pid])
    await large.close()
    const last = [mp.process(parentPid), mp.process(parentPid, [], { labels: gpu })]
    const late = last.map((one) => one.start())
    await door.put('open')
    await first.join()
    await Promise.all(late)
    for (const one of last) expect(await one.result()).toBe(small.pid)
  })
})

test('host: a start runs on that machine and on no other', async () => {
  const { mp, host } = await field(redis)
  const { pid } = await host()
  const here = await mp.process(parentPid, [], { host: hostname() }).start()
  expect(await here.result()).toBe(pid)
  const elsewhere = mp.process(parentPid, [], { host: 'andromeda' }).start({ timeout: 500 })
  await expect(elsewhere).rejects.toThrow(`${hostname()} (pid ${pid}) has not: it is not andromeda`)
})

describe('when nobody takes it', () => {
  test('H8: and nobody serves, the error says how to', async () => {
    const { mp } = await field(redis)
    const error: unknown = await mp
      .process(parentPid)
      .start({ timeout: 200 })
      .catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(NoHostError)
    expect(error).toBeInstanceOf(TimeoutError)
    expect(error).toMatchObject({
      code: 'ERR_SKEIN_NO_HOST',
      message: expect.stringContaining('no program serves') as unknown,
    })
  })

  test('H8: it says of each host why not', async () => {
    const { mp, host } = await field(redis)
    const full = await host({ connect: { serve: { slots: 1, labels: gpu } } })
    const plain = await host({ connect: { serve: { labels: { gpu: 'no' } } } })
    const stopped = await host({ connect: { serve: { labels: { gpu: 'yes' } } } })
    const foreign = await host({
      env: { ...process.env, SKEIN_SECRET: 'a secret that nobody else here knows' },
      connect: { serve: { labels: gpu } },
    })
    stopped.kill('SIGSTOP')
    const door = mp.queue<string>()
    const first = await mp.process(wait, [door], { labels: gpu }).start()
    const error = await mp.process(parentPid, [], { labels: gpu }).start({ timeout: 500 }).catch(String)
    stopped.kill('SIGCONT')
    for (const line of [
      `(pid ${full.pid}) has not: its 1 slots are taken`,
      `(pid ${plain.pid}) has not: it has no label gpu=yes`,
      `(pid ${stopped.pid}) has not: it does not answer`,
      `(pid ${foreign.pid}) has not: it has another SKEIN_SECRET, or one of the two has none`,
    ])
      expect(error).toContain(line)
    await door.put('open')
    await first.join()
  })
})

test('hosts() tells who serves, what they have and how much they do', async () => {
  const { mp, host } = await field(redis)
  expect(await mp.hosts()).toEqual([])
  const large = await host({ connect: { serve: { slots: 3, labels: { zone: 'a', ...gpu } } } })
  const { pid } = await host()
  const door = mp.queue<string>()
  const child = await mp.process(wait, [door], { labels: gpu }).start()
  const program = expect.any(String) as unknown
  const skew = expect.any(Number) as unknown
  const common = { program, host: hostname(), version: VERSION, protocol: PROTOCOL, skew, state: 'serving' }
  const hosts = (await mp.hosts()).toSorted((one, next) => one.slots - next.slots)
  expect(hosts).toEqual([
    { ...common, pid: large.pid, slots: 3, busy: 1, labels: { zone: 'a', ...gpu } },
    { ...common, pid, slots: Number.POSITIVE_INFINITY, busy: 0, labels: {} },
  ])
  await door.put('open')
  await child.join()
  await until('the slot is free', async () => (await mp.hosts()).every(({ busy }) => busy === 0))
})

test('what strangers list there is passed over', async () => {
  const { mp, host, namespace } = await field(redis)
  const key = `{${namespace}:work}:needs.${PROTOCOL}`
  const texts = [
    '',
    'x',
    '[]',
    'null',
    '[1,[]]',
    '[null,{}]',
    '[null,[1]]',
    '{"host":null}',
    '[null,[["__proto__","x"]]]',
  ]
  for (const text of texts) await redis.ask('ZADD', key, Date.now(), text)
  const { pid } = await host({ connect: { serve: { labels: gpu } } })
  const child = await mp.process(parentPid, [], { labels: gpu }).start()
  expect(await child.result()).toBe(pid)
  await redis.ask('DEL', key)
  await redis.ask('SET', key, 'no sorted set')
  const next = await mp.process(parentPid).start()
  expect(await next.result()).toBe(pid)
})
