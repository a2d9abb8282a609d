/** Processes and pools run in another program: what every adapter passes holds there, too. */
import { afterAll, beforeAll } from 'vitest'
import { conformance } from '@skein/conformance'
import { connect } from '@skein/core'
import { leftovers } from '../../../integration-tests/support/leftovers.ts'
import { freshNamespace, type RedisServer, startRedis } from '../../../integration-tests/support/redis.ts'
import { first } from './targets/serve.mjs'
import { type Host, startHost } from '../../../integration-tests/support/hosts.ts'

let redis: RedisServer
let host: Host
let before: readonly string[] = []
const namespace = freshNamespace()
/** Its queue of starts has more keys at some times than at others. */
const isOfHost = (line: string): boolean => before.some((one) => line.startsWith(one.slice(0, one.indexOf('}') + 1)))
beforeAll(async () => {
  redis = await startRedis()
  host = await startHost(redis.url, namespace)
  // What it has as long as it lives begins with the first process that it runs.
  const mp = await connect(redis.url, { namespace, serve: false })
  await mp.process(first).start()
  await mp.close()
  before = await leftovers(redis.url, namespace)
})
afterAll(async () => {
  await host.close()
  await redis.close()
})

conformance('redis, in another program', (options) => connect(redis.url, { namespace, serve: false, ...options }), {
  deathKnownWithin: 1_000,
  inherits: false,
  extraLeakCheck: async () => (await leftovers(redis.url, namespace)).filter((line) => !isOfHost(line)),
})
