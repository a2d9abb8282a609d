/** A cluster whose masters die, come back without what they knew, are replaced, and give away what they have. */
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { until } from '@skein/conformance'
import { connect, ConnectionError, type Context, NotSupportedError } from '@skein/core'
import { redis } from '@skein/redis-adapter'
import type { Redis } from 'ioredis'
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { type Cluster, startCluster } from '../../../integration-tests/support/cluster.ts'
import { Proxy } from '../../../integration-tests/support/proxy.ts'
import { entered, freshNamespace, type RedisControls } from '../../../integration-tests/support/redis.ts'
import { aclUser } from '../../../integration-tests/support/security.ts'
import { makeAuthority, sign } from '../../../integration-tests/support/tls.ts'
import { serverOf } from '../src/options.ts'
import { Master } from '../src/supervisor/cluster/master.ts'
import { slotOf } from '../src/supervisor/cluster/slots.ts'
import { hangUp, makeClient } from '../src/supervisor/connections.ts'
import { maskOf } from '../src/supervisor/failure.ts'
import { openSurround } from '../src/supervisor/opening.ts'
import { reachStore } from '../src/supervisor/reach-store.ts'
import { COMMAND_DEADLINE, commandSettings } from '../src/supervisor/settings.ts'

const TTL = 1_500

let cluster: Cluster
let namespace = ''
beforeEach(async () => {
  const started = await startCluster()
  onTestFinished(() => started.close())
  cluster = started
  namespace = freshNamespace()
})

/** Another program for each node that it is told of. */
async function program(node: RedisControls | undefined): Promise<Context> {
  const mp = await connect(node?.url ?? cluster.url, { namespace, sessionTtl: TTL })
  onTestFinished(() => mp.close())
  return mp
}

async function home(): Promise<RedisControls> {
  return cluster.nodeOf(`{${namespace}:sessions}:live`)
}

/** The name of an object that is on that node. */
async function nameOn(node: RedisControls, kind: string): Promise<string> {
  for (let count = 0; ; count += 1) {
    const name = `x${count}`
    if ((await cluster.nodeOf(`{${namespace}:${kind}:${name}}`)) === node) return name
  }
}

async function others(than: RedisControls): Promise<readonly RedisControls[]> {
  return cluster.nodes.filter((node) => node !== than)
}

/**
 * A lock is held by one program and awaited by another, while something happens. Resolves to whether the one had lost it when the other got it,
 * with a higher token.
 */
async function handedOn(name: string, happens: () => Promise<void>): Promise<boolean> {
  const [one, other] = [await program(cluster.nodes[0]), await program(cluster.nodes[1])]
  const lease = await one.lock(name).acquire()
  const next = other
    .lock(name)
    .acquire()
    .then(({ token }) => lease.signal.aborted && token > lease.token)
  await until('the other one stands in line', async () =>
    (await other.inspect()).objects.some(({ kind, waiters }) => kind === 'lock' && waiters.length === 1),
  )
  await happens()
  return next
}

test('the slot of a key is the one that Redis says', async () => {
  for (const key of ['a', '{b}:c', 'x{}{y}', '{ns:lock:ä}:h', '']) {
    expect(slotOf(key)).toBe(await cluster.ask('CLUSTER', 'KEYSLOT', key))
  }
})

test('a master whose connection is lost while it is asked which it is, is asked on the next one, without a wait', async () => {
  const proxy = await Proxy.start(cluster.url)
  const server = serverOf(proxy.url)
  const client = makeClient(commandSettings(server, 'test'))
  const master = new Master({ client, server, mask: maskOf([server]), flags: true })
  onTestFinished(async () => {
    master.close()
    await proxy.close()
  })
  const met = (): Promise<void> => new Promise((told) => master.onMet(told))
  const first = met()
  await client.connect()
  await first
  for (let round = 0; round < 3; round += 1) {
    const dropped = proxy.dropReply(/\r\ninfo\r\n/)
    const again = met()
    // It has done with the question before.
    await new Promise((done) => setImmediate(done))
    const began = performance.now()
    void master.meet()
    await dropped
    await again
    expect(performance.now() - began).toBeLessThan(COMMAND_DEADLINE - 1_000)
  }
})

describe('nothing goes on looking at a cluster that could not be opened', () => {
  /** How many still do. */
  function looks(): () => number {
    const [set, clear] = [vi.spyOn(globalThis, 'setInterval'), vi.spyOn(globalThis, 'clearInterval')]
    onTestFinished(() => void vi.restoreAllMocks())
    return () => {
      const over = new Set(clear.mock.calls.map(([timer]) => timer))
      const begun = set.mock.results.filter((_, index) => set.mock.calls[index]?.[1] === 1_000)
      expect(begun).toHaveLength(1)
      return begun.filter(({ value }) => !over.has(value as NodeJS.Timeout)).length
    }
  }

  test('since its replicas cannot be asked', async () => {
    const left = looks()
    const none = (): void => undefined
    const guard = { program: 'test', sessions: () => [], confirm: none, lose: none, interrupted: none, alias: none }
    const settings = { namespace, sessionTtl: TTL, outage: 100, serve: null, replicas: 1 }
    const opening = openSurround({ servers: [serverOf(cluster.url)], quorum: false }, settings, guard)
    await expect(opening).rejects.toThrow(NotSupportedError)
    expect(left()).toBe(0)
  })

  test('since its messages cannot be heard', async () => {
    const left = looks()
    const server = serverOf(cluster.url)
    const clients: Redis[] = []
    onTestFinished(() => hangUp(...clients))
    const made = (client: Redis): void => {
      clients.push(client)
      if (client.options.connectionName?.endsWith(':wakes') === true) client.options.port = 1
    }
    const reaching = reachStore({ servers: [server], quorum: false, namespace, mask: maskOf([server]), made })
    await expect(reaching).rejects.toThrow(ConnectionError)
    expect(left()).toBe(0)
  })
})

