/** TLS with a real server: whose certificates are trusted, and what is said where there is no secure connection. */
import { ArgumentError, AuthenticationError, connect, type Context, NotSupportedError, TlsError } from '@skein/core'
import { redis, type RedisServerOptions } from '@skein/redis-adapter'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { Program } from '../../../integration-tests/support/program.ts'
import { freshNamespace } from '../../../integration-tests/support/redis.ts'
import { startTls, type TlsServer } from '../../../integration-tests/support/tls-server.ts'

const SECRET = 'correct-horse:b@ttery'

let server: TlsServer
beforeAll(async () => {
  server = await startTls({ args: ['--user', 'alice', 'on', `>${SECRET}`, '~*', '&*', '+@all'] })
})
afterAll(() => server.close())

type Place = Parameters<typeof connect>[0]

async function opened(place: Place): Promise<Context> {
  const mp = await connect(place, { namespace: freshNamespace() })
  onTestFinished(() => mp.close())
  return mp
}

async function served(place: Place): Promise<boolean> {
  const mp = await opened(place)
  return mp.lock('a').with(() => true)
}

/** Within 5 s, in one line, without the password. */
async function refusal(place: Place, type: abstract new (...args: never[]) => Error): Promise<string> {
  const began = performance.now()
  const error: unknown = await connect(place, { namespace: freshNamespace() }).catch((reason: unknown) => reason)
  expect(performance.now() - began).toBeLessThan(5_000)
  expect(error).toBeInstanceOf(type)
  const { message } = error as Error
  expect(message).not.toContain('\n')
  for (const form of [SECRET, encodeURIComponent(SECRET), encodeURI(SECRET)]) expect(message).not.toContain(form)
  return message
}

function portOf(url: string): number {
  return Number(new URL(url).port)
}

