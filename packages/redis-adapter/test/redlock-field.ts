/** Three masters for the tests of a file, and programs whose locks are on them. */
import type { ObjectFactory, Session } from '@skein/core/adapter'
import { afterAll, afterEach, beforeAll, beforeEach, expect, onTestFinished } from 'vitest'
import { freshNamespace, grownUp, type RedisServer, startMasters } from '../../../integration-tests/support/redis.ts'
import type { PermitsSpec } from '../src/supervisor/redis-permits.ts'
import type { Deadline } from '../src/supervisor/redlock/quorum-executor.ts'
import { Quorum } from '../src/supervisor/redlock/quorum.ts'
import { RedlockPermits } from '../src/supervisor/redlock/redlock-permits.ts'
import type { Surround } from '../src/supervisor/surround.ts'
import { World } from './permits-world.ts'

export interface RedlockField {
  readonly servers: readonly RedisServer[]
  /** Another one in each test. */
  readonly namespace: string
  readonly quorums: ReadonlyMap<Surround, Quorum>
  /** What processes would read of their tenure. */
  readonly until: ReadonlyMap<Session, Deadline | null>
  readonly losses: readonly Error[]
  /** @param urls the servers', or those of proxies in front of them */
  readonly program: (urls?: readonly string[]) => Promise<World>
  /** Ends a server; another one has its place after the test. */
  readonly kill: (number: number) => Promise<RedisServer>
  /** So many stand in line, the holder included. */
  readonly standing: (count: number, name?: string) => Promise<void>
}

/** @param lease in ms */
export function redlockField(lease: number): RedlockField {
  let servers: readonly RedisServer[] = []
  let namespace = ''
  const worlds = new Set<World>()
  const quorums = new Map<Surround, Quorum>()
  const until = new Map<Session, Deadline | null>()
  const losses: Error[] = []

  beforeAll(async () => {
    servers = await startMasters()
  })
  afterAll(() => Promise.all(servers.map((one) => one.close())))
  beforeEach(async () => {
    namespace = freshNamespace()
    await grownUp(servers, lease)
  })
  afterEach(async () => {
    await Promise.all([...quorums.values()].map((one) => one.close()))
    await Promise.all([...worlds].map((one) => one.close()))
    worlds.clear()
    quorums.clear()
    until.clear()
    losses.length = 0
  })

  const kinds = (around: Surround): Readonly<Record<string, ObjectFactory>> => {
    const quorum = new Quorum(around, {
      confirm: (session, deadline) => until.set(session, deadline),
      lose: (_session, reason) => losses.push(reason),
    })
    quorums.set(around, quorum)
    return { lock: (name: string, spec: PermitsSpec) => new RedlockPermits('lock', name, spec, around, quorum) }
  }

  return {
    get servers() {
      return servers
    },
    get namespace() {
      return namespace
    },
    quorums,
    until,
    losses,
    program: async (urls = servers.map(({ url }) => url)) => {
      const world = await World.open(urls, namespace, new Set(), kinds, { sessionTtl: lease, beat: lease / 5 })
      worlds.add(world)
      return world
    },
    kill: async (number) => {
      const server = servers[number] as RedisServer
      await server.kill()
      onTestFinished(() => server.restart())
      return server
    },
    standing: async (count, name = 'x') => {
      const look = (): unknown => servers[0]?.ask('ZCARD', `{${namespace}:redlock:lock:${name}}:q`)
      await expect.poll(look, { interval: 5 }).toBe(count)
    },
  }
}
