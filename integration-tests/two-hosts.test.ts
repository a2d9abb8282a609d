/** Two hosts with addresses of their own: work spreads over both; one is killed, one cut off and healed, one stopped. */
import { randomBytes } from 'node:crypto'
import { isRunning, until } from '@skein/conformance'
import { connect, type Context, HostLostError } from '@skein/core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { type Host, startHost } from './support/hosts.ts'
import { makeNetwork, type Network, noNetwork } from './support/network.ts'
import { freshNamespace, type RedisServer, startRedis } from './support/redis.ts'
import { hostAndPid, numberAfter, sayOften } from './two-hosts/tasks.mjs'

const TTL = 2_000
const why = noNetwork()
if (why !== '') console.log(`The tests of two hosts are skipped: ${why}.`)

describe.skipIf(why !== '')('two hosts', () => {
  let network: Network
  let redis: RedisServer
  let url = ''
  let namespace = ''
  let mp: Context
  let hosts: Record<string, Host> = {}

  beforeAll(async () => {
    network = makeNetwork(['alpha', 'beta'])
    // The second is where nodes of a cluster say that they are.
    const args = ['--bind', '127.0.0.1', network.address, '--cluster-announce-ip', network.address]
    redis = await startRedis({ own: true, args: [...args, '--protected-mode', 'no'] })
    url = redis.url.replace('127.0.0.1', network.address)
    vi.stubEnv('SKEIN_SECRET', randomBytes(32).toString('hex'))
  })
  afterAll(async () => {
    vi.unstubAllEnvs()
    await redis.close()
    network.close()
  })

  async function start(name: string): Promise<Host> {
    const machine = network.machines.find((one) => one.name === name)
    const host = await startHost(url, namespace, { prefix: machine?.prefix, connect: { sessionTtl: TTL } })
    hosts[name] = host
    return host
  }

  beforeEach(async () => {
    namespace = freshNamespace()
    hosts = {}
    mp = await connect(url, { namespace, serve: false, sessionTtl: TTL })
    await Promise.all([start('alpha'), start('beta')])
  })
  afterEach(async () => {
    await Promise.all(network.machines.map((machine) => machine.heal()))
    for (const host of Object.values(hosts)) {
      host.kill('SIGCONT')
      host.kill('SIGKILL')
      await host.ended
    }
    await mp.close()
  })

  test('work spreads over both, and finds each by its name', async () => {
    expect((await mp.hosts()).map(({ host }) => host)).toEqual(['alpha', 'beta'])
    const ran = new Set<string>()
    await until('both have run something', async () => {
      const children = Array.from({ length: 4 }, () => mp.process(hostAndPid))
      for (const one of children) await one.start()
      for (const one of children) ran.add((await one.result())[0])
      return ran.size === 2
    })
    for (const name of ['beta', 'alpha']) {
      const child = await mp.process(hostAndPid, [], { host: name }).start()
      expect(child.host).toBe(name)
      expect((await child.result())[0]).toBe(name)
    }
  })

  test('H1: one is killed, and what ran there is lost and known to be; the other goes on', async () => {
    const said = mp.queue<number>()
    const [lost, other] = [
      await mp.process(sayOften, [said], { host: 'alpha' }).start(),
      await mp.process(numberAfter, [1_500], { host: 'beta' }).start(),
    ]
    const pid = await said.get()
    hosts['alpha']?.kill('SIGKILL')
    expect(await lost.join()).toMatchObject({ reason: 'host-lost', exitCode: null })
    await expect(lost.result()).rejects.toThrow(HostLostError)
    await expect(lost.result()).rejects.toThrow(/host alpha/)
    await until('its process is gone', () => !isRunning(pid))
    expect(await other.result()).toBe(1_500)
    expect((await mp.hosts()).map(({ host }) => host)).toEqual(['beta'])
  })

  test('H1: what may be started again is, once, at the other one', async () => {
    const said = mp.queue<number>()
    const restart = { on: 'failure', max: 5, within: 60_000, backoff: 1 } as const
    const child = await mp.process(sayOften, [said], { restart }).start()
    const first = { pid: await said.get(), host: child.host ?? '' }
    hosts[first.host]?.kill('SIGKILL')
    const next = await said.get()
    expect(next).not.toBe(first.pid)
    expect(isRunning(first.pid)).toBe(false)
    expect(await child.status()).toMatchObject({ state: 'running', pid: next, restarts: 1 })
    expect(['alpha', 'beta'].filter((name) => name !== first.host)).toEqual([(await child.status()).host])
    await child.kill()
    expect(await said.tryGet()).toBeNull()
  })

  test('H2: one is cut off, and what it ran is ended there before it can do anything again; its late results are nobody’s', async () => {
    const said = mp.queue<number>()
    const alpha = network.machines[0]
    const [endless, late] = [
      await mp.process(sayOften, [said], { host: 'alpha' }).start(),
      await mp.process(numberAfter, [4 * TTL], { host: 'alpha' }).start(),
    ]
    const pid = await said.get()
    alpha?.cut()
    for (const one of [endless, late]) expect((await one.join()).reason).toBe('host-lost')
    await until('it was ended over there, where nobody could reach it', () => !isRunning(pid))
    await alpha?.heal()
    await until(
      'the host is there again',
      async () => (await mp.hosts()).filter(({ state }) => state === 'serving').length === 2,
    )
    await expect(late.result()).rejects.toThrow(HostLostError)
    const next = await mp.process(hostAndPid, [], { host: 'alpha' }).start()
    expect((await next.result())[0]).toBe('alpha')
  }, 60_000)

  test('H2: a cut shorter than sessionTtl loses nothing', async () => {
    const child = await mp.process(numberAfter, [1_500], { host: 'alpha' }).start()
    network.machines[0]?.cut()
    await new Promise((resolve) => setTimeout(resolve, TTL / 8))
    await network.machines[0]?.heal()
    expect(await child.result()).toBe(1_500)
  })

  test('H15: what is to end while its host is cut off ends when that is there again', async () => {
    const said = mp.queue<number>()
    const child = await mp.process(sayOften, [said], { host: 'alpha' }).start()
    const pid = await said.get()
    network.machines[0]?.cut()
    const ended = child.terminate()
    await new Promise((resolve) => setTimeout(resolve, TTL / 8))
    expect(isRunning(pid)).toBe(true)
    await network.machines[0]?.heal()
    await ended
    expect(await child.join()).toMatchObject({ reason: 'signaled', signal: 'SIGTERM', exitCode: -15 })
    await until('it is gone', () => !isRunning(pid))
  })

  test('H15: or with the session of its host, which nobody can reach', async () => {
    const said = mp.queue<number>()
    const child = await mp.process(sayOften, [said], { host: 'alpha' }).start()
    const pid = await said.get()
    network.machines[0]?.cut()
    const ended = child.terminate()
    await until('it is gone', () => !isRunning(pid), TTL + 5_000)
    await ended
    expect(await child.join()).toMatchObject({ reason: 'host-lost', exitCode: null })
  })

  test('H3: one is stopped for longer than that, and what it ran is ended when it goes on', async () => {
    const said = mp.queue<number>()
    const child = await mp.process(sayOften, [said], { host: 'beta' }).start()
    const pid = await said.get()
    hosts['beta']?.kill('SIGSTOP')
    expect((await child.join()).reason).toBe('host-lost')
    hosts['beta']?.kill('SIGCONT')
    await until('its process is gone', () => !isRunning(pid))
    const next = await mp.process(hostAndPid, [], { host: 'beta' }).start()
    expect((await next.result())[0]).toBe('beta')
  })

  test('H5: one that starts again under the same name has nothing of what it ran before', async () => {
    const said = mp.queue<number>()
    const child = await mp.process(sayOften, [said], { host: 'alpha' }).start()
    await said.get()
    hosts['alpha']?.kill('SIGKILL')
    await hosts['alpha']?.ended
    await start('alpha')
    expect((await child.join()).reason).toBe('host-lost')
    const next = await mp.process(hostAndPid, [], { host: 'alpha' }).start()
    expect((await next.result())[0]).toBe('alpha')
    const alpha = (await mp.hosts()).filter(({ host, state }) => host === 'alpha' && state === 'serving')
    expect(alpha.map(({ busy }) => busy)).toEqual([0])
  })
})
