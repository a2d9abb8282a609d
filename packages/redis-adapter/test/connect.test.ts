/** What `connect('redis://…')` does when it cannot: in time, with the cause, without the password. */
import { createServer as createHttpServer } from 'node:http'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, connect as connectTo, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  AuthenticationError,
  ConnectionError,
  connect,
  NotSupportedError,
  ProtocolError,
  StateError,
  TlsError,
} from '@skein/core'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { isClustered, nodesOf } from '../../../integration-tests/support/clustered.ts'
import { leftovers } from '../../../integration-tests/support/leftovers.ts'
import { Program } from '../../../integration-tests/support/program.ts'
import { Proxy } from '../../../integration-tests/support/proxy.ts'
import { startProcess } from '../../../integration-tests/support/redis-process.ts'
import { ask } from '../../../integration-tests/support/resp.ts'
import {
  entered,
  freshNamespace,
  redisForTest,
  type RedisServer,
  startRedis,
} from '../../../integration-tests/support/redis.ts'

const SECRET = 'correct-horse:b@ttery'
const PASSWORD = encodeURIComponent(SECRET)

/** Everything that an error shows anywhere. */
function everythingOf(error: unknown): string {
  const parts: string[] = []
  const seen = new Set<unknown>()
  const walk = (value: unknown): void => {
    if (typeof value === 'string') parts.push(value)
    if (typeof value !== 'object' || value === null || seen.has(value)) return
    seen.add(value)
    for (const key of Reflect.ownKeys(value)) walk(Reflect.get(value, key))
  }
  walk(error)
  return parts.join('\n')
}

/** Rejects with this class within 5 s, has a cause, and tells no secret. */
async function refused(url: string, type: abstract new (...args: never[]) => Error): Promise<Error> {
  const began = performance.now()
  const error: unknown = await connect(url, { namespace: freshNamespace() }).then(
    () => new Error('it connected'),
    (why: unknown) => why,
  )
  const took = performance.now() - began
  expect(error).toBeInstanceOf(type)
  expect(took).toBeLessThan(5_000)
  const all = everythingOf(error)
  for (const form of [SECRET, PASSWORD, encodeURI(SECRET)]) expect(all).not.toContain(form)
  return error as Error
}

