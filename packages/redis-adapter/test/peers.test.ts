/** Two programs as broker and client of each other: what is asked is answered or fails, whatever becomes of their messages. */
import { ConnectionError, StateError } from '@skein/core'
import { Broker, BrokerObject, type BrokerClient, type Methods, PROTOCOL } from '@skein/core/adapter'
import { expect, onTestFinished, test, vi } from 'vitest'
import { Proxy } from '../../../integration-tests/support/proxy.ts'
import { freshNamespace, redisForTest, type RedisServer } from '../../../integration-tests/support/redis.ts'
import { serverOf } from '../src/options.ts'
import { openSurround } from '../src/supervisor/opening.ts'
import { Peer } from '../src/supervisor/peers/peer.ts'
import { Peers } from '../src/supervisor/peers/peers.ts'
import { sessionKeys } from '../src/supervisor/program-session.ts'
import type { Surround } from '../src/supervisor/surround.ts'

const TTL = 2_000

/** Answers with what it was asked, or not at all. */
class Echo extends BrokerObject {
  /** Sessions that have it, and have not ended. */
  readonly users = new Set<unknown>()

  constructor() {
    super('event', '~echo-1')
  }

  protected override readonly methods: Methods = {
    echo: (call) => call.ok(call.args[0]),
    silence: (call) => call.waits(() => undefined),
  }

  override check(): void {
    // One shape.
  }

  override join(session: unknown): void {
    this.users.add(session)
  }

  override leave(session: unknown): void {
    this.users.delete(session)
  }

  override end(): void {
    // Nobody is told.
  }
}

interface Program {
  readonly id: string
  readonly around: Surround
  readonly peers: Peers
  readonly echo: Echo
  readonly inbox: string
}

let programs = 0

async function program(url: string, namespace: string, secret: string = ''): Promise<Program> {
  const id = `program${(programs += 1)}`
  const none = (): void => undefined
  const guard = { program: id, sessions: () => [], confirm: none, lose: none, interrupted: none, alias: none }
  const settings = { namespace, sessionTtl: TTL, outage: Number.POSITIVE_INFINITY, serve: null }
  const { around, close } = await openSurround({ servers: [serverOf(url)], quorum: false, secret }, settings, guard)
  const keys = sessionKeys(namespace)
  const broker = new Broker({}, { program: id })
  const echo = broker.add(new Echo())
  const peers = new Peers({ around, keys, broker })
  onTestFinished(async () => {
    await peers.close()
    await close()
  })
  return { id, around, peers, echo, inbox: keys.inbox(around.session.sid) }
}

interface Pair {
  readonly redis: RedisServer
  readonly a: Program
  readonly b: Program
  /** Between b and the server. */
  readonly proxy: Proxy
}

/** @param user of a's, who may do everything */
async function pair(user: string = ''): Promise<Pair> {
  const redis = await redisForTest()
  const namespace = freshNamespace()
  const proxy = await Proxy.start(redis.url)
  onTestFinished(() => proxy.close())
  const url = new URL(redis.url)
  if (user !== '') {
    await redis.ask('ACL', 'SETUSER', user, 'on', '>secret', '~*', '&*', '+@all')
    onTestFinished(async () => void (await redis.ask('ACL', 'DELUSER', user)))
    url.username = user
    url.password = 'secret'
  }
  return { redis, proxy, a: await program(url.href, namespace), b: await program(proxy.url, namespace) }
}

/** Asks a method of the object that `to` keeps. */
async function ask(from: Program, to: Program, method: string, argument: unknown = null): Promise<unknown> {
  const client = (await from.peers.reach(to.id)) as BrokerClient
  return client.call(client.open('event', '~echo-1', null, true, to.id), method, [argument])
}

async function talk(a: Program, b: Program): Promise<void> {
  expect(await ask(a, b, 'echo', 'there')).toBe('there')
  expect(await ask(b, a, 'echo', 'back')).toBe('back')
}

test('what follows a lost message fails, and then both reach each other as before', async () => {
  const { redis, a, b, proxy } = await pair()
  await talk(a, b)
  for (let times = 0; times < 3; times += 1) {
    const others = [ask(b, a, 'silence'), ask(a, b, 'silence')]
    await talk(a, b)
    proxy.hold()
    const lost = ask(a, b, 'silence')
    await vi.waitFor(async () => expect(await redis.ask('LLEN', b.inbox)).toBeGreaterThan(0))
    await redis.ask('DEL', b.inbox)
    proxy.flow()
    const next = ask(a, b, 'echo')
    for (const one of await Promise.allSettled([lost, next, ...others]))
      expect(one).toMatchObject({ reason: expect.any(ConnectionError) as unknown })
    await talk(a, b)
  }
  expect([a.echo.users.size, b.echo.users.size]).toEqual([1, 1])
}, 15_000)

