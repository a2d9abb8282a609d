/** The Redis adapter passes what every adapter passes. */
import { afterAll, beforeAll } from 'vitest'
import { conformance } from '@skein/conformance'
import { connect } from '@skein/core'
import { leftovers } from '../../../integration-tests/support/leftovers.ts'
import { freshNamespace, type RedisServer, startRedis } from '../../../integration-tests/support/redis.ts'

let redis: RedisServer
const namespace = freshNamespace()
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.close())

conformance('redis', (options) => connect(redis.url, { namespace, ...options }), {
  deathKnownWithin: 1_000,
  extraLeakCheck: () => leftovers(redis, namespace),
})
