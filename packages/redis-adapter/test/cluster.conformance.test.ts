/** All nouns on a cluster of three masters. */
import { conformance } from '@skein/conformance'
import { connect } from '@skein/core'
import { afterAll, beforeAll } from 'vitest'
import { type Cluster, startCluster } from '../../../integration-tests/support/cluster.ts'
import { leftovers } from '../../../integration-tests/support/leftovers.ts'
import { freshNamespace } from '../../../integration-tests/support/redis.ts'

const namespace = freshNamespace()
let cluster: Cluster
beforeAll(async () => {
  cluster = await startCluster()
}, 60_000)
afterAll(() => cluster.close())

conformance('redis, a cluster', (options) => connect(cluster.url, { namespace, ...options }), {
  deathKnownWithin: 1_000,
  extraLeakCheck: () => leftovers(cluster, namespace),
})
