/**
 * `SKEIN_TEST_REDIS=cluster`: what a test takes for a server is a cluster of three masters, and its url that of one of them. What is done to the
 * server is done to all three. One that no test may stop is shared by the tests of a file, as long as one of them has it.
 */
import process from 'node:process'
import { type Cluster, startCluster } from './cluster.ts'
import type { RedisControls, RedisOptions } from './redis.ts'

export function isClustered(): boolean {
  return process.env['SKEIN_TEST_REDIS'] === 'cluster'
}

/** How much longer than elsewhere nobody is served when a server has started again, in ms: a master waits for so long before it takes writes. */
export const RESTART: number = isClustered() ? 4_000 : 0

/** Each server behind what a test takes for one. */
export function nodesOf(redis: RedisControls): readonly RedisControls[] {
  return (redis as Partial<Cluster>).nodes ?? [redis]
}

let shared: Promise<Cluster> | null = null
let users = 0

export async function startTogether(options: RedisOptions): Promise<RedisControls | string> {
  if (options.own === true || options.args !== undefined || options.persistence !== undefined) {
    return startCluster(options)
  }
  users += 1
  shared ??= startCluster()
  const cluster = await shared
  return {
    ...cluster,
    close: async () => {
      users -= 1
      if (users > 0) return
      shared = null
      await cluster.close()
    },
  }
}
