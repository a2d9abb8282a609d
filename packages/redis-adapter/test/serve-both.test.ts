/** Two programs that serve each other: each has something run by the other one at the same moments. */
import { connect, type Context, HostLostError } from '@skein/core'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { Proxy } from '../../../integration-tests/support/proxy.ts'
import { freshNamespace, type RedisServer, startRedis } from '../../../integration-tests/support/redis.ts'
import { pid } from './targets/serve.mjs'

let redis: RedisServer

beforeAll(async () => {
  redis = await startRedis()
})

afterAll(() => redis.close())

interface Both {
  readonly namespace: string
  /** Has a process run by the other program. @returns its pid */
  readonly run: (by: 'a' | 'b') => Promise<number>
  readonly contexts: Readonly<Record<'a' | 'b', Context>>
}

async function both(): Promise<Both> {
  const namespace = freshNamespace()
  // On another way, so that one process is two programs.
  const proxy = await Proxy.start(redis.url)
  onTestFinished(() => proxy.close())
  const open = async (name: string, url: string): Promise<Context> => {
    const context = await connect(url, { namespace, serve: { slots: 4, labels: { name } } })
    onTestFinished(() => context.close())
    return context
  }
  const contexts = { a: await open('a', redis.url), b: await open('b', proxy.url) }
  const run = async (by: 'a' | 'b'): Promise<number> => {
    const child = contexts[by].process(pid, [], { labels: { name: by === 'a' ? 'b' : 'a' } })
    await child.start()
    return child.result()
  }
  return { namespace, run, contexts }
}

test('all that they start at once runs, and so do pools of each at the other', { timeout: 60_000 }, async () => {
  const { run, contexts } = await both()
  const pids = await Promise.all(Array.from({ length: 16 }, (_, n) => run(n % 2 === 0 ? 'a' : 'b')))
  expect(new Set(pids).size).toBe(16)
  const pools = [contexts.a.pool(2, { labels: { name: 'b' } }), contexts.b.pool(2, { labels: { name: 'a' } })]
  const items = Array.from({ length: 50 })
  for (const found of await Promise.all(pools.map((pool) => pool.map(pid, items, { chunkSize: 1 }))))
    expect(found).toHaveLength(50)
  await Promise.all(pools.map((pool) => pool.terminate()))
})

test(
  'what they say to each other is lost both ways: all settles, and then each runs for the other again',
  {
    timeout: 60_000,
  },
  async () => {
    const { namespace, run } = await both()
    await Promise.all([run('a'), run('b')])
    const starts = Array.from({ length: 24 }, (_, n) => run(n % 2 === 0 ? 'a' : 'b'))
    const settled = Promise.allSettled(starts)
    let lost = 0
    let open = true
    void settled.then(() => (open = false))
    while (open && lost < 5) {
      const lists = (await redis.ask('KEYS', `{${namespace}:s:*}:in`)) as string[]
      if (lists.length > 0) lost += Number(await redis.ask('DEL', ...lists))
    }
    const ends = await settled
    expect(lost).toBeGreaterThan(0)
    for (const end of ends) expect(end.status === 'fulfilled' || end.reason instanceof HostLostError).toBe(true)
    await Promise.all([run('a'), run('b')])
  },
)
