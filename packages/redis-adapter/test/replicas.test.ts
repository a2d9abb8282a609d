/** `replicas`: what is granted is on so many of them before anybody counts on it. */
import {
  ArgumentError,
  AuthenticationError,
  CapacityError,
  connect,
  ConnectionError,
  type Context,
  TimeoutError,
} from '@skein/core'
import { until } from '@skein/conformance'
import type { Redis } from 'ioredis'
import { once } from 'node:events'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { entered, freshNamespace, type RedisControls } from '../../../integration-tests/support/redis.ts'
import { startProcess } from '../../../integration-tests/support/redis-process.ts'
import { Proxy } from '../../../integration-tests/support/proxy.ts'
import { ask } from '../../../integration-tests/support/resp.ts'
import { serverOf } from '../src/options.ts'
import { makeClient } from '../src/supervisor/connections.ts'
import { Replication, type ReplicationOptions } from '../src/supervisor/replication.ts'
import { COMMAND_DEADLINE, commandSettings } from '../src/supervisor/settings.ts'

let master: RedisControls
let replica: RedisControls
let namespace: string

/** Two that reach each other. */
async function started(args: readonly string[]): Promise<RedisControls> {
  const server = await startProcess({ own: true, args })
  if (typeof server === 'string') throw new Error(server)
  onTestFinished(() => server.close())
  return server
}

beforeEach(async () => {
  master = await started(['--repl-diskless-sync-delay', '0'])
  const { hostname, port } = new URL(master.url)
  replica = await started(['--replicaof', hostname, port])
  namespace = freshNamespace()
  await until('the replica is connected', async () =>
    String(await ask(master.url, 'INFO', 'replication')).includes('state=online'),
  )
})

async function opened(replicas: number, sessionTtl = 5_000): Promise<Context> {
  const mp = await connect(master.url, { namespace, replicas, sessionTtl })
  onTestFinished(() => mp.close())
  return mp
}

test('R11: who holds is known to the replica, too', async () => {
  const mp = await opened(1)
  const there = async (key: string): Promise<unknown> => ask(replica.url, 'EXISTS', `{${namespace}:${key}}:h`)
  await mp.lock('a').with(async () => expect(await there('lock:a')).toBe(1))
  await mp.semaphore(2, 'b').with(async () => expect(await there('semaphore:b')).toBe(1))
  await mp.rwlock('c').read.with(async () => expect(await there('rwlock:c')).toBe(1))
  const lease = await mp.lock('d').tryAcquire()
  expect(lease).not.toBeNull()
  expect(await there('lock:d')).toBe(1)
  await lease?.release()
})

test('R11: without the replica nobody is granted anything, and the lock is free; with it again, it is as before', async () => {
  const [careful, careless] = [await opened(1), await connect(master.url, { namespace: `${namespace}x` })]
  onTestFinished(() => careless.close())
  await replica.stop()
  const refused = careful.lock('a').acquire()
  await expect(refused).rejects.toThrow(ConnectionError)
  await expect(refused).rejects.toThrow(
    /^lock "a" was granted and given back: 0 of 1 replicas have confirmed it within 1000 ms; are they running/,
  )
  await expect(refused).rejects.toMatchObject({ retryable: true })
  expect(await careful.lock('a').holder()).toBeNull()
  // Another namespace of the same server asks for none.
  await careless.lock('a').with(() => undefined)
  await replica.cont()
  await until('it confirms again', async () =>
    careful
      .lock('a')
      .with(() => true)
      .catch(() => false),
  )
})

test('who gives up while a replica is asked holds nothing when that confirms', async () => {
  const mp = await opened(1)
  const lock = mp.lock('a')
  await replica.stop()
  await expect(lock.acquire({ timeout: 50 })).rejects.toThrow(TimeoutError)
  await replica.cont()
  const lease = await lock.acquire({ timeout: 10_000 })
  await lease.release()
})

test('a replica has the time that is said, also where that is longer than any command may take', async () => {
  const mp = await opened(1, 27_500)
  await replica.stop()
  const began = performance.now()
  await expect(mp.lock('a').acquire()).rejects.toThrow(/ within 5500 ms; /)
  expect(performance.now() - began).toBeGreaterThan(5_490)
})

test('many who want it wait for the replica together, and hold it one at a time', async () => {
  const mp = await opened(1)
  const lock = mp.lock('a')
  let inside = 0
  const tokens: number[] = []
  const one = async (): Promise<void> => {
    for (let turn = 0; turn < 5; turn += 1) {
      await lock.with(async (lease) => {
        inside += 1
        expect(inside).toBe(1)
        await new Promise((resolve) => setImmediate(resolve))
        tokens.push(lease.token)
        inside -= 1
      })
    }
  }
  const permits = mp.semaphore(3, 'b')
  const other = async (): Promise<void> => {
    for (let turn = 0; turn < 5; turn += 1) await permits.with(() => undefined)
  }
  await Promise.all([one(), one(), one(), other(), other(), other(), other()])
  expect(tokens).toHaveLength(15)
  expect(tokens).toEqual(tokens.toSorted((a, b) => a - b))
})

/** The connection over which replicas are asked about is cut. */
async function cut(): Promise<void> {
  const clients = String(await ask(master.url, 'CLIENT', 'LIST'))
  const [, id = ''] = new RegExp(`id=(\\d+) .*name=skein:${namespace}:replicas`).exec(clients) ?? []
  expect(await ask(master.url, 'CLIENT', 'KILL', 'ID', id)).toBe(1)
}

