/** One server of `connect()`: its url read, its secrets known so that no message shows them. */
import type { Surroundings } from '@skein/core/adapter'

export interface Server {
  readonly host: string
  readonly port: number
  /** `''`: the default user. */
  readonly username: string
  /** `''`: none. */
  readonly password: string
  readonly database: number
  readonly tls: boolean
}

/** What the supervisor thread is started with. */
export interface ThreadStart {
  /** One, or those on a majority of which locks are taken; all but locks live on the first. */
  readonly servers: readonly [Server, ...Server[]]
  readonly quorum: boolean
  /** What processes that this program runs for others inherit. */
  readonly surroundings: Surroundings
}

/** @param url checked by `connect()`: `redis:` or `rediss:`, a host, the number of a database as path */
export function serverOf(url: string): Server {
  const { protocol, hostname, port, username, password, pathname } = new URL(url)
  return {
    // An IPv6 address stands in brackets in a url, and without them everywhere else.
    host: hostname.replace(/^\[(.*)\]$/, '$1'),
    port: Number(port === '' ? 6379 : port),
    username: unescape(username),
    password: unescape(password),
    database: Number(pathname.slice(1) || 0),
    tls: protocol === 'rediss:',
  }
}

/** How the servers are entered, as far as their urls say so: two contexts of one process that share connections must agree on it. */
export function accessOf(servers: readonly Server[]): Readonly<Record<string, string>> {
  const parts = servers.flatMap(({ username, password, tls }, index) => [
    [named('user', index), username] as const,
    [named('password', index), password] as const,
    [named('transport', index), tls ? 'TLS' : 'plain'] as const,
  ])
  return Object.fromEntries(parts.filter(([, value]) => value !== ''))
}

function named(what: string, index: number): string {
  return index === 0 ? what : `${what} of server ${index + 1}`
}

/** A `%` that escapes nothing means itself: passwords are often pasted as they are. */
function unescape(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** For messages: `redis://host:port`, without user and password. */
export function shown({ host, port, tls }: Server): string {
  return `${tls ? 'rediss' : 'redis'}://${host.includes(':') ? `[${host}]` : host}:${port}`
}
