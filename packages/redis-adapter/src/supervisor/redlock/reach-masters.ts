/** The servers of an array at the start: the first must be there, of all of them a majority. What is told names those that are not. */
import { ConnectionError, NotSupportedError } from '@skein/core'
import type { Redis } from 'ioredis'
import { type Server, shown } from '../../options.ts'
import { reach } from '../connections.ts'
import type { Mask } from '../failure.ts'
import { preflight } from '../preflight.ts'

/** Milliseconds that one which does not answer is waited for once a majority has. Its client goes on trying. */
const GRACE = 500

/** @throws what is wrong with one that answers, or ConnectionError: too many do not */
export async function reachMasters(masters: readonly Redis[], servers: readonly Server[], mask: Mask): Promise<void> {
  const failures = new Map<Server, unknown>()
  let there = 0
  const majority = (): boolean => there * 2 > masters.length
  await new Promise<void>((resolve) => {
    const all = masters.map(async (master, index) => {
      const server = servers[index] as Server
      try {
        await reach(master, server, mask)
        const { cluster } = await preflight(master, server, mask)
        if (cluster) throw dependent(server)
        there += 1
        if (majority()) setTimeout(resolve, GRACE)
      } catch (error) {
        failures.set(server, error)
      }
    })
    void Promise.all(all).then(() => resolve())
  })
  for (const error of failures.values()) if (!isAway(error)) throw error
  if (majority() || masters.length === 0) return
  const away = servers.filter((server) => failures.has(server)).map(shown)
  const [cause] = failures.values()
  const told = `no connection to ${failures.size} of the ${servers.length} Redis servers (${away.join(', ')}), and locks need a majority of them; are they running, and reachable from here?`
  throw new ConnectionError(told, { cause, retryable: true })
}

export function dependent(server: Server): NotSupportedError {
  return new NotSupportedError(
    `Redis at ${shown(server)} is a node of a cluster, and the servers of an array must be independent of each other; give the cluster alone, as the url of one of its nodes`,
  )
}

/** A failure of the first server of several says what that means. */
export function asFirst(error: unknown, servers: readonly Server[]): unknown {
  if (servers.length === 1 || !isAway(error)) return error
  const { message, cause } = error as ConnectionError
  const trouble = message.replace(/;[^;]*\?$/, '')
  const told = `${trouble}; it is the first of ${servers.length} servers, where all but locks lives, so it must be there (of the others a minority may be away)`
  return new ConnectionError(told, { cause, retryable: true })
}

function isAway(error: unknown): boolean {
  return error instanceof ConnectionError && error.constructor === ConnectionError
}
