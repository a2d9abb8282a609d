/** Work that runs in another program: who takes it, what becomes of it when that program or this one is lost, and what a stranger can do. */
import { isRunning, until } from '@skein/conformance'
import { connect, StateError, TimeoutError } from '@skein/core'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { hostForTest } from '../../../integration-tests/support/hosts.ts'
import { redisForTest, type RedisServer, startRedis } from '../../../integration-tests/support/redis.ts'
import { workKey } from '../src/supervisor/host/needs.ts'
import { counter, field } from './serve-field.ts'
import { count, first, joinAnother, makeQueue, parentPid, putOne, slow, swap, wait } from './targets/serve.mjs'

let redis: RedisServer

beforeAll(async () => {
  redis = await startRedis()
})

afterAll(() => redis.close())

describe('who takes it', () => {
  test('processes and workers run in the programs that serve, and spread over them', async () => {
    const { mp, host } = await field(redis)
    const hosts = [await host(), await host()]
    const parents = new Set<number>()
    // Which of them is quicker to ask for the next one is chance.
    while (parents.size < hosts.length) {
      const processes = Array.from({ length: 4 }, () => mp.process(parentPid))
      for (const one of processes) await one.start()
      for (const one of processes) parents.add(await one.result())
    }
    expect(parents).toEqual(new Set(hosts.map(({ pid }) => pid)))
    const pool = mp.pool(4)
    const workers = await pool.map(parentPid, Array.from({ length: 64 }), { chunkSize: 1 })
    for (const parent of workers) expect(hosts.map(({ pid }) => pid)).toContain(parent)
    await pool.terminate()
  })

  test('H8: a start waits until there is a program that takes it', async () => {
    const { mp, host } = await field(redis)
    const child = mp.process(parentPid)
    const started = child.start()
    const { pid } = await host()
    await started
    expect(await child.result()).toBe(pid)
  })

  test('a start that nobody takes in time is taken back', async () => {
    const { mp, host } = await field(redis)
    const [early, late] = [mp.process(first), mp.process(first)]
    await expect(early.start({ timeout: 50 })).rejects.toThrow(TimeoutError)
    await host()
    await late.start()
    expect((await late.join()).reason).toBe('returned')
    expect((await early.join()).reason).toBe('signaled')
  })

  test('no more run at once than there are slots', async () => {
    const { mp, host } = await field(redis)
    await host({ connect: { serve: { slots: 1 } } })
    const door = mp.queue<string>()
    const [one, two] = [mp.process(wait, [door]), mp.process(wait, [door])]
    await one.start()
    const second = two.start()
    await expect(two.join({ timeout: 200 })).rejects.toThrow(TimeoutError)
    await door.put('through')
    expect(await one.result()).toBe('through')
    await second
    await door.put('after')
    expect(await two.result()).toBe('after')
  })

  test('a start that is given up at any moment leaves neither a process nor a taken slot', async () => {
    const { mp, host } = await field(redis)
    const taker = await host({ connect: { serve: { slots: 1 } } })
    const said = mp.queue<[number, number]>()
    for (let delay = 0; delay < 60; delay += 2) {
      const child = mp.process(count, [said, counter().path])
      const start = child.start({ timeout: delay })
      await start.catch((error: unknown) => expect(error).toBeInstanceOf(TimeoutError))
      await child.kill()
    }
    const last = mp.process(parentPid)
    await last.start()
    expect(await last.result()).toBe(taker.pid)
    for (let one = await said.tryGet(); one !== null; one = await said.tryGet()) {
      const [pid] = one.value
      await until('it is gone', () => !isRunning(pid))
    }
  })

  test('one that closes leaves what it has not begun to the others', async () => {
    const { mp, host } = await field(redis)
    const [one, two] = [
      await host({ connect: { serve: { slots: 2 } } }),
      await host({ connect: { serve: { slots: 20 } } }),
    ]
    const children = Array.from({ length: 8 }, () => mp.process(parentPid))
    const started = children.map((child) => child.start())
    const closed = one.close()
    await Promise.allSettled(started)
    await closed
    const exits = await Promise.all(children.map((child) => child.join()))
    for (const { reason } of exits) expect(['returned', 'signaled']).toContain(reason)
    const next = mp.process(parentPid)
    await next.start()
    expect(await next.result()).toBe(two.pid)
  })

  test('a Redis that comes back empty delays starts, and loses none', async () => {
    const server = await redisForTest({ own: true })
    const { mp, host } = await field(server)
    const child = mp.process(parentPid)
    const started = child.start()
    await until('the start is known to Redis', async () => (await server.ask('DBSIZE')) !== 0)
    await server.kill()
    await server.restart({ empty: true })
    const { pid } = await host()
    await started
    expect(await child.result()).toBe(pid)
  })

  test('a slow task does not hold up those behind it', async () => {
    const { mp, host } = await field(redis)
    await host()
    const pool = mp.pool(2)
    await pool.map(slow, [1, 1, 1, 1], { chunkSize: 1 })
    const long = pool.applyAsync(slow, [3_000])
    const quick = await Promise.all(Array.from({ length: 40 }, () => pool.apply(slow, [1])))
    expect(quick).toHaveLength(40)
    expect(long.ready()).toBe(false)
    await pool.terminate()
  })

  test('a task that is cancelled while it runs elsewhere ends; one that waits never runs; the pool goes on', async () => {
    const { mp, host } = await field(redis)
    await host()
    const said = mp.queue<[number, number]>()
    const { path, count: counted } = counter()
    const pool = mp.pool(1)
    const running = pool.applyAsync(count, [said, path])
    const waiting = pool.applyAsync(count, [said, path])
    const [pid] = await said.get()
    expect(await waiting.cancel()).toBe(true)
    expect(await running.cancel()).toBe(true)
    await until('its worker is gone', () => !isRunning(pid))
    expect(await pool.apply(slow, [1])).toBe(1)
    const last = counted()
    expect(await said.tryGet()).toBeNull()
    expect(counted()).toBe(last)
    await pool.terminate()
  })
})