describe('a server whose authority nobody knows', () => {
  test('H18: is refused, with what to do', async () => {
    expect(await refusal(server.url, TlsError)).toMatch(
      /self-signed certificate.*NODE_EXTRA_CA_CERTS or connect\(redis\(/,
    )
  })

  test('serves where the authority is given by redis(…)', async () => {
    expect(await served(redis(server.url, { tls: { ca: server.ca } }))).toBe(true)
    expect(
      await served(redis({ host: 'localhost', port: portOf(server.url), tls: { ca: [Buffer.from(server.ca)] } })),
    ).toBe(true)
    // Of an array none may be of a cluster.
    const alone = await startTls({ single: true })
    onTestFinished(() => alone.close())
    expect(await served(redis([{ host: '127.0.0.1', port: portOf(alone.url), tls: { ca: alone.ca } }]))).toBe(true)
  })

  test('serves where NODE_EXTRA_CA_CERTS names the authority', async () => {
    const program = new Program('take.mjs', { args: [server.url], env: { NODE_EXTRA_CA_CERTS: server.caFile } })
    expect(await program.ended).toMatchObject({ code: 0, stdout: 'took true\n', stderr: '' })
    const without = new Program('take.mjs', { args: [server.url], env: { NODE_EXTRA_CA_CERTS: '' } })
    expect((await without.ended).stdout).toMatch(/^refused TlsError/)
  })

  test('serves a client of ioredis that is handed over, which stays as it is', async () => {
    const client = new Redis({ port: portOf(server.url), tls: { ca: server.ca }, lazyConnect: true, keyPrefix: '' })
    expect(await served(redis(client))).toBe(true)
    expect(client.status).toBe('wait')
    client.disconnect()
  })
})

test('H18: a certificate for another host is refused', async () => {
  const tls = { ca: server.ca, servername: 'example.org' }
  expect(await refusal(redis(server.url, { tls }), TlsError)).toMatch(
    /Hostname\/IP does not match.*valid for that host/,
  )
})

test('a server that asks its clients for certificates', async () => {
  // Nodes of a cluster would ask each other, too, and theirs are for servers.
  const strict = await startTls({ single: true, clients: true })
  onTestFinished(() => strict.close())
  expect(await served(redis(strict.url, { tls: { ca: strict.ca, ...strict.client } }))).toBe(true)
  expect(await refusal(redis(strict.url, { tls: { ca: strict.ca } }), TlsError)).toMatch(
    /\(tlsv13 alert certificate required\).*tls: \{ cert, key \}/,
  )
})

test('a plain url on a TLS port is told so', async () => {
  const plain = server.url.replace('rediss:', 'redis:')
  expect(await refusal(plain, TlsError)).toMatch(/^redis:\S+ speaks TLS; write rediss:\/\/127\.0\.0\.1:\d+$/)
  expect(await refusal(plain.replace('//', `//:${encodeURIComponent(SECRET)}@`), TlsError)).toMatch(/speaks TLS/)
})

test('rediss: on a plain port is told so', async () => {
  expect(await refusal(server.plainUrl.replace('redis:', 'rediss:'), TlsError)).toMatch(
    /does that port speak TLS at all\? redis:\/\/ is for/,
  )
})

describe('a user of its own', () => {
  const as = (username: string, password: string): RedisServerOptions => ({
    username,
    password,
    tls: { ca: server.ca },
  })

  test('serves with the right password, by redis(…) and by the url', async () => {
    expect(await served(redis(server.url, as('alice', SECRET)))).toBe(true)
    const withUser = server.url.replace('//', `//alice:${encodeURIComponent(SECRET)}@`)
    expect(await served(redis(withUser, { tls: { ca: server.ca } }))).toBe(true)
  })

  test('is refused with a wrong one, which nothing shows', async () => {
    const wrong = redis(server.url, as('bob', SECRET))
    expect(await refusal(wrong, AuthenticationError)).toMatch(
      /refused the credentials .*WRONGPASS.*check user and password/,
    )
    expect(JSON.stringify(wrong)).toBe('{}')
  })
})

describe('redis() refuses', () => {
  test.each<[string, () => unknown, abstract new (...args: never[]) => Error, RegExp]>([
    [
      'what is no server',
      () => redis(7 as never),
      ArgumentError,
      /takes a url, or options or a client of ioredis, got 7/,
    ],
    ['an unreadable url', () => redis('redis://:secret@'), ArgumentError, /cannot be read; write redis:\/\/host:port/],
    [
      'options in a url',
      () => redis('redis://a?password=secret'),
      ArgumentError,
      /number of a database.*second argument/,
    ],
    ['a port that is none', () => redis({ port: -1 }), ArgumentError, /port must be an integer of 0 or more, got -1/],
    ['a host that is none', () => redis({ host: 5 as never }), ArgumentError, /host must be a string/],
    ['tls that is no object', () => redis({ tls: true as never }), ArgumentError, /tls must be an object/],
    [
      'a function of TLS',
      () => redis({ tls: { checkServerIdentity: () => undefined } }),
      NotSupportedError,
      /tls\.checkServerIdentity is not supported/,
    ],
    ['a prefix', () => redis({ keyPrefix: 'a:' } as never), NotSupportedError, /keyPrefix is not supported.*namespace/],
    [
      'other options of the client',
      () => redis({ sentinels: [{ host: 'a' }] } as never),
      NotSupportedError,
      /sentinels is not supported, it takes host, port.*redis\+sentinel:/,
    ],
    [
      'a client of a Cluster',
      () => redis({ isCluster: true } as never),
      NotSupportedError,
      /a client of a Cluster is not taken over; give the url of one of its nodes/,
    ],
  ])('%s', (_, call, type, words) => {
    let error: unknown = null
    try {
      call()
    } catch (thrown) {
      error = thrown
    }
    expect(error).toBeInstanceOf(type)
    expect((error as Error).message).toMatch(words)
    expect((error as Error).message).not.toContain('secret')
  })

  test('a client with a prefix', () => {
    const client = new Redis({ lazyConnect: true, keyPrefix: 'a:' })
    expect(() => redis(client)).toThrow(NotSupportedError)
    client.disconnect()
  })
})
