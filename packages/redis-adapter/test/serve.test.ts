/** Work that runs in another program: who takes it, what becomes of it when that program or this one is lost, and what a stranger can do. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isRunning, until } from '@skein/conformance'
import { connect, type ConnectOptions, type Context, HostLostError, StateError, TimeoutError } from '@skein/core'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { type Host, hostForTest, type HostOptions } from '../../../integration-tests/support/hosts.ts'
import { freshNamespace, redisForTest, type RedisServer, startRedis } from '../../../integration-tests/support/redis.ts'
import {
  count,
  first,
  holdAndTell,
  joinAnother,
  makeQueue,
  parentPid,
  putOne,
  slow,
  swap,
  wait,
} from './targets/serve.mjs'

const TTL = 500

let redis: RedisServer

beforeAll(async () => {
  redis = await startRedis()
})

afterAll(() => redis.close())

interface Field {
  readonly mp: Context
  readonly namespace: string
  readonly host: (options?: HostOptions) => Promise<Host>
  /** Another program's context, in this process. */
  readonly other: (options?: ConnectOptions) => Promise<Context>
}

async function field(server: RedisServer = redis): Promise<Field> {
  const namespace = freshNamespace()
  const mp = await connect(server.url, { namespace, serve: false, sessionTtl: TTL })
  onTestFinished(() => mp.close())
  return {
    mp,
    namespace,
    host: ({ connect: more, ...options } = {}) =>
      hostForTest(server.url, namespace, { ...options, connect: { sessionTtl: TTL, ...more } }),
    other: async (options) => {
      const context = await connect(server.url, { namespace, sessionTtl: TTL, ...options })
      onTestFinished(() => context.close())
      return context
    },
  }
}

