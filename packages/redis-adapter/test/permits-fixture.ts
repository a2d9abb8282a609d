/** Programs that share one Redis, gone when the test is over. */
import type { ObjectFactory } from '@skein/core/adapter'
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest'
import { freshNamespace, type RedisServer, startRedis } from '../../../integration-tests/support/redis.ts'
import { type PermitsSpec, RedisPermits } from '../src/supervisor/redis-permits.ts'
import type { Surround } from '../src/supervisor/surround.ts'
import { World } from './permits-world.ts'

export let server: RedisServer
export let namespace: string
export let dead: Set<string>
const worlds = new Set<World>()

beforeAll(async () => {
  server = await startRedis({ own: true })
})
afterAll(() => server.close())
beforeEach(() => {
  namespace = freshNamespace()
  dead = new Set()
})
afterEach(async () => {
  await Promise.all([...worlds].map((one) => one.close()))
  worlds.clear()
  objects.clear()
})

export const objects = new Set<RedisPermits>()

function make(kind: 'lock' | 'semaphore', around: Surround): (name: string, spec: PermitsSpec) => RedisPermits {
  return (name, spec) => {
    const object = new RedisPermits(kind, name, spec, around)
    objects.add(object)
    return object
  }
}

const kinds = (around: Surround): Readonly<Record<string, ObjectFactory>> => ({
  lock: make('lock', around),
  semaphore: make('semaphore', around),
})

/** A program, on the common server unless another is named. */
export async function program(
  more: { beat?: number; outage?: number; url?: string; replication?: Surround['replication'] } = {},
): Promise<World> {
  const world = await World.open(more.url ?? server.url, namespace, dead, kinds, more)
  worlds.add(world)
  return world
}

/** So many requests stand in the line of a lock. */
export async function standing(name: string, count: number, kind = 'lock', at = server): Promise<void> {
  await expect.poll(() => at.ask('LLEN', `{${namespace}:${kind}:${name}}:w`), { interval: 5 }).toBe(count)
}