async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const open = new Set<Socket>()
  server.on('connection', (socket: Socket) => open.add(socket))
  onTestFinished(() => {
    for (const socket of open) socket.destroy()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

function portOf(url: string): number {
  return Number(new URL(url).port)
}

describe('connect() refuses', () => {
  let redis: RedisServer
  beforeAll(async () => {
    redis = await startRedis({ own: true })
  })
  afterAll(() => redis.close())

  test('H18: a password that the server does not want', async () => {
    await redis.config('requirepass', 'another')
    onTestFinished(async () => {
      for (const { admin } of nodesOf(redis)) {
        await ask(entered(admin, ':another'), 'CONFIG', 'SET', 'requirepass', '')
      }
    })
    const error = await refused(entered(redis.url, `:${PASSWORD}`), AuthenticationError)
    expect(error.message).toMatch(/refused the credentials .*WRONGPASS/)
    expect(error.cause).toBeInstanceOf(Error)
    const without = await refused(entered(redis.url, ''), AuthenticationError)
    expect(without.message).toContain('NOAUTH')
  })

  test('H18: a closed port', async () => {
    const server = createServer()
    const port = await listening(server)
    server.close()
    const error = await refused(`redis://user:${PASSWORD}@127.0.0.1:${port}`, ConnectionError)
    expect(error.constructor).toBe(ConnectionError)
    expect(error.message).toContain(`redis://127.0.0.1:${port}`)
    expect(error.cause).toMatchObject({ code: 'ECONNREFUSED' })
  })

  test('a host that does not exist', async () => {
    const error = await refused(`redis://:${PASSWORD}@no-such-host.invalid:6379`, ConnectionError)
    expect(error.cause).toMatchObject({ code: expect.stringMatching(/^E/) })
  })

  test('H18: a server that says nothing', async () => {
    const port = await listening(createServer())
    const error = await refused(`redis://:${PASSWORD}@127.0.0.1:${port}`, ConnectionError)
    expect(error.message).toMatch(/no answer within/)
  })

  test('H18: what is not Redis', async () => {
    const port = await listening(createHttpServer())
    const error = await refused(`redis://:${PASSWORD}@127.0.0.1:${port}`, ProtocolError)
    expect(error.message).toMatch(/not Redis/)
    const talker = await listening(createServer((socket) => socket.write('SSH-2.0-OpenSSH_9.2\r\n')))
    await refused(`redis://:${PASSWORD}@127.0.0.1:${talker}`, ProtocolError)
  })

  test('H18: TLS to a port without it', async () => {
    const error = await refused(`rediss://:${PASSWORD}@127.0.0.1:${portOf(redis.admin)}`, TlsError)
    expect(error.message).toMatch(/redis:\/\/ is for one that does not/)
    const port = await listening(createHttpServer())
    await refused(`rediss://:${PASSWORD}@127.0.0.1:${port}`, TlsError)
  })

  test('a database that the server does not have, or its user may not choose: the client would go on in another one', async () => {
    // A cluster has one database, which is told otherwise.
    const words = isClustered() ? /cluster, which has no database 99/ : /has no database 99; use one that it has/
    const error = await refused(`${redis.url}/99`, NotSupportedError)
    expect(error.message).toMatch(words)
    if (isClustered()) return
    await redis.ask('ACL', 'SETUSER', 'bound', 'on', `>${SECRET}`, '~*', '&*', '+@all', '-select')
    const forbidden = await refused(`${entered(redis.url, `bound:${PASSWORD}`)}/3`, AuthenticationError)
    expect(forbidden.message).toMatch(/select/)
    expect(await redis.ask('KEYS', '*')).toEqual([])
  })

  test('H19: a server that throws keys away', async () => {
    await redis.config('maxmemory-policy', 'allkeys-lru')
    onTestFinished(() => redis.config('maxmemory-policy', 'noeviction'))
    const error = await refused(redis.url, StateError)
    expect(error.message).toContain('CONFIG SET maxmemory-policy noeviction')
  })

  test('H19: a server that is too old', async () => {
    // A real one, which gives itself out for another.
    const old = createServer((client) => {
      const server = connectTo(portOf(redis.admin), '127.0.0.1')
      server.on('data', (bytes: Buffer) => {
        client.write(Buffer.from(bytes.toString('latin1').replace(/redis_version:\d/, 'redis_version:5'), 'latin1'))
      })
      client.on('data', (bytes: Buffer) => server.write(bytes))
      for (const socket of [client, server]) {
        socket.on('error', () => undefined)
        socket.on('close', () => [client, server].map((one) => one.destroy()))
      }
    })
    const error = await refused(`redis://127.0.0.1:${await listening(old)}`, NotSupportedError)
    expect(error.message).toMatch(/is version 5\..*; Skein needs 6\.2 or later, or Valkey; upgrade the server/)
  })

  test('H19: a replica', async () => {
    // One of a cluster leads to its masters.
    const replica = await redisForTest({ own: true, single: true, args: ['--replicaof', '127.0.0.1', '1'] })
    const error = await refused(replica.url, StateError)
    expect(error.message).toMatch(/replica.*127\.0\.0\.1:1/)
  })

  test('H18: a user who may not do what is needed', async () => {
    await redis.ask('ACL', 'SETUSER', 'poor', 'on', `>${SECRET}`, '~*', '&*', '+@all', '-evalsha', '-eval')
    const error = await refused(entered(redis.url, `poor:${PASSWORD}`), AuthenticationError)
    expect(error.message).toMatch(/eval/)
  })

  test('H19: a node of a cluster that is not whole', async () => {
    const node = await startRedis({ own: true, single: true, args: ['--cluster-enabled', 'yes'] })
    onTestFinished(() => node.close())
    const error = await refused(node.url, ConnectionError)
    expect(error.message).toMatch(/the cluster of Redis at .* has no master for slot 0; CLUSTER INFO there tells more/)
  })

  test('a Sentinel', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'skein-sentinel-'))
    // It writes into its configuration.
    const file = join(folder, 'sentinel.conf')
    await writeFile(file, `sentinel monitor main 127.0.0.1 ${portOf(redis.admin)} 1\n`)
    const sentinel = await startProcess({ own: true, file, args: ['--sentinel'] })
    if (typeof sentinel === 'string') throw new Error(sentinel)
    onTestFinished(async () => {
      await sentinel.close()
      await rm(folder, { recursive: true })
    })
    const error = await refused(sentinel.url, NotSupportedError)
    expect(error.message).toMatch(
      /is a Sentinel, which keeps no data; redis\+sentinel:\/\/127\.0\.0\.1:\d+\/NAME is the master/,
    )
  })
})

