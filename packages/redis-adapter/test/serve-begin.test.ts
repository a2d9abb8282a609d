/** A host that is lost between the claim of a start and its beginning: the start begins elsewhere, once. */
import { readFileSync, writeFileSync } from 'node:fs'
import { isRunning, processTable, until } from '@skein/conformance'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { Proxy } from '../../../integration-tests/support/proxy.ts'
import { type RedisServer, startRedis } from '../../../integration-tests/support/redis.ts'
import { counter, field } from './serve-field.ts'
import { mark } from './targets/serve.mjs'

const TTL = 1_000
/** Longer than a process needs to boot. */
const BOOT = 500

let redis: RedisServer

beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.close())

async function proxyForTest(): Promise<Proxy> {
  const proxy = await Proxy.start(redis.url)
  onTestFinished(() => proxy.close())
  return proxy
}

/** A file in which each run leaves the pid of its host. */
function marks(): { readonly path: string; readonly hosts: () => number[] } {
  const { path } = counter()
  writeFileSync(path, '')
  return { path, hosts: () => readFileSync(path, 'utf8').split(' ').filter(Boolean).map(Number) }
}

/** What runs or is to run a target there, and not what a program keeps for itself. */
function madeBy(host: number): number[] {
  const children = processTable().filter(({ parent, state }) => parent === host && state !== 'Z')
  return children.map(({ pid }) => pid).filter((pid) => readFileSync(`/proc/${pid}/cmdline`).includes('child-main'))
}

/** A start that a host has taken which is behind a proxy. @param come settles when it has come so far */
async function startThrough(come: (proxy: Proxy) => Promise<unknown>, ttl?: number) {
  const proxy = await proxyForTest()
  const { mp, host } = await field(redis, ttl)
  const first = await host({ url: proxy.url })
  const { path, hosts } = marks()
  const there = come(proxy)
  const child = mp.process(mark, [path])
  const started = child.start()
  await there
  return { proxy, host, first, child, started, hosts }
}

test('H6: a host that dies when it has claimed a start, and has begun nothing, leaves it to another', async () => {
  const { proxy, host, first, child, started, hosts } = await startThrough((it) => it.seen(/claim/), TTL)
  proxy.hold()
  expect(hosts()).toEqual([])
  first.kill('SIGKILL')
  const second = await host()
  await started
  expect(await child.result()).toBe(second.pid)
  expect(hosts()).toEqual([second.pid])
})

test.each(['killed', 'cut off'])(
  'H7: of two processes that hosts have made for one start, the first of which was %s before it could say so, one runs',
  async (what) => {
    const { host, first, child, started, hosts } = await startThrough((it) => it.muteAt(/started/), TTL)
    const made = madeBy(first.pid)
    expect(made).toHaveLength(1)
    await new Promise((resolve) => setTimeout(resolve, BOOT))
    expect(hosts()).toEqual([])
    if (what === 'killed') first.kill('SIGKILL')
    const second = await host()
    await started
    expect(await child.result()).toBe(second.pid)
    for (const pid of made) await until('the first one is gone', () => !isRunning(pid))
    expect(hosts()).toEqual([second.pid])
  },
)

test('a host that closes when it has made a process, and before that may begin, leaves the start to another', async () => {
  const { proxy, host, first, child, started, hosts } = await startThrough((it) => it.muteAt(/started/))
  const made = madeBy(first.pid)
  expect(made).toHaveLength(1)
  const closed = first.close()
  for (const pid of made) await until('it is gone', () => !isRunning(pid))
  proxy.unmute()
  const second = await host()
  await started
  expect(await child.result()).toBe(second.pid)
  await closed
  expect(hosts()).toEqual([second.pid])
})

test('what was given back is nowhere until it has started elsewhere, though its program had heard where it was', async () => {
  const { proxy, host, first, child, started, hosts } = await startThrough((it) =>
    it.seen(/started/).then(() => it.hold()),
  )
  const made = madeBy(first.pid)
  expect(made).toHaveLength(1)
  // That it may begin does not reach its host any more.
  await expect.poll(() => child.pid).toBe(made[0])
  const closed = first.close()
  for (const pid of made) await until('it is gone', () => !isRunning(pid))
  proxy.flow()
  await expect.poll(() => [child.pid, child.host]).toEqual([null, null])
  expect(await child.status()).toMatchObject({ state: 'starting', pid: null, host: null })
  await closed
  const second = await host()
  await started
  expect(await child.result()).toBe(second.pid)
  expect(child.pid).not.toBe(made[0])
  expect(hosts()).toEqual([second.pid])
})

test('H7: a worker of a pool whose host dies so is made again elsewhere, and its initializer runs once', async () => {
  const proxy = await proxyForTest()
  const { mp, host } = await field(redis, TTL)
  const first = await host({ url: proxy.url })
  const { path, hosts } = marks()
  const silenced = proxy.muteAt(/started/)
  const pool = mp.pool(1, { initializer: mark, initArgs: [path] })
  const result = pool.apply(mark, [path])
  await silenced
  await new Promise((resolve) => setTimeout(resolve, BOOT))
  first.kill('SIGKILL')
  const second = await host()
  expect(await result).toBe(second.pid)
  expect(hosts()).toEqual([second.pid, second.pid])
  expect(await pool.stats()).toMatchObject({ lost: 0 })
  await pool.terminate()
})
