/** Messages between programs: whole and in order as long as both live, and a gap is told. */
import { Buffer } from 'node:buffer'
import { expect, onTestFinished, test, vi } from 'vitest'
import { Proxy } from '../../../integration-tests/support/proxy.ts'
import { freshNamespace, redisForTest, type RedisServer } from '../../../integration-tests/support/redis.ts'
import { serverOf } from '../src/options.ts'
import { openSurround } from '../src/supervisor/opening.ts'
import { Mailbox } from '../src/supervisor/peers/mailbox.ts'
import { sessionKeys } from '../src/supervisor/program-session.ts'
import type { Surround } from '../src/supervisor/surround.ts'

const namespace = freshNamespace()
const keys = sessionKeys(namespace)

interface Post {
  readonly around: Surround
  readonly box: Mailbox
  readonly heard: string[]
  readonly broken: string[]
}

async function program(url: string): Promise<Surround> {
  const settings = { namespace, sessionTtl: 2_000, outage: 100, serve: null }
  const none = (): void => undefined
  const guard = { program: 'test', sessions: () => [], confirm: none, lose: none, interrupted: none, alias: none }
  const { around, close } = await openSurround({ servers: [serverOf(url)], quorum: false }, settings, guard)
  onTestFinished(close)
  return around
}

async function post(url: string): Promise<Post> {
  const around = await program(url)
  const [heard, broken]: [string[], string[]] = [[], []]
  const box = new Mailbox(around, keys, {
    received: (_sender, message) => heard.push(message.toString()),
    forged: (sender) => broken.push(`forged ${sender}`),
    broken: (sender) => broken.push(sender),
  })
  onTestFinished(() => box.close())
  return { around, box, heard, broken }
}

const numbers = (count: number): string[] => Array.from({ length: count }, (_, n) => String(n))

async function pair(redis: RedisServer): Promise<{ from: Post; to: Post; proxy: Proxy }> {
  const proxy = await Proxy.start(redis.url)
  onTestFinished(() => proxy.close())
  return { from: await post(proxy.url), to: await post(proxy.url), proxy }
}

test('what is sent comes once and in order, though answers are lost and connections cut', async () => {
  const { from, to, proxy } = await pair(await redisForTest())
  for (const [n, text] of numbers(400).entries()) {
    if (n % 50 === 10) void proxy.dropReply(/EVALSHA/i)
    if (n % 100 === 60) proxy.cut()
    from.box.send(to.around.session.sid, Buffer.from(text))
    await new Promise((resolve) => setImmediate(resolve))
  }
  await vi.waitFor(() => expect(to.heard).toHaveLength(400), 20_000)
  expect(to.heard).toEqual(numbers(400))
  expect(to.broken).toEqual([])
})

test('large messages are whole', async () => {
  const { from, to } = await pair(await redisForTest())
  const large = 'x'.repeat(3_000_000)
  for (const text of [large, 'small', large]) from.box.send(to.around.session.sid, Buffer.from(text))
  await vi.waitFor(() => expect(to.heard).toHaveLength(3), 10_000)
  expect(to.heard.map(({ length }) => length)).toEqual([3_000_000, 5, 3_000_000])
})

test('a pause longer than `outage` and shorter than the session loses nothing', async () => {
  const redis = await redisForTest({ own: true })
  const { from, to } = await pair(redis)
  await redis.stop()
  from.box.send(to.around.session.sid, Buffer.from('0'))
  setTimeout(() => void redis.cont(), 500)
  await vi.waitFor(() => expect(to.heard).toEqual(['0']), 5_000)
})

test('what Redis has lost is missed by whom it was sent to, the last message too', async () => {
  const redis = await redisForTest()
  const proxy = await Proxy.start(redis.url)
  onTestFinished(() => proxy.close())
  const from = await post(proxy.url)
  const around = await program(redis.url)
  const { sid } = around.session
  for (const text of ['0', '1']) {
    from.box.send(sid, Buffer.from(text))
    await from.box.flushed()
  }
  await redis.ask('RPOP', keys.inbox(sid))
  const broken: string[] = []
  const heard: string[] = []
  const box = new Mailbox(around, keys, {
    received: (_sender, message) => heard.push(message.toString()),
    forged: (sender) => broken.push(`forged ${sender}`),
    broken: (sender) => broken.push(sender),
  })
  onTestFinished(() => box.close())
  await vi.waitFor(() => expect(heard).toEqual(['0']), 5_000)
  proxy.cut()
  await vi.waitFor(() => expect(broken).toEqual([from.around.session.sid]), 5_000)
  from.box.send(sid, Buffer.from('2'))
  await vi.waitFor(() => expect(heard).toEqual(['0', '2']), 5_000)
})

test('a server that refuses messages is told of as a broken way', async () => {
  const redis = await redisForTest({ own: true })
  const from = await post(redis.url)
  // One that reads nothing: it would throw away what is no list.
  const { sid } = (await program(redis.url)).session
  await redis.ask('SET', keys.inbox(sid), 'no list')
  from.box.send(sid, Buffer.from('0'))
  await vi.waitFor(() => expect(from.broken).toEqual([sid]), 5_000)
})

test('a program whose session is over reads nothing more, though it has not heard of that yet', async () => {
  const redis = await redisForTest()
  const from = await post(redis.url)
  const around = await program(redis.url)
  const state = { over: true, heard: [] as string[], looks: 0 }
  const session = new globalThis.Proxy(around.session, {
    get: (of, key) => {
      if (key === 'confirmedUntil') {
        state.looks += 1
        if (state.over) return { mono: 0, wall: 0 }
      }
      const value = Reflect.get(of, key, of) as unknown
      return typeof value === 'function' ? (value.bind(of) as unknown) : value
    },
  })
  const box = new Mailbox({ ...around, session }, keys, {
    received: (_sender, message) => state.heard.push(message.toString()),
    forged: () => undefined,
    broken: () => undefined,
  })
  onTestFinished(() => box.close())
  from.box.send(around.session.sid, Buffer.from('0'))
  await from.box.flushed()
  state.looks = 0
  await vi.waitFor(() => {
    box.look()
    expect(state.looks).toBeGreaterThan(1)
  })
  expect(state.heard).toEqual([])
  state.over = false
  box.look()
  await vi.waitFor(() => expect(state.heard).toEqual(['0']))
})