describe('what has no name', () => {
  test('is the same object in another program', async () => {
    const { mp, host } = await field(redis)
    await host()
    const queue = mp.queue<string>()
    const [here, there] = mp.pipe<number, number>()
    const one = mp.process(putOne<string>, [queue, 'item'])
    const two = mp.process(swap, [there])
    await one.start()
    await two.start()
    expect(await queue.get()).toBe('item')
    await here.send(1)
    expect(await here.recv()).toBe(2)
    await one.join()
    await two.join()
    await expect(here.recv()).rejects.toThrow('closed')
  })

  test('reaches a program that has nothing else to do with its maker, through a queue', async () => {
    const { mp } = await field(redis)
    const anonymous = mp.queue<number>()
    await mp.queue<unknown>('between').put({ anonymous })
    await anonymous.put(7)
    const { namespace } = mp
    const relay = await hostForTest(redis.url, namespace, {
      env: { ...process.env, SKEIN_TEST_DRAIN: 'between' },
    })
    expect(await mp.queue<number>('drained').get()).toBe(7)
    relay.kill('SIGKILL')
  })

  test('ends there with its creator, and says so', async () => {
    const { mp, host } = await field(redis)
    await host()
    const maker = mp.process(makeQueue<number>, [1])
    await maker.start()
    const queue = await maker.result()
    await maker.join()
    await expect(queue.get({ timeout: 5_000 })).rejects.toThrow(StateError)
  })

  test('a handle of a process works in a third one, wherever they run', async () => {
    const { mp, host } = await field(redis)
    await host()
    await host()
    const door = mp.queue<string>()
    const one = mp.process(wait<string>, [door])
    await one.start()
    const others = [mp.process(joinAnother<string>, [one]), mp.process(joinAnother<string>, [one])]
    for (const other of others) await other.start()
    await door.put('through')
    for (const other of others) expect(await other.result()).toEqual([0, 'through'])
  })
})

describe('a stranger who can write into Redis', () => {
  test('starts nothing by jobs that nobody has put up, and keeps nobody from working', async () => {
    const { mp, namespace, host } = await field(redis)
    const taker = await host()
    const child = mp.process(first)
    await child.start()
    await child.join()
    const stranger = await connect(redis.url, { namespace })
    onTestFinished(() => stranger.close())
    const sessions = (await redis.ask('HKEYS', `{${namespace}:sessions}:info`)) as string[]
    for (const data of [
      '{"session":"nobody","run":"nobody.1#1"}',
      ...sessions.map((sid) => `{"session":"${sid}","run":"${child.id}#1"}`),
      ...sessions.map((sid) => `{"session":"${sid}","run":"__proto__"}`),
      '{}',
      '[1]',
      'no json',
    ]) {
      const id = await redis.ask('INCR', `{${namespace}:${workKey({ seal: null })}}:q:id`)
      await redis.ask(
        'HSET',
        `{${namespace}:${workKey({ seal: null })}}:q:${String(id)}`,
        'data',
        data,
        'name',
        'x',
        'opts',
        '{}',
        'timestamp',
        1,
      )
      await redis.ask('LPUSH', `{${namespace}:${workKey({ seal: null })}}:q:wait`, String(id))
    }
    const next = mp.process(parentPid)
    await next.start()
    expect(await next.result()).toBe(taker.pid)
  })
})

test.each([0, 'yes', { slots: 0 }, { slots: 1.5 }, { slot: 1 }])(
  'serve: %j is refused in one sentence',
  async (serve) => {
    const refused = connect('redis://127.0.0.1:1', { serve: serve as never })
    await expect(refused).rejects.toMatchObject({ code: 'ERR_SKEIN_ARGUMENT' })
    await expect(refused).rejects.toThrow(/serve/)
  },
)