test('a connection that is cut is made again, and asks for what was granted meanwhile', async () => {
  const mp = await opened(1)
  expect(await mp.lock('a').with(() => 'before')).toBe('before')
  await cut()
  expect(await mp.lock('a').with(() => 'after')).toBe('after')
})

test('a user who may not wait for replicas is told so, at the start and later', async () => {
  const user = async (...rights: string[]): Promise<unknown> =>
    ask(master.url, 'ACL', 'SETUSER', 'alice', 'on', '>word', '~*', '&*', '+@all', ...rights)
  const asAlice = async (): Promise<Context> => connect(entered(master.url, 'alice:word'), { namespace, replicas: 1 })
  await user('-wait')
  const refused = asAlice()
  await expect(refused).rejects.toThrow(AuthenticationError)
  await expect(refused).rejects.toThrow(/does not let this user do what is needed .*'wait'.*; its ACL must allow it/)
  await user()
  const mp = await asAlice()
  onTestFinished(() => mp.close())
  const lock = mp.lock('a')
  await lock.with(() => undefined)
  await user('-wait')
  await expect(lock.acquire()).rejects.toThrow(AuthenticationError)
  expect(await lock.holder()).toBeNull()
})

test("a store that is full when it is somebody else's turn is told as full", async () => {
  const [mp, other] = [await opened(1), await opened(1)]
  const lease = await mp.lock('a').acquire()
  const waiting = other.lock('a').acquire()
  await until('it waits', async () => (await ask(master.url, 'LLEN', `{${namespace}:lock:a}:w`)) === 1)
  await ask(master.url, 'CONFIG', 'SET', 'maxmemory', '1')
  await lease.release()
  await expect(waiting).rejects.toThrow(CapacityError)
  await ask(master.url, 'CONFIG', 'SET', 'maxmemory', '0')
  await other.lock('a').with(() => undefined)
})

async function reached(url: string): Promise<Redis> {
  const client = makeClient(commandSettings(serverOf(url), `skein:${namespace}`))
  onTestFinished(() => client.disconnect())
  await client.connect()
  return client
}

/** Of none, unless said otherwise: then whoever answers confirms it. */
function asking(more: Pick<ReplicationOptions, 'client' | 'main'> & Partial<ReplicationOptions>): Replication {
  return new Replication({ where: 'here', mask: (text) => text, key: namespace, replicas: 0, patience: 100, ...more })
}

test('what one server has granted, the replicas of another one do not confirm', async () => {
  await ask(replica.url, 'REPLICAOF', 'NO', 'ONE')
  const [client, main] = [await reached(replica.url), await reached(master.url)]
  expect(await asking({ client, main: client }).lacking('a')).toBeNull()
  const why = await asking({ client, main }).lacking('a')
  expect(why).toBeInstanceOf(ConnectionError)
  expect(why?.message).toMatch(/^Redis at here is another server for one connection/)
})

test('nor where both connections lead to that one before it has answered', async () => {
  await ask(replica.url, 'REPLICAOF', 'NO', 'ONE')
  const [client, main] = [await reached(master.url), await reached(master.url)]
  const replication = asking({ client, main, patience: 5_000 })
  expect(await replication.lacking('a')).toBeNull()
  // One after the other, as the sockets of a dead server fail.
  for (const one of [client, main]) one.options.port = Number(new URL(replica.url).port)
  client.disconnect(true)
  await once(client, 'close')
  const why = replication.lacking('lock "a"')
  main.disconnect(true)
  expect((await why)?.message).toBe(
    'lock "a" was granted and given back: the connection to Redis at here was lost before replicas had confirmed it',
  )
  expect(await replication.lacking('lock "b"')).toBeNull()
})

test('a server that is away is waited for, on both connections, and how often it refuses them does not count', async () => {
  const [client, main] = [await reached(master.url), await reached(master.url)]
  main.options.retryStrategy = () => 500
  const closed = [client, main].map((one) => once(one, 'close'))
  await master.kill()
  await Promise.all(closed)
  const short = await asking({ client, main }).lacking('a')
  expect(short).toBeInstanceOf(ConnectionError)
  expect(short?.message).toBe(
    'no connection to Redis at here (not connected again within 100 ms); is it running, and reachable from here?',
  )
  const refused = new Promise<void>((resolve) => client.once('error', () => resolve()))
  const long = asking({ client, main, patience: 10_000 }).lacking('a')
  await refused
  await master.restart()
  expect(await long).toBeNull()
})

test('a connection that is cut, or silent, while it is asked holds up no grant, and the next question gets its answer', async () => {
  const proxy = await Proxy.start(master.url)
  onTestFinished(() => proxy.close())
  const [client, main] = [await reached(proxy.url), await reached(master.url)]
  for (const happens of ['cut', 'silent'] as const) {
    for (const question of [/\r\nwait\r\n/i, /\r\ninfo\r\n/i]) {
      // Each begins with the look where both lead.
      const replication = asking({ client, main })
      const began = performance.now()
      const asked = happens === 'cut' ? proxy.dropReply(question) : proxy.muteAt(question)
      const why = await replication.lacking('a')
      await asked
      expect(why).toBeInstanceOf(ConnectionError)
      expect(why?.message).toMatch(happens === 'cut' ? /Connection is closed/ : /no answer within 600 ms/)
      expect(performance.now() - began).toBeLessThan(COMMAND_DEADLINE - 1_000)
      proxy.unmute()
      await until('it is answered again', async () => (await replication.lacking('a')) === null)
    }
  }
})

test('an array of urls takes none: a majority has confirmed what it grants', async () => {
  await expect(connect([master.url], { namespace, replicas: 1 })).rejects.toThrow(ArgumentError)
})
