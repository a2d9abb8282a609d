/** Our settings of the Redis client, by role: several of its defaults make commands hang or run twice. */
import { isIP } from 'node:net'
import type { RedisOptions } from 'ioredis'
import type { Server } from '../options.ts'

/** With the replies of RESP2, for which the scripts are written. */
export type Settings = RedisOptions & { replyMapping?: 'legacy' }

/** Milliseconds within which a server must be reached, and a command be answered. */
export const CONNECT_DEADLINE = 3_500
export const COMMAND_DEADLINE = 5_000

/** A master of a quorum must say yes at once or count as away. */
const QUORUM_DEADLINE = 200

function common(server: Server, name: string): Settings {
  return {
    ...addressOf(server),
    db: server.database,
    ...(server.username === '' ? {} : { username: server.username }),
    ...(server.password === '' ? {} : { password: server.password }),
    // The name is checked against the certificate; an address has none to send.
    ...(server.tls === null
      ? {}
      : { tls: { ...(isIP(server.host) ? {} : { servername: server.host }), ...server.tls } }),
    connectionName: name,
    lazyConnect: true,
    connectTimeout: CONNECT_DEADLINE,
    keepAlive: 10_000,
    noDelay: true,
    disableClientInfo: true,
    protocol: 2,
    replyMapping: 'legacy',
    retryStrategy: retryAfter,
    // A command of its own never gives up by counting connections: each has a deadline.
    maxRetriesPerRequest: null,
    // script.ts sends again what had no answer, in order and only before its deadline.
    autoResendUnfulfilledCommands: false,
  }
}

function addressOf({ host, port, sentinel }: Server): Settings {
  if (sentinel === null) return { host, port }
  return {
    sentinels: sentinel.sentinels.map((one) => ({ ...one })),
    name: sentinel.name,
    role: 'master',
    sentinelRetryStrategy: retryAfter,
    connectTimeout: CONNECT_DEADLINE,
  }
}

function retryAfter(attempt: number): number {
  return Math.min(50 * 2 ** Math.min(attempt - 1, 10), 1_000)
}

/** The program's one connection for commands. */
export function commandSettings(server: Server, name: string): Settings {
  return {
    ...common(server, name),
    commandTimeout: COMMAND_DEADLINE,
    // A queue of the client's own would be sent ahead of what script.ts sends again, and out of order.
    enableOfflineQueue: false,
    // After a failover the name may stand for another server.
    reconnectOnError: (error) => (/^(?:READONLY|LOADING|MASTERDOWN) /.test(error.message) ? 1 : false),
  }
}

/** The program's one connection for messages. */
export function subscriberSettings(server: Server, name: string): Settings {
  // wakes.ts subscribes itself, to know when nothing can be missed any more.
  return { ...common(server, name), autoResubscribe: false }
}

/** One master of a quorum. */
export function masterSettings(server: Server, name: string): Settings {
  return {
    ...common(server, name),
    commandTimeout: QUORUM_DEADLINE,
    maxRetriesPerRequest: 1,
    enableOfflineQueue: false,
  }
}
