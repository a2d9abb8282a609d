/** Locks and conditions on three masters pass what every adapter passes. */
import { afterAll, beforeAll } from 'vitest'
import { conformance } from '@skein/conformance'
import { connect, type ConnectOptions, type Context } from '@skein/core'
import { leftovers } from '../../../integration-tests/support/leftovers.ts'
import { freshNamespace, grownUp, type RedisServer, startMasters } from '../../../integration-tests/support/redis.ts'

let servers: readonly RedisServer[] = []
const namespace = freshNamespace()
beforeAll(async () => {
  servers = await startMasters()
  // With the default of `sessionTtl`; they have no vote for anybody before.
  await grownUp(servers, 5_000)
}, 60_000)
afterAll(() => Promise.all(servers.map((server) => server.close())))

/** A lock of a condition's own would be on the first master alone: who says nothing of it gets one on all of them. */
async function connected(options?: ConnectOptions): Promise<Context> {
  const urls = servers.map(({ url }) => url)
  const mp = await connect(urls, { namespace, ...options })
  const condition: Context['condition'] = mp.condition.bind(mp)
  return Object.assign(mp, {
    condition: ((of) => condition(of ?? { lock: mp.rlock() })) satisfies Context['condition'],
  })
}

conformance('redis, on three masters', connected, {
  deathKnownWithin: 1_000,
  nouns: 'locks',
  extraLeakCheck: async () => (await Promise.all(servers.map((server) => leftovers(server, namespace)))).flat(),
})