function counter(): { readonly path: string; readonly count: () => number } {
  const folder = mkdtempSync(join(tmpdir(), 'skein-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'count')
  return { path, count: () => readFileSync(path).length }
}

describe('who takes it', () => {
  test('processes and workers run in the programs that serve, and spread over them', async () => {
    const { mp, host } = await field()
    const hosts = [await host(), await host()]
    const processes = Array.from({ length: 6 }, () => mp.process(parentPid))
    for (const one of processes) await one.start()
    const parents = await Promise.all(processes.map((one) => one.result()))
    expect(new Set(parents)).toEqual(new Set(hosts.map(({ pid }) => pid)))
    const pool = mp.pool(4)
    const workers = await pool.map(parentPid, Array.from({ length: 64 }), { chunkSize: 1 })
    for (const parent of workers) expect(hosts.map(({ pid }) => pid)).toContain(parent)
    await pool.terminate()
  })

  test('a start waits until there is a program that takes it', async () => {
    const { mp, host } = await field()
    const child = mp.process(parentPid)
    const started = child.start()
    const { pid } = await host()
    await started
    expect(await child.result()).toBe(pid)
  })

  test('a start that nobody takes in time is taken back', async () => {
    const { mp, host } = await field()
    const [early, late] = [mp.process(first), mp.process(first)]
    await expect(early.start({ timeout: 50 })).rejects.toThrow(TimeoutError)
    await host()
    await late.start()
    expect((await late.join()).reason).toBe('returned')
    expect((await early.join()).reason).toBe('signaled')
  })

  test('no more run at once than there are slots', async () => {
    const { mp, host } = await field()
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
    const { mp, host } = await field()
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
    const { mp, host } = await field()
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

describe('a program that is lost', () => {
  test('takes its processes along: whoever waits is told, what they held goes on', async () => {
    const { mp, host } = await field()
    const taker = await host()
    const [lock, said] = [mp.lock('held'), mp.queue<[number, number]>()]
    const child = mp.process(holdAndTell, [lock, said])
    await child.start()
    const [pid, parent] = await said.get()
    expect(parent).toBe(taker.pid)
    taker.kill('SIGKILL')
    const exit = await child.join()
    expect(exit).toMatchObject({ exitCode: null, signal: null, reason: 'host-lost' })
    expect(exit.error).toBeInstanceOf(HostLostError)
    await expect(child.result()).rejects.toThrow(HostLostError)
    await (await lock.acquire()).release()
    await until('its process is gone, too', () => !isRunning(pid))
  })

  test('a pool starts other workers, and no task settles twice', async () => {
    const { mp, host } = await field()
    const taker = await host()
    const pool = mp.pool(2)
    const settled = new Map<number, number>()
    const tasks = Array.from({ length: 60 }, (_, n) => pool.applyAsync(slow, [n], { retries: 1 }))
    for (const [n, task] of tasks.entries())
      void task.then((result) => settled.set(n, (settled.get(n) ?? 0) + Number(result === n)))
    await tasks[3]
    await host()
    taker.kill('SIGKILL')
    expect(await Promise.all(tasks)).toEqual(tasks.map((_, n) => n))
    expect([...settled.values()].every((times) => times === 1)).toBe(true)
    await pool.terminate()
  })

  test('one that was stopped and goes on ends what it ran, whose results nobody takes', async () => {
    const { mp, host } = await field()
    const taker = await host()
    const said = mp.queue<[number, number]>()
    const { path } = counter()
    const child = mp.process(count, [said, path])
    await child.start()
    const [pid] = await said.get()
    taker.kill('SIGSTOP')
    expect((await child.join()).reason).toBe('host-lost')
    expect(isRunning(pid)).toBe(true)
    taker.kill('SIGCONT')
    await until('what it ran is gone', () => !isRunning(pid))
  })

  test('what it ran ends when the program that started it is killed', async () => {
    const { namespace, host, other } = await field()
    const taker = await host()
    const starter = await hostForTest(redis.url, namespace, {
      connect: { serve: false, sessionTtl: TTL },
      env: { ...process.env, SKEIN_TEST_COUNT: counter().path },
    })
    const mp = await other()
    const said = mp.queue<[number, number]>('said')
    const [pid, parent] = await said.get()
    expect(parent).toBe(taker.pid)
    starter.kill('SIGKILL')
    await until('its child in the other program is gone', () => !isRunning(pid))
  })

  test('one that closes in good order ends what it ran with SIGTERM', async () => {
    const { mp, host } = await field()
    const taker = await host()
    const said = mp.queue<[number, number]>()
    const child = mp.process(count, [said, counter().path])
    await child.start()
    await said.get()
    await taker.close()
    expect(await child.join()).toMatchObject({ reason: 'signaled', signal: 'SIGTERM' })
  })
})

describe('what has no name', () => {
  test('is the same object in another program', async () => {
    const { mp, host } = await field()
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
    const { mp } = await field()
    const anonymous = mp.queue<number>()
    await mp.queue<unknown>('between').put({ anonymous })
    await anonymous.put(7)
    const { namespace } = mp
    const relay = await hostForTest(redis.url, namespace, {
      connect: { sessionTtl: TTL },
      env: { ...process.env, SKEIN_TEST_DRAIN: 'between' },
    })
    expect(await mp.queue<number>('drained').get()).toBe(7)
    relay.kill('SIGKILL')
  })

  test('ends there with its creator, and says so', async () => {
    const { mp, host } = await field()
    await host()
    const maker = mp.process(makeQueue<number>, [1])
    await maker.start()
    const queue = await maker.result()
    await maker.join()
    await expect(queue.get({ timeout: 5_000 })).rejects.toThrow(StateError)
  })

  test('a handle of a process works in a third one, wherever they run', async () => {
    const { mp, host } = await field()
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
    const { mp, namespace, host } = await field()
    const taker = await host()
    const child = mp.process(first)
    await child.start()
    await child.join()
    const stranger = await connect(redis.url, { namespace })
    onTestFinished(() => stranger.close())
    for (const data of [
      '{"program":"nobody","id":"nobody.1"}',
      `{"program":"${child.id.split('.')[0]}","id":"${child.id}"}`,
      '{}',
      '[1]',
      'no json',
    ]) {
      const id = await redis.ask('INCR', `{${namespace}:work:any}:q:id`)
      await redis.ask(
        'HSET',
        `{${namespace}:work:any}:q:${String(id)}`,
        'data',
        data,
        'name',
        'x',
        'opts',
        '{}',
        'timestamp',
        1,
      )
      await redis.ask('LPUSH', `{${namespace}:work:any}:q:wait`, String(id))
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