describe('a connection that is closed in the middle of its handshake', () => {
  // AUTH, the name of the connection, INFO, SUBSCRIBE, the first script; and that of a master for locks.
  const stages = [/AUTH/i, /setname/i, /info/i, /\r\nsubscribe\r\n/i, /EVALSHA/i]

  async function withPassword(): Promise<string> {
    const server = await redisForTest({ own: true })
    await server.config('requirepass', SECRET)
    return entered(server.url, `:${PASSWORD}`)
  }

  test('and made again leaves no error that nobody has caught', async () => {
    const url = await withPassword()
    const ends = stages.map(async (stage) => {
      const proxy = await Proxy.start(url)
      onTestFinished(() => proxy.close())
      const dropped = proxy.dropReply(stage)
      const program = new Program('take.mjs', { args: [proxy.url] })
      await dropped
      return program.ended
    })
    for (const end of await Promise.all(ends)) {
      expect(end).toMatchObject({ code: 0, stdout: 'took true\n', stderr: '' })
    }
  })

  test('by connect() itself, which gives up, neither', async () => {
    const url = await withPassword()
    const ends = stages.map(async (stage) => {
      const proxy = await Proxy.start(url)
      onTestFinished(() => proxy.close())
      void proxy.seen(stage).then(() => proxy.hold())
      return new Program('take.mjs', { args: [proxy.url] }).ended
    })
    for (const end of await Promise.all(ends)) {
      expect(end).toMatchObject({ code: 0, stderr: '' })
      expect(end.stdout).toMatch(/^refused ConnectionError/)
    }
  })
})

test('connect() signs in with the password of the url, and closing leaves no key of a session', async () => {
  const redis = await startRedis({ own: true })
  onTestFinished(() => redis.close())
  await redis.ask('ACL', 'SETUSER', 'rich', 'on', `>${SECRET}`, '~*', '&*', '+@all')
  // A cluster has one database.
  const database = isClustered() ? '' : '/3'
  const mp = await connect(`${entered(redis.url, `rich:${PASSWORD}`)}${database}`, { namespace: 'door' })
  expect(mp.kind).toBe('redis')
  await mp.close()
  expect(await leftovers(redis, 'door')).toEqual([])
  if (database !== '') expect(await redis.ask('KEYS', '*')).toEqual([])
})

describe('a connection that is lost in the middle of connect() is made again', () => {
  const stages = { name: /setname/i, look: /info/i, subscription: /\r\nsubscribe\r\n/i, session: /EVALSHA/i }
  for (const [stage, request] of Object.entries(stages)) {
    test(`at its ${stage}`, async () => {
      const redis = await redisForTest()
      const proxy = await Proxy.start(redis.url)
      onTestFinished(() => proxy.close())
      const dropped = proxy.dropReply(request)
      const mp = await connect(proxy.url, { namespace: freshNamespace() })
      onTestFinished(() => mp.close())
      await dropped
      expect(await mp.lock('a').with(() => 'served')).toBe('served')
    })
  }

  test('as long as there is time', async () => {
    const port = await listening(createServer((socket) => socket.destroy()))
    const began = performance.now()
    const error = await refused(`redis://:${PASSWORD}@127.0.0.1:${port}`, ConnectionError)
    expect(performance.now() - began).toBeGreaterThan(2_500)
    expect(error.message).toMatch(/^no connection to Redis at .*is it running/)
  })
})
