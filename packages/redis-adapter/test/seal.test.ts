/** Messages between programs that share a secret: nothing that somebody else writes, alters, sends on or sends again is read. */
import { Buffer } from 'node:buffer'
import { PROTOCOL } from '@skein/core/adapter'
import { expect, onTestFinished, test, vi } from 'vitest'
import { freshNamespace, redisForTest, type RedisServer } from '../../../integration-tests/support/redis.ts'
import { serverOf } from '../src/options.ts'
import { openSurround } from '../src/supervisor/opening.ts'
import { Mailbox } from '../src/supervisor/peers/mailbox.ts'
import { Seal } from '../src/supervisor/peers/seal.ts'
import { sessionKeys } from '../src/supervisor/program-session.ts'

const SECRET = 'a'.repeat(32)
const OTHER = 'b'.repeat(32)

interface Post {
  readonly sid: string
  readonly inbox: string
  readonly send: (receiver: string, text: string) => void
  readonly heard: string[]
  readonly forged: string[]
}

async function post(redis: RedisServer, namespace: string, secret: string): Promise<Post> {
  const none = (): void => undefined
  const guard = { program: 'test', sessions: () => [], confirm: none, lose: none, interrupted: none, alias: none }
  const settings = { namespace, sessionTtl: 5_000, outage: 1_000, serve: null }
  const { around, close } = await openSurround(
    { servers: [serverOf(redis.url)], quorum: false, secret },
    settings,
    guard,
  )
  const [heard, forged]: [string[], string[]] = [[], []]
  const keys = sessionKeys(namespace)
  const box = new Mailbox(around, keys, {
    received: (_sender, message) => heard.push(message.toString()),
    forged: (sender) => forged.push(sender),
    broken: none,
  })
  onTestFinished(async () => {
    box.close()
    await close()
  })
  const { sid } = around.session
  return { sid, inbox: keys.inbox(sid), heard, forged, send: (to, text) => box.send(to, Buffer.from(text)) }
}

async function wake(redis: RedisServer, namespace: string, to: Post): Promise<void> {
  await redis.ask('PUBLISH', `${namespace}:wake:${to.sid}`, 'm mail')
}

/** Resolves when `to` has read all that lies there. */
async function read(redis: RedisServer, to: Post): Promise<void> {
  await vi.waitFor(async () => expect(await redis.ask('LLEN', to.inbox)).toBe(0))
}

test('programs of one secret hear each other; one of another secret, or of none, hears nothing and is not heard', async () => {
  const redis = await redisForTest()
  const namespace = freshNamespace()
  const [a, b, stranger, open] = [
    await post(redis, namespace, SECRET),
    await post(redis, namespace, SECRET),
    await post(redis, namespace, OTHER),
    await post(redis, namespace, ''),
  ]
  a.send(b.sid, 'hello')
  await vi.waitFor(() => expect(b.heard).toEqual(['hello']))
  for (const one of [stranger, open]) {
    one.send(b.sid, 'let me in')
    a.send(one.sid, 'who are you')
    await vi.waitFor(() => expect(b.forged).toContain(one.sid))
    await vi.waitFor(() => expect(one.forged).toEqual([a.sid]))
    expect(one.heard).toEqual([])
  }
  a.send(b.sid, 'again')
  await vi.waitFor(() => expect(b.heard).toEqual(['hello', 'again']))
})

test('row 59: what was altered, sent on to another program, sent again or made up is not read', async () => {
  const redis = await redisForTest()
  const namespace = freshNamespace()
  const [a, b, c] = [
    await post(redis, namespace, SECRET),
    await post(redis, namespace, SECRET),
    await post(redis, namespace, SECRET),
  ]
  const body = Buffer.concat([Buffer.from([4, 0, 0, 0]), Buffer.from('kill')])
  const seal = new Seal(SECRET, namespace)
  const signed = { receiver: b.sid, sender: a.sid, number: 1, body }
  const entry = (head: string, bytes: Buffer = body): string =>
    Buffer.concat([Buffer.from(`${PROTOCOL} ${head}\n`), bytes]).toString('latin1')
  const right = entry(`${a.sid} 1 ${seal.of(signed)}`)
  const changed = Buffer.from(body)
  changed.writeUInt8(changed.readUInt8(7) ^ 1, 7)
  const wrong = [
    entry(`${a.sid} 1 ${seal.of(signed)}`, changed),
    entry(`${a.sid} 2 ${seal.of(signed)}`),
    entry(`${c.sid} 1 ${seal.of(signed)}`),
    entry(`${a.sid} 1 ${seal.of({ ...signed, receiver: c.sid })}`),
    entry(`${a.sid} 1 ${new Seal(SECRET, `${namespace}x`).of(signed)}`),
    entry(`${a.sid} 1 ${new Seal(OTHER, namespace).of(signed)}`),
    entry(`${a.sid} 1 ${seal.of(signed).slice(0, -1)}`),
    entry(`${a.sid} 1 A`),
    entry(`${a.sid} 1`),
  ]
  for (const one of wrong) await redis.ask('RPUSH', b.inbox, one)
  await wake(redis, namespace, b)
  await vi.waitFor(() => expect(b.forged).toHaveLength(wrong.length))
  expect(b.heard).toEqual([])
  await redis.ask('RPUSH', b.inbox, right, right)
  await redis.ask('RPUSH', c.inbox, right)
  for (const one of [b, c]) await wake(redis, namespace, one)
  await vi.waitFor(() => expect(b.heard).toEqual(['kill']))
  for (const one of [b, c]) await read(redis, one)
  await redis.ask('RPUSH', b.inbox, right)
  await wake(redis, namespace, b)
  await read(redis, b)
  expect(b.heard).toEqual(['kill'])
  expect(c.heard).toEqual([])
})

test('each bit of what is signed counts', () => {
  const seal = new Seal(SECRET, 'ns')
  const message = { receiver: 'b', sender: 'a', number: 7, body: Buffer.from('x'.repeat(100)) }
  const right = seal.of(message)
  expect(seal.holds(right, message)).toBe(true)
  for (let bit = 0; bit < message.body.length * 8; bit += 1) {
    const body = Buffer.from(message.body)
    body.writeUInt8(body.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
    expect(seal.holds(right, { ...message, body })).toBe(false)
  }
  expect(seal.holds('', message)).toBe(false)
  expect(seal.id).toMatch(/^[\da-f]{12}$/)
  expect(new Seal(OTHER, 'ns').id).not.toBe(seal.id)
})
