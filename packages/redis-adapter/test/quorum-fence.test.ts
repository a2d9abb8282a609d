/** Locks of several masters, with masters that are late or come back empty. */
import { once } from 'node:events'
import { connect } from '@skein/core'
import { Redis } from 'ioredis'
import { expect, onTestFinished, test } from 'vitest'
import { Proxy } from '../../../integration-tests/support/proxy.ts'
import { freshNamespace, redisForTest, startMasters } from '../../../integration-tests/support/redis.ts'
import { QuorumFence } from '../src/supervisor/redlock/quorum-fence.ts'

test('a master that was late with a higher proposal shows the fence that was agreed on', async () => {
  const servers = await startMasters()
  onTestFinished(async () => void (await Promise.all(servers.map((server) => server.close()))))
  const [slow, ...others] = servers
  if (slow === undefined) throw new Error('three servers')
  const proxy = await Proxy.start(slow.url)
  onTestFinished(() => proxy.close())
  const masters = [proxy.url, ...others.map(({ url }) => url)].map((url) => new Redis(url))
  onTestFinished(() => {
    for (const master of masters) master.disconnect()
  })
  await Promise.all(masters.map((master) => once(master, 'ready')))
  const key = `{${freshNamespace()}:x}`
  for (const server of servers) await server.ask('SET', key, 'value')
  const fence = new QuorumFence(masters)
  const holder = { process: 'p', name: 'main', pid: 1, host: 'here' }
  // All of them know the script from now on.
  await fence.of(key, 'value', holder)
  await expect.poll(() => slow.ask('GET', `${key}:f`)).toContain('main')
  const high = 9e15
  await slow.ask('SET', `${key}:f`, high)
  proxy.hold()
  const token = await fence.of(key, 'value', holder)
  expect(token).toBeLessThan(high)
  proxy.flow()
  expect(await fence.look(key)).toEqual({ held: true, holder: { ...holder, token } })
  // What it has proposed counts for the next one all the same.
  expect(await fence.of(key, 'value', holder)).toBeGreaterThan(token ?? Number.NaN)
})

test('a master that lost what it kept has it again at once, and who lost a lock to somebody else is told before its lease ends', async () => {
  const redis = await redisForTest({ own: true, single: true })
  const options = { namespace: freshNamespace(), sessionTtl: 20_000 }
  const mp = await connect([redis.url], options)
  onTestFinished(() => mp.close())
  const lease = await mp.lock('x').acquire()
  const key = `{${options.namespace}:redlock:lock:x}`
  const value = await redis.ask('GET', key)
  await redis.ask('DEL', key)
  await redis.ask('CLIENT', 'KILL', 'TYPE', 'normal')
  await expect.poll(() => redis.ask('GET', key)).toBe(value)
  lease.assertHeld()
  await redis.ask('SET', key, 'of somebody else')
  const began = performance.now()
  if (!lease.signal.aborted) await once(lease.signal, 'abort')
  expect(performance.now() - began).toBeLessThan(10_000)
  expect(await lease.release()).toBe(false)
  expect(await redis.ask('GET', key)).toBe('of somebody else')
}, 40_000)