test('a lost message is missed though nothing follows it', async () => {
  const { redis, a, b, proxy } = await pair()
  await talk(a, b)
  proxy.hold()
  const lost = ask(a, b, 'echo')
  lost.catch(() => undefined)
  await vi.waitFor(async () => expect(await redis.ask('LLEN', b.inbox)).toBeGreaterThan(0))
  await redis.ask('DEL', b.inbox)
  proxy.flow()
  await expect(lost).rejects.toThrow(ConnectionError)
  await talk(a, b)
}, 15_000)

test('what a server refuses to deliver fails at both ends, and both reach each other when it delivers again', async () => {
  const { redis, a, b } = await pair('anna')
  await talk(a, b)
  const others = [ask(a, b, 'silence'), ask(b, a, 'silence')]
  for (const one of others) one.catch(() => undefined)
  await talk(a, b)
  const own = a.inbox.replace(/:in$/, '*')
  const sessions = sessionKeys(a.around.namespace).live.replace(/live$/, '*')
  await redis.ask('ACL', 'SETUSER', 'anna', 'resetkeys', `~${own}`, `~${sessions}`)
  await expect(ask(a, b, 'echo')).rejects.toThrow(ConnectionError)
  await expect(others[0]).rejects.toThrow(/could not be sent a message/)
  const stuck = ask(a, b, 'silence')
  stuck.catch(() => undefined)
  await redis.ask('ACL', 'SETUSER', 'anna', '~*')
  for (const one of [stuck, others[1]]) await expect(one).rejects.toThrow(ConnectionError)
  await talk(a, b)
  expect([a.echo.users.size, b.echo.users.size]).toEqual([1, 1])
}, 15_000)

test('nothing that a stranger writes there keeps the messages of others from being read', async () => {
  const { redis, a, b } = await pair()
  const length = (bytes: number): string => String.fromCharCode(bytes, 0, 0, 0)
  const heads = ['', ' 1', 'nobody', 'nobody x', 'nobody 1']
  const strange = ['', 'x', '\n', 'x'.repeat(1_000), ...heads.flatMap((head) => [`${head}\n`, `${PROTOCOL} ${head}\n`])]
  const wrong = ['', '\0', '\0\0\0\0\0', `\0${length(1)}ab`, `\0${length(1)}${length(1)}a`, '\u0009aaaaa']
  for (const [n, text] of wrong.entries()) strange.push(`${PROTOCOL} stranger${n} 1\n${length(text.length)}${text}`)
  strange.push(
    `${PROTOCOL} stranger 1\n${length(1)}\u0001\u0000\u0000\u00ff`,
    `${PROTOCOL} other 1\n${length(200)}short`,
  )
  for (let times = 0; times < 20; times += 1) {
    for (const entry of strange) await redis.ask('RPUSH', b.inbox, entry)
    await talk(a, b)
  }
  await redis.ask('DEL', b.inbox)
  await redis.ask('SET', b.inbox, 'no list')
  await redis.ask('PUBLISH', `${b.around.wakes.prefix}${b.around.session.sid}`, 'm mail')
  await vi.waitFor(async () => expect(await redis.ask('EXISTS', b.inbox)).toBe(0))
  await talk(a, b)
}, 15_000)

test('who has another secret is not asked, by name or by session, and the error says why', async () => {
  const redis = await redisForTest()
  const namespace = freshNamespace()
  const [a, b] = [await program(redis.url, namespace, 'x'.repeat(32)), await program(redis.url, namespace)]
  for (const [one, other] of [
    [a, b],
    [b, a],
  ] as const) {
    const refused = one.peers.reach(other.id)
    await expect(refused).rejects.toThrow(StateError)
    await expect(refused).rejects.toThrow(/cannot be asked: it has another SKEIN_SECRET, or one of the two has none$/)
    expect(await one.peers.reachSession(other.around.session.sid)).toBeNull()
  }
  expect(await a.peers.reach('nobody')).toBeNull()
})

test('what is long travels in pieces of a megabyte, and comes whole and in order', async () => {
  const sizes: number[] = []
  const echo = new Echo()
  const ends: Peer[] = []
  const end = (at: 0 | 1): Peer => {
    const broker = new Broker({})
    if (at === 1) broker.add(echo)
    const send = (message: Buffer): void => {
      sizes.push(message.length)
      queueMicrotask(() => ends[1 - at]?.received(message))
    }
    return new Peer({ sid: 'a.b', broker, send })
  }
  ends.push(end(0), end(1))
  const { client } = ends[0] as Peer
  const number = client.open('event', '~echo-1', null, true)
  const long = new Uint8Array(40 * 1024 * 1024).fill(7)
  const asked = [1, long, 2].map((what) => client.call<unknown>(number, 'echo', [what]))
  const [first, echoed, last] = await Promise.all(asked)
  expect([first, last]).toEqual([1, 2])
  expect(Buffer.compare(echoed as Uint8Array, long)).toBe(0)
  expect(sizes.length).toBeGreaterThan(80)
  expect(Math.max(...sizes)).toBeLessThan(1.1 * 1024 * 1024)
})
