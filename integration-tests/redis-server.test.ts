/** The helper that gives tests a real Redis, in each of its ways, and the proxy in front of it. */
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { describe, expect, onTestFinished, test } from 'vitest'
import { isClustered } from './support/clustered.ts'
import { Detour } from './support/detour.ts'
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

/** One that this server has, and no other one of its cluster. */
async function keyAt(url: string): Promise<string> {
  for (;;) {
    const key = `{${freshNamespace()}:proxy}`
    const moved = await ask(url, 'EXISTS', key).catch((error: Error) => error.message)
    if (moved === 0) return key
    if (!String(moved).startsWith('MOVED')) throw new Error(String(moved))
  }
}

test('the proxy loses one answer, whose request has taken effect, and cuts, holds and refuses', async () => {
  const redis = await redisForTest()
  const proxy = await Proxy.start(redis.url)
  onTestFinished(() => proxy.close())
  const key = await keyAt(proxy.url)
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

test.runIf(isClustered())('a proxy before a cluster leads to all its masters, and is in front of each', async () => {
  const redis = await redisForTest()
  const proxy = await Proxy.start(redis.url)
  onTestFinished(() => proxy.close())
  const mastersAt = async (url: string): Promise<readonly string[]> => {
    const ranges = (await ask(url, 'CLUSTER', 'SLOTS')) as [number, number, [string, number]][]
    return ranges.map(([, , [host, port]]) => `redis://${host}:${port}`)
  }
  const [straight, masters] = [await mastersAt(redis.url), await mastersAt(proxy.url)]
  expect(new Set([...straight, ...masters]).size).toBe(6)
  expect(masters).toContain(proxy.url)
  for (const master of masters) expect(await mastersAt(master)).toEqual(masters)
  proxy.refuse()
  for (const master of masters) await expect(ask(master, 'PING')).rejects.toThrow(/closed|ECONN|EPIPE/)
})

test('an address is changed wherever it is cut into two, and no other one', () => {
  const [known, proxies] = [['redis://10.0.0.1:7000', 'redis://10.0.0.2:70'], ['redis://127.0.0.1:41', 'redis://127.0.0.1:42']] // prettier-ignore
  const detour = new Detour(known, proxies)
  const before = '*3\r\n$8\r\n10.0.0.1\r\n:7000\r\n$8\r\n10.0.0.2\r\n:70\r\n$8\r\n10.0.0.2\r\n:7000\r\n'
  const after = '*3\r\n$9\r\n127.0.0.1\r\n:41\r\n$9\r\n127.0.0.1\r\n:42\r\n$8\r\n10.0.0.2\r\n:7000\r\n'
  for (let at = 0; at <= before.length; at += 1) {
    const changed = detour.changes()
    const told = [before.slice(0, at), before.slice(at)].map((text) => changed(Buffer.from(text)).toString())
    expect(told.join('')).toBe(after)
  }
})
