/** One server of `connect()`: its url read, its secrets known so that no message shows them. */
import { readSentinelUrl, type SentinelUrl, type Surroundings } from '@skein/core/adapter'
import { decoded } from './redis.ts'

export interface Server {
  /** Of the first Sentinel, where there are some. */
  readonly host: string
  readonly port: number
  /** Who knows which server is the master, and by which name; `null`: this is the server. */
  readonly sentinel: Pick<SentinelUrl, 'sentinels' | 'name'> | null
  /** `''`: the default user. */
  readonly username: string
  /** `''`: none. */
  readonly password: string
  readonly database: number
  /** Options of `tls.connect()`; `null`: no TLS. */
  readonly tls: Readonly<Record<string, unknown>> | null
}

/** What the supervisor thread is started with. */
export interface ThreadStart {
  /** One, or those on a majority of which locks are taken; all but locks live on the first. */
  readonly servers: readonly [Server, ...Server[]]
  readonly quorum: boolean
  /** This program's; what processes that it runs for others inherit is made of it. */
  readonly surroundings: Surroundings
  /** What messages between programs are signed with; `''`: they are not. */
  readonly secret: string
}

/**
 * @param url checked by `connect()`: `redis:` or `rediss:`, a host, the number of a database as path
 * @param tls more than the url says of TLS, if it asks for it
 */
export function serverOf(url: string, tls: Server['tls'] = null): Server {
  const behind = readSentinelUrl(url)
  if (behind !== null) {
    const { sentinels, name, username, password, database } = behind
    const [{ host, port } = { host: '', port: 0 }] = sentinels
    const credentials = { username: decoded(username), password: decoded(password) }
    return { host, port, sentinel: { sentinels, name }, ...credentials, database, tls: null }
  }
  const { protocol, hostname, port, username, password, pathname } = new URL(url)
  return {
    // An IPv6 address stands in brackets in a url, and without them everywhere else.
    host: hostname.replace(/^\[(.*)\]$/, '$1'),
    port: Number(port === '' ? 6379 : port),
    sentinel: null,
    username: decoded(username),
    password: decoded(password),
    database: Number(pathname.slice(1) || 0),
    tls: protocol === 'rediss:' ? (tls ?? {}) : null,
  }
}

/** How the servers are entered, as far as their urls say so: two contexts of one process that share connections must agree on it. */
export function accessOf({ servers, secret }: ThreadStart): Readonly<Record<string, string>> {
  const parts = servers.flatMap(({ username, password, tls }, index) => [
    [named('user', index), username] as const,
    [named('password', index), password] as const,
    [named('transport', index), tls === null ? 'plain' : 'TLS'] as const,
    [named('set of TLS options', index), tls === null ? '' : certificates(tls)] as const,
  ])
  parts.push(['SKEIN_SECRET', secret])
  return Object.fromEntries(parts.filter(([, value]) => value !== ''))
}

/** `''`: none beside what is trusted anyway. */
function certificates(tls: NonNullable<Server['tls']>): string {
  return Object.keys(tls).length === 0 ? '' : JSON.stringify(tls)
}

function named(what: string, index: number): string {
  return index === 0 ? what : `${what} of server ${index + 1}`
}

/** For messages: `redis://host:port`, without user and password. */
export function shown({ host, port, tls, sentinel }: Server): string {
  if (sentinel !== null) {
    return `redis+sentinel://${sentinel.sentinels.map((one) => `${one.host}:${one.port}`).join(',')}/${sentinel.name}`
  }
  return `${tls === null ? 'redis' : 'rediss'}://${host.includes(':') ? `[${host}]` : host}:${port}`
}
