/** A condition of a lock on three masters, of which one is killed while somebody waits. */
import {
  type Condition,
  connect,
  ConnectionError,
  type Context,
  type Lease,
  LeaseLostError,
  StateError,
} from '@skein/core'
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest'
import { Proxy } from '../../../integration-tests/support/proxy.ts'
import { freshNamespace, grownUp, type RedisServer, startMasters } from '../../../integration-tests/support/redis.ts'

const LEASE = 1_000

let servers: readonly RedisServer[] = []
/** On the way to the first one. */
let proxy: Proxy
let mp: Context
let condition: Condition

beforeAll(async () => {
  servers = await startMasters()
}, 60_000)
afterAll(() => Promise.all(servers.map((server) => server.close())))

beforeEach(async () => {
  await grownUp(servers, LEASE)
  const [first = '', ...others] = servers.map(({ url }) => url)
  proxy = await Proxy.start(first)
  onTestFinished(() => proxy.close())
  const urls = [proxy.url, ...others]
  mp = await connect(urls, { namespace: freshNamespace(), sessionTtl: LEASE })
  onTestFinished(() => mp.close())
  condition = mp.condition({ lock: mp.lock('desk'), name: 'news' })
})

async function kill(number: number): Promise<RedisServer> {
  const server = servers[number] as RedisServer
  await server.kill()
  onTestFinished(() => server.restart({ empty: true }))
  return server
}

interface Flow {
  readonly ended: Promise<unknown>
  readonly leases: readonly Lease[]
}

/** Waits in the condition; resolves when the lock is free again. What the wait ends with, under the lock. */
async function stand(signal?: AbortSignal, where: Condition = condition): Promise<Flow> {
  const leases: Lease[] = []
  const ended = where.with(async (lease) => {
    leases.push(lease)
    const end = await where.wait({ signal }).then(
      () => 'woken',
      (error: unknown) => error,
    )
    if (!(end instanceof StateError)) lease.assertHeld()
    return end
  })
  await expect.poll(() => leases.length).toBe(1)
  await condition.with(() => undefined, { timeout: 10_000 })
  return { ended, leases }
}

test('a master that is not the first is killed while one waits: nobody notices', async () => {
  const { ended } = await stand()
  await kill(1)
  await condition.with(() => condition.notify())
  expect(await ended).toBe('woken')
  const { ended: second } = await stand()
  await condition.with(() => condition.notifyAll())
  expect(await second).toBe('woken')
})

test('the first master is killed while some wait: the lock goes on, waits can end, and when it is back all are woken', async () => {
  const reason = new Error('no longer')
  const abort = new AbortController()
  const [one, aborted] = [await stand(), await stand(abort.signal)]
  const first = await kill(0)
  await condition.with((lease) => lease.assertHeld(), { timeout: 10_000 })
  abort.abort(reason)
  expect(await aborted.ended).toBe(reason)
  // Nobody can be notified meanwhile, and whoever begins to wait does not keep the lock from others.
  await expect(condition.with(() => condition.notify())).rejects.toBeInstanceOf(ConnectionError)
  const late = await stand()
  await first.restart({ empty: true })
  expect(await one.ended).toBe('woken')
  expect(await late.ended).toBe('woken')
  const { ended } = await stand()
  await condition.with(() => condition.notify())
  expect(await ended).toBe('woken')
}, 60_000)

test('the lock is not given up before the place in the line is had', async () => {
  const lease = await condition.acquire()
  // From here on nothing but its place has to be asked for.
  await condition.notify()
  proxy.hold()
  const waiting = condition.wait()
  expect(await condition.tryAcquire()).toBeNull()
  proxy.flow()
  await condition.with(() => condition.notify())
  await waiting
  lease.assertHeld()
  await lease.release()
})

test('who waits in another program is notified, and hears when the condition or its lock is destroyed', async () => {
  // By other urls it is another program.
  const other = await connect(
    servers.map(({ url }) => url),
    { namespace: mp.namespace, sessionTtl: LEASE },
  )
  onTestFinished(() => other.close())
  const theirs = (): Condition => other.condition({ lock: other.lock('desk'), name: 'news' })
  const { ended } = await stand(undefined, theirs())
  await condition.with(() => condition.notify())
  expect(await ended).toBe('woken')
  for (const which of ['condition', 'lock'] as const) {
    const waiting = await stand(undefined, theirs())
    const again = mp.condition({ lock: mp.lock('desk'), name: 'news' })
    await again.with(() => again.locked())
    if (which === 'lock') {
      const { ended: mine } = await stand(undefined, again)
      await mp.lock('desk').destroy()
      expect(await mine).toBeInstanceOf(StateError)
    } else await again.destroy()
    expect(await waiting.ended).toMatchObject({
      name: 'StateError',
      message: expect.stringContaining('news') as unknown,
    })
    expect(() => waiting.leases[0]?.assertHeld()).toThrow(LeaseLostError)
  }
}, 30_000)

test('a notification whose answer was lost is not given twice', async () => {
  const woken: number[] = []
  const flows = [await stand(), await stand(), await stand()]
  for (const [number, { ended }] of flows.entries()) void ended.then(() => woken.push(number))
  await condition.with(async () => {
    await condition.notify()
    const lost = proxy.dropReply(/\r\nnews\r\n\$1\r\n1\r\n\$\d+\r\n-/)
    await Promise.all([condition.notify(), lost])
  })
  await Promise.all(flows.slice(0, 2).map(({ ended }) => ended))
  await condition.with(() => undefined)
  expect(woken).toEqual([0, 1])
  await condition.with(() => condition.notify())
  await flows[2]?.ended
})
