/** What others have written into Redis under this namespace's keys: jobs that nobody put up, and values of another kind. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { until } from '@skein/conformance'
import { ConflictError, type Context } from '@skein/core'
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { type RedisServer, startRedis } from '../../../integration-tests/support/redis.ts'
import { workKey } from '../src/supervisor/host/needs.ts'
import { Seal } from '../src/supervisor/peers/seal.ts'
import { field } from './serve-field.ts'
import { parentPid } from './targets/serve.mjs'

const SECRET = 'a secret that is long enough for it'

let redis: RedisServer

beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.close())

/** What BullMQ would find, but for what is given. */
const job = (data: string, more: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> => ({
  name: 'start',
  data,
  opts: '{}',
  timestamp: '1',
  delay: '0',
  priority: '0',
  ...more,
})

test('row 57, 58, 61: jobs that no program has put up run nothing and are reported, and the host goes on', async () => {
  vi.stubEnv('SKEIN_SECRET', SECRET)
  onTestFinished(() => void vi.unstubAllEnvs())
  const folder = mkdtempSync(join(tmpdir(), 'skein-planted-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const { mp, namespace, host } = await field(redis)
  const { pid, process: served } = await host()
  let complaints = ''
  served.stderr?.on('data', (text: string) => (complaints += text))

  const evil = `import('node:fs').then((fs) => fs.writeFileSync('${folder}/canary', ''))`
  const planted: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    'no-data': {},
    empty: job(''),
    'no-json': job('{'),
    nothing: job('null'),
    list: job('[1, 2]'),
    'no-id': job('{"run":"x#1"}'),
    climbing: job('{"session":"../../x","run":"../y"}'),
    'other-namespace': job('{"session":"{other:s}","run":"x#1"}'),
    numbers: job('{"session":1e9,"run":-1}', { priority: 'x', delay: '-1', timestamp: 'soon' }),
    'as-a-target': job(
      JSON.stringify({ module: 'node:child_process', export: 'execSync', args: [`touch ${folder}/canary`] }),
    ),
    'as-code': job(JSON.stringify({ session: `data:text/javascript,${evil}`, run: 'x' })),
    polluting: job('{"__proto__":{"session":"a","run":"b"}}'),
    long: job(JSON.stringify({ session: 'x'.repeat(1_000_000), run: 'y' })),
    '../escape\u001b[2J': job('{"session":7}'),
  }
  const queue = `{${namespace}:${workKey({ seal: new Seal(SECRET, namespace) })}}:q`
  for (const [id, fields] of Object.entries(planted)) {
    if (Object.keys(fields).length > 0) await redis.ask('HSET', `${queue}:${id}`, ...Object.entries(fields).flat())
    await redis.ask('LPUSH', `${queue}:wait`, id)
  }
  // Behind all of them.
  const child = await mp.process(parentPid).start()
  expect(await child.result()).toBe(pid)
  await until('they are gone', async () => (await redis.ask('LLEN', `${queue}:wait`)) === 0)
  const wrong = Object.keys(planted).filter((id) => id !== 'no-data')
  for (const id of wrong) {
    await until(`${id} is told`, () =>
      complaints.includes(`job ${id.replace('\u001b', '?')} of open work says of no program`),
    )
  }
  expect(complaints).not.toContain('\u001b[2J')
  expect(complaints).not.toContain('please report it')
  expect(readdirSync(folder)).toEqual([])
  expect((await mp.hosts()).map((one) => [one.pid, one.busy])).toEqual([[pid, 0]])
})

test('an item whose job somebody has deleted is passed over', async () => {
  const { mp, namespace } = await field(redis)
  const queue = mp.queue<string>({ name: 'mails', maxSize: 3 })
  for (const item of ['a', 'b', 'c']) await queue.put(item)
  const keys = `{${namespace}:queue:mails}:q`
  const line = ((await redis.ask('LRANGE', `${keys}:wait`, 0, -1)) as unknown[]).map(String)
  await redis.ask('DEL', `${keys}:${line.at(-1)}`)
  expect(await queue.get({ timeout: 5_000 })).toBe('b')
  expect(await queue.get({ timeout: 5_000 })).toBe('c')
  expect(await queue.size()).toBe(0)
  // There is room for three again.
  for (const item of ['d', 'e', 'f']) await queue.put(item, { timeout: 5_000 })
  expect(await redis.ask('LLEN', `${keys}:active`)).toBe(0)
  expect(((await redis.ask('KEYS', `${keys}:*`)) as unknown[]).filter((key) => String(key).includes(':lock'))).toEqual(
    [],
  )
})

const uses: Readonly<Record<string, (mp: Context, name: string) => Promise<unknown>>> = {
  lock: (mp, name) => mp.lock(name).with(() => 1, { timeout: 2_000 }),
  semaphore: (mp, name) => mp.semaphore(2, name).with(() => 1, { timeout: 2_000 }),
  counter: (mp, name) => mp.semaphore(1, { name, owned: false }).acquire({ timeout: 2_000 }),
  queue: async (mp, name) => {
    const queue = mp.queue<number>(name)
    await queue.put(1, { timeout: 2_000 })
    return queue.get({ timeout: 2_000 })
  },
  dict: (mp, name) => mp.dict<number>(name).set('a', 1),
  value: (mp, name) => mp.value(0, name).set(1),
  list: (mp, name) => mp.list<number>(name).push(1),
  event: (mp, name) => mp.event(name).set(),
  latch: (mp, name) => mp.latch(1, name).countDown(),
  barrier: (mp, name) => mp.barrier(1, name).wait({ timeout: 2_000 }),
}

test.each(Object.keys(uses))(
  'row 62: a key of another kind where a %s is to be is named, and stays as it is',
  async (noun) => {
    const { mp, namespace } = await field(redis)
    const use = uses[noun] as (mp: Context, name: string) => Promise<unknown>
    await use(mp, 'model')
    const keys = ((await redis.ask('KEYS', `{${namespace}:*:model}*`)) as unknown[]).map(String)
    expect(keys.length).toBeGreaterThan(0)
    let refused = 0
    for (const [index, key] of keys.entries()) {
      const name = `other-${index}`
      const there = key.replace(':model}', `:${name}}`)
      const kind = String(await redis.ask('TYPE', key))
      await (kind === 'string' ? redis.ask('RPUSH', there, 'mine') : redis.ask('SET', there, 'mine'))
      const used = await use(mp, name).catch((error: unknown) => error)
      if (!(used instanceof Error)) continue
      refused += 1
      expect(used).toBeInstanceOf(ConflictError)
      expect(used.message).toContain(`{${namespace}:`)
      expect(used.message).toContain(`:${name}}`)
      expect(used.message).toContain('holds what Skein has not put there; delete it, or use another name or namespace')
      expect(await redis.ask('TYPE', there)).toBe(kind === 'string' ? 'list' : 'string')
    }
    expect(refused).toBeGreaterThan(0)
  },
)
