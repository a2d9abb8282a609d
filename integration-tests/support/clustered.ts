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

/** Test files that say nothing about a cluster, by what is in their way. */
const WITHOUT: Readonly<Record<string, readonly string[]>> = {
  'they stand between a program and its server, and a program asks the masters of a cluster where they say that they are':
    [
      'connect',
      'mailbox',
      'peers',
      'serve-begin',
      'serve-both',
      'serve-jobs',
      'serve-lost',
      'serve-outage',
      'session',
      'lock-chaos',
      'rwlock-chaos',
      'redis-outage',
      'redis-server',
    ],
  'they are about independent servers, of which none may be of a cluster': ['inspect'],
  'they start servers in a way of their own, and are about that': [
    'access',
    'sentinel',
    'tls',
    'serve.conformance',
    'two-hosts',
  ],
}

/** Patterns for the files that are left out. */
export const leftOut: readonly string[] = isClustered()
  ? Object.values(WITHOUT)
      .flat()
      .flatMap((name) =>
        ['packages/redis-adapter/test', 'integration-tests/**'].map((at) => `**/${at}/${name}.test.ts`),
      )
  : []