test('objects are on all masters, and one call lists them all', async () => {
  const mp = await program(cluster.nodes[0])
  for (const node of cluster.nodes) await mp.lock(await nameOn(node, 'lock')).acquire()
  expect(
    (await mp.inspect()).objects.filter(({ kind, holders }) => kind === 'lock' && holders.length === 1),
  ).toHaveLength(3)
})

describe('one master is killed and comes back empty', () => {
  test('not that of the sessions: who held a lock there has lost it before anybody else gets it', async () => {
    const [node] = await others(await home())
    if (node === undefined) throw new Error('three nodes')
    const name = await nameOn(node, 'lock')
    expect(await handedOn(name, () => node.restart({ empty: true }))).toBe(true)
  })

  test('that of the sessions: the same for what is on the others', async () => {
    const [node] = await others(await home())
    if (node === undefined) throw new Error('three nodes')
    const name = await nameOn(node, 'lock')
    const sessions = await home()
    expect(await handedOn(name, () => sessions.restart({ empty: true }))).toBe(true)
  })

  test('what is on the others goes on without it', async () => {
    const [node, other] = await others(await home())
    if (node === undefined || other === undefined) throw new Error('three nodes')
    const mp = await program(other)
    const [here, there] = [mp.lock(await nameOn(other, 'lock')), mp.lock(await nameOn(node, 'lock'))]
    const held = await there.acquire()
    await node.kill()
    for (let round = 0; round < 3; round += 1) expect(await here.with(() => round)).toBe(round)
    held.assertHeld()
    const queue = mp.queue<number>(await nameOn(other, 'queue'))
    await queue.put(1)
    expect(await queue.get()).toBe(1)
    await node.restart({ empty: true })
    await until('it is noticed', () => held.signal.aborted)
    expect(await there.with(() => 'again')).toBe('again')
  })
})

test('a replica takes the place of a master that is killed: locks on it are lost, and then granted again', async () => {
  const [node] = await others(await home())
  if (node === undefined) throw new Error('three nodes')
  await cluster.replicaOf(node)
  const name = await nameOn(node, 'lock')
  expect(await handedOn(name, () => node.kill())).toBe(true)
})

test('the same where the master falls silent, and its connections stay', async () => {
  const [node] = await others(await home())
  if (node === undefined) throw new Error('three nodes')
  await cluster.replicaOf(node)
  const name = await nameOn(node, 'lock')
  expect(await handedOn(name, () => node.stop())).toBe(true)
})

test('a slot goes to another master while a lock in it is held and awaited: calls wait, and nothing is lost', async () => {
  const [one, other] = [await program(cluster.nodes[0]), await program(cluster.nodes[1])]
  const [node, target] = await others(await home())
  if (node === undefined || target === undefined) throw new Error('three nodes')
  const name = await nameOn(node, 'lock')
  const lease = await one.lock(name).acquire()
  const next = other.lock(name).acquire()
  const released: Promise<boolean>[] = []
  await cluster.move(`{${namespace}:lock:${name}}`, target, async () => {
    released.push(lease.release())
  })
  expect(await Promise.all(released)).toEqual([true])
  expect((await next).token).toBeGreaterThan(lease.token)
})

test('over TLS, as the user of SECURITY.md', async () => {
  const certificates = makeAuthority()
  onTestFinished(() => rmSync(certificates, { recursive: true }))
  sign(certificates, 'server')
  const password = 'correct-horse'
  const secured = await startCluster({ certificates, args: ['--user', ...aclUser({ namespace, password })] })
  onTestFinished(() => secured.close())
  const ca = readFileSync(join(certificates, 'ca.crt'))
  const mp = await connect(redis(entered(secured.url, `skein:${password}`), { tls: { ca } }), { namespace })
  onTestFinished(() => mp.close())
  for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) expect(await mp.lock(name).with(() => name)).toBe(name)
  expect((await mp.inspect()).objects).toHaveLength(6)
})

describe('refused', () => {
  test('a cluster among several servers, which must be independent', async () => {
    for (const urls of [[cluster.url], cluster.nodes.map(({ url }) => url)]) {
      const error: unknown = await connect(urls, { namespace }).catch((reason: unknown) => reason)
      expect(error).toBeInstanceOf(NotSupportedError)
      expect((error as Error).message).toMatch(/is a node of a cluster, .*give the cluster alone/)
    }
  })

  test('replicas, which each of its masters has for itself', async () => {
    const refused = connect(cluster.url, { namespace, replicas: 1 })
    await expect(refused).rejects.toThrow(NotSupportedError)
    await expect(refused).rejects.toThrow(/replicas is not supported on a cluster/)
  })

  test('another database than the only one', async () => {
    await expect(connect(`${cluster.url}/3`, { namespace })).rejects.toThrow(/has no database 3; use 0/)
  })
})
