/** The helper that gives tests a real Redis, in each of its ways, and the proxy in front of it. */
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { describe, expect, onTestFinished, test } from 'vitest'
import { Program } from './support/program.ts'
import { Proxy } from './support/proxy.ts'
import { freshNamespace, redisForTest, startRedis } from './support/redis.ts'
import { ask } from './support/resp.ts'

function environment(name: string, value: string): void {
  const before = process.env[name]
  process.env[name] = value
  onTestFinished(() => {
    if (before === undefined) delete process.env[name]
    else process.env[name] = before
  })
}

/** A socket where a Docker engine might be. */
async function engine(answer: (socket: Socket) => void): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'skein-engine-'))
  const path = join(folder, 'engine.sock')
  const open = new Set<Socket>()
  const server: Server = createServer((socket) => {
    open.add(socket)
    socket.on('error', () => socket.destroy())
    answer(socket)
  })
  server.listen(path)
  await once(server, 'listening')
  onTestFinished(async () => {
    for (const socket of open) socket.destroy()
    server.close()
    await rm(folder, { recursive: true, force: true })
  })
  return `unix://${path}`
}

describe('a server of the test’s own', () => {
  test('keeps its url, and what it was told to keep, over a crash', async () => {
    const redis = await redisForTest({ own: true, persistence: 'always' })
    await redis.ask('SET', 'a', 'b')
    await redis.kill()
    await expect(redis.ask('GET', 'a')).rejects.toThrow(/ECONNREFUSED|closed/)
    await redis.restart()
    expect(await redis.ask('GET', 'a')).toBe('b')
    await redis.restart({ empty: true })
    expect(await redis.ask('GET', 'a')).toBeNull()
  })

  test('stands still and goes on', async () => {
    const redis = await redisForTest({ own: true })
    await redis.stop()
    let answered = false
    const slow = redis.ask('PING').then((reply) => {
      answered = true
      return reply
    })
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect(answered).toBe(false)
    await redis.cont()
    expect(await slow).toBe('PONG')
  })

  test('can be filled', async () => {
    const redis = await redisForTest({ own: true })
    await redis.config('maxmemory', 1)
    await expect(redis.ask('SET', 'a', 'b')).rejects.toThrow(/^OOM/)
  })

  test('servers are independent of each other', async () => {
    const [one, two] = await Promise.all([redisForTest({ own: true }), redisForTest({ own: true })])
    await one.ask('SET', 'a', '1')
    expect(await two.ask('GET', 'a')).toBeNull()
  })
})

test('SKEIN_TEST_REDIS_URL is used, and never stopped', async () => {
  const redis = await redisForTest({ own: true })
  environment('SKEIN_TEST_REDIS_URL', redis.url)
  const same = await startRedis()
  expect(same.url).toBe(redis.url)
  await expect(same.kill()).rejects.toThrow(/own: true/)
  await same.close()
  expect(await redis.ask('PING')).toBe('PONG')
  const other = await redisForTest({ own: true })
  expect(other.url).not.toBe(redis.url)
})

describe('without an engine', () => {
  const cases: readonly (readonly [string, () => Promise<string>])[] = [
    ['there is none', async () => 'unix:///nowhere/engine.sock'],
    [
      'it refuses',
      () => engine((socket) => socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')),
    ],
    ['it says nothing', () => engine(() => undefined)],
  ]
  for (const [what, where] of cases) {
    test(`${what}: known within about two seconds, and another way is gone`, async () => {
      // A process of its own: testcontainers looks for the engine once.
      const program = new Program('find-redis.ts', { env: { DOCKER_HOST: await where(), SKEIN_TEST_REDIS_URL: '' } })
      // Where an engine is in its usual place as well, testcontainers finds that one.
      expect(await program.line('docker')).toMatch(/Docker|^redis:/)
      expect(Number(await program.line('took'))).toBeLessThan(3_500)
      expect(await program.line('redis')).toMatch(/^PONG/)
      expect(await program.ended).toMatchObject({ code: 0 })
    })
  }
})

test('the proxy loses one answer, whose request has taken effect, and cuts, holds and refuses', async () => {
  const redis = await redisForTest()
  const proxy = await Proxy.start(redis.url)
  onTestFinished(() => proxy.close())
  const key = `{${freshNamespace()}:proxy}`
  expect(await ask(proxy.url, 'SET', key, '1')).toBe('OK')
  const dropped = proxy.dropReply(/INCR/)
  await expect(ask(proxy.url, 'INCR', key)).rejects.toThrow(/closed/)
  await dropped
  expect(await ask(proxy.url, 'GET', key)).toBe('2')
  proxy.hold()
  const held = ask(proxy.url, 'GET', key)
  proxy.flow()
  expect(await held).toBe('2')
  proxy.refuse()
  await expect(ask(proxy.url, 'GET', key)).rejects.toThrow(/closed|ECONN|EPIPE|disconnected before secure/)
  proxy.accept()
  expect(await ask(proxy.url, 'DEL', key)).toBe(1)
})
