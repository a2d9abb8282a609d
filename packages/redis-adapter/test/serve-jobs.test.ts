/** Starts whose job in Redis has met with something: each is begun all the same, and once. */
import { isRunning, until } from '@skein/conformance'
import { connect } from '@skein/core'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { Proxy } from '../../../integration-tests/support/proxy.ts'
import { type RedisServer, startRedis } from '../../../integration-tests/support/redis.ts'
import { serverOf } from '../src/options.ts'
import { workKey } from '../src/supervisor/host/needs.ts'
import { UNLIMITED } from '../src/supervisor/host/open-work.ts'
import { type JobQueue, jobQueue } from '../src/supervisor/job-queue.ts'
import { type Opened, openSurround } from '../src/supervisor/opening.ts'
import { counter, field } from './serve-field.ts'
import { count, parentPid } from './targets/serve.mjs'

let redis: RedisServer

beforeAll(async () => {
  redis = await startRedis()
})

afterAll(() => redis.close())

/** Somebody who takes jobs, by requests of which it tells the one that got one, and does nothing with them. */
async function taker(namespace: string): Promise<Opened & { queue: JobQueue; take: () => Promise<string> }> {
  const none = (): void => undefined
  const guard = { program: 'taker', sessions: () => [], confirm: none, lose: none, interrupted: none, alias: none }
  const settings = { namespace, sessionTtl: 5_000, outage: 1_000, serve: null }
  const opened = await openSurround({ servers: [serverOf(redis.url)], quorum: false }, settings, guard)
  const queue = jobQueue(opened.around, workKey(opened.around), UNLIMITED)
  let asked = 0
  let rid = ''
  const take = async (): Promise<string> => {
    await until('there is a job', async () => {
      rid = `${opened.around.session.sid}/s/${(asked += 1)}`
      return (await queue.fetch(rid, 'poll')) !== null
    })
    return rid
  }
  return { ...opened, queue, take }
}

test('one whose job was removed by somebody is put again', async () => {
  const { mp, namespace, host } = await field(redis)
  const child = mp.process(parentPid)
  const started = child.start()
  const key = `{${namespace}:${workKey({ seal: null })}}:q:wait`
  await until('it is known to Redis', async () => (await redis.ask('LLEN', key)) === 1)
  const id = String(await redis.ask('RPOP', key))
  await redis.ask('DEL', `{${namespace}:${workKey({ seal: null })}}:q:${id}`)
  const { pid } = await host()
  await started
  expect(await child.result()).toBe(pid)
})

test('H6: one whose job somebody holds who has closed is taken from there', async () => {
  const { mp, namespace, host } = await field(redis)
  const child = mp.process(parentPid)
  const started = child.start()
  const gone = await taker(namespace)
  await gone.take()
  gone.queue.stop()
  await gone.close()
  const { pid } = await host()
  await started
  expect(await child.result()).toBe(pid)
})

test('H6: one whose job was finished without a claim is put again', async () => {
  const { mp, namespace, host } = await field(redis)
  const child = mp.process(parentPid)
  const started = child.start()
  const idle = await taker(namespace)
  onTestFinished(idle.close)
  const rid = await idle.take()
  await idle.queue.finish([{ rid }])
  idle.queue.stop()
  const { pid } = await host()
  await started
  expect(await child.result()).toBe(pid)
})

test('one of a process so deep in others that its id is long begins as any other', async () => {
  const { namespace, host } = await field(redis)
  const registry = Reflect.get(process, Symbol.for('skein.process')) as { child: object | null }
  const id = `p${'.1'.repeat(500)}`
  registry.child = { id, name: 'Process-1', daemon: false, parent: null }
  onTestFinished(() => void (registry.child = null))
  const mp = await connect(redis.url, { namespace, serve: false })
  onTestFinished(() => mp.close())
  const { pid } = await host()
  const child = mp.process(parentPid)
  expect(child.id.startsWith(`${id}.`)).toBe(true)
  await child.start({ timeout: 10_000 })
  expect(await child.result()).toBe(pid)
})

test('a process whose host is lost starts again at the same host, which has not let go of it yet', async () => {
  const proxy = await Proxy.start(redis.url)
  onTestFinished(() => proxy.close())
  const { mp, namespace, host } = await field(redis)
  await host({ url: proxy.url })
  const said = mp.queue<[number, number]>()
  const restart = { on: 'failure', max: 5, within: 60_000, backoff: 1 } as const
  const child = mp.process(count, [said, counter().path], { restart })
  const other = mp.process(count, [said, counter().path])
  await child.start()
  const [first] = await said.get()
  await other.start()
  await said.get()
  // What this program says next does not arrive, and what it says then tells of that.
  const inboxes = async (): Promise<string[]> =>
    ((await redis.ask('KEYS', `{${namespace}:s:*}:in`)) as string[]).map(String)
  proxy.hold()
  const unheard = other.terminate()
  await until('it is under way', async () => (await inboxes()).length > 0)
  for (const key of await inboxes()) await redis.ask('DEL', key)
  proxy.flow()
  await other.kill()
  await unheard
  expect((await other.join()).reason).toBe('host-lost')
  const [second] = await said.get({ timeout: 10_000 })
  expect(second).not.toBe(first)
  await until('the first run is gone', () => !isRunning(first))
  await child.kill()
})
