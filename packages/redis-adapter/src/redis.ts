/** `redis(…)`: servers described as ioredis describes them, for what a url cannot say, such as certificates. */
import { types } from 'node:util'
import type { ConnectionOptions } from 'node:tls'
import { ArgumentError, NotSupportedError } from '@skein/core'
import { describe, type Store, storeParts, type StoreParts } from '@skein/core/adapter'

/** The options of ioredis that say where a server is and how it is entered. Everything else about its connections Skein sets itself. */
export interface RedisServerOptions {
  /** Default `localhost`. */
  readonly host?: string | undefined
  /** Default 6379. */
  readonly port?: number | undefined
  readonly username?: string | undefined
  readonly password?: string | null | undefined
  /** The number of a database; default 0. */
  readonly db?: number | undefined
  /**
   * As for `tls.connect()` of Node, and it means TLS, `{}` too. Only plain values and bytes: they go to another thread, so functions
   * (`checkServerIdentity`) and secure contexts cannot.
   */
  readonly tls?: ConnectionOptions | undefined
}

/** A client of ioredis. Its address and credentials are taken over; it is neither used nor closed. */
export interface RedisInstance {
  readonly options: object
  duplicate(...args: never): unknown
}

/** What one server may be described by. */
export type RedisServer = string | RedisServerOptions | RedisInstance

const TAKEN = ['host', 'port', 'username', 'password', 'db', 'tls']

const INSTEAD: Readonly<Record<string, string>> = {
  keyPrefix: 'connect(…, { namespace }) keeps keys apart',
  sentinels: "connect('redis+sentinel://host:port,host:port/name') finds the master by them",
}

/** Options that move the keys or the server elsewhere: without them an instance would be taken for another one than it is. */
const DECISIVE = ['path', 'keyPrefix', 'sentinels']

/**
 * Describes servers to `connect()`: `connect(redis({ host, tls: { ca } }))`, `connect(redis('rediss://host', { tls: { ca } }))`.
 *
 * @param server a url, the options of ioredis, or a client of ioredis; an array of those means independent servers, as an array of urls does
 * @param more options over those of `server`, of each one
 * @throws ArgumentError on what describes no server; NotSupportedError on options that Skein does not take over
 */
export function redis(server: RedisServer | readonly RedisServer[], more: RedisServerOptions = {}): Store {
  const quorum = Array.isArray(server)
  const servers: readonly unknown[] = quorum ? server : [server]
  const all = servers.map((one) => partsOf({ ...optionsOf(one), ...optionsOf(more) }))
  const parts: StoreParts = { urls: all.map(({ url }) => url), quorum, details: all.map(({ tls }) => tls) }
  return { [storeParts]: () => parts }
}

function optionsOf(server: unknown): RedisServerOptions {
  if (typeof server === 'string') return fromUrl(server)
  if (typeof server !== 'object' || server === null || Array.isArray(server)) {
    throw new ArgumentError(`redis() takes a url, or options or a client of ioredis, got ${describe(server)}`)
  }
  if ('isCluster' in server && server.isCluster === true) {
    throw new NotSupportedError('redis(): a client of a Cluster is not taken over; give the url of one of its nodes')
  }
  if (!('duplicate' in server)) return taken(server, Object.keys(server))
  const { options } = server as RedisInstance
  return taken(options, [...TAKEN, ...DECISIVE])
}

/** The options of these names that are set. @throws NotSupportedError if one of them is not taken over */
function taken(options: object, names: readonly string[]): RedisServerOptions {
  const set = names.flatMap((name): [string, unknown][] => {
    const value: unknown = Object.hasOwn(options, name) ? Reflect.get(options, name) : undefined
    return value === undefined || value === null || (value === '' && DECISIVE.includes(name)) ? [] : [[name, value]]
  })
  const other = set.find(([name]) => !TAKEN.includes(name))
  if (other === undefined) return Object.fromEntries(set)
  const [name] = other
  const instead = INSTEAD[name] ?? 'Skein sets the rest itself'
  throw new NotSupportedError(`redis(): ${name} is not supported, it takes ${TAKEN.join(', ')}; ${instead}`)
}

function fromUrl(url: string): RedisServerOptions {
  const parsed = URL.canParse(url) ? new URL(url) : null
  if (parsed === null || !['redis:', 'rediss:'].includes(parsed.protocol) || parsed.hostname === '') {
    // It may hold a password.
    throw new ArgumentError('redis(): the url cannot be read; write redis://host:port or rediss://host:port')
  }
  const { protocol, hostname, port, username, password, pathname, search, hash } = parsed
  if (search !== '' || hash !== '') {
    throw new ArgumentError(
      'redis(): a url ends with the number of a database, as in redis://host:6379/1; what it cannot say is the second argument, as in redis(url, { tls: { … } })',
    )
  }
  return {
    host: hostname.replace(/^\[(.*)\]$/, '$1'),
    ...(port === '' ? {} : { port: Number(port) }),
    ...(username === '' ? {} : { username: decoded(username) }),
    ...(password === '' ? {} : { password: decoded(password) }),
    ...(pathname.length > 1 ? { db: Number(pathname.slice(1)) } : {}),
    ...(protocol === 'rediss:' ? { tls: {} } : {}),
  }
}

/** A `%` that escapes nothing means itself: passwords are often pasted as they are. */
export function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** Its url, which `connect()` checks as any other, and what is left. */
function partsOf(options: RedisServerOptions): { readonly url: string; readonly tls: object | null } {
  const { host = 'localhost', port = 6379, username = '', password = '', db = 0, tls } = options
  for (const [name, value] of Object.entries({ host, username, password })) {
    if (typeof value !== 'string') throw new ArgumentError(`redis(): ${name} must be a string, got ${typeof value}`)
  }
  for (const [name, value] of Object.entries({ port, db })) {
    if (!Number.isSafeInteger(value) || value < 0)
      throw new ArgumentError(`redis(): ${name} must be an integer of 0 or more, got ${describe(value)}`)
  }
  if (tls !== undefined) checkTls(tls)
  const user = [username, password ?? ''].map(encodeURIComponent).join(':')
  const at = user === ':' ? '' : `${user}@`
  const where = `${host.includes(':') ? `[${host}]` : host}:${port}/${db}`
  return { url: `redis${tls === undefined ? '' : 's'}://${at}${where}`, tls: tls ?? null }
}

function checkTls(tls: unknown): void {
  if (typeof tls !== 'object' || tls === null || Array.isArray(tls)) {
    throw new ArgumentError(`redis(): tls must be an object as for tls.connect() of Node, got ${describe(tls)}`)
  }
  for (const [name, value] of Object.entries(tls)) {
    if (isData(value)) continue
    throw new NotSupportedError(
      `redis(): tls.${name} is not supported, since it cannot be sent to the thread that connects; give plain values, as ca, cert and key in PEM`,
    )
  }
}

function isData(value: unknown): boolean {
  if (value === null || ['string', 'number', 'boolean', 'undefined'].includes(typeof value)) return true
  if (typeof value !== 'object' || value === null) return false
  if (types.isUint8Array(value)) return true
  if (Array.isArray(value)) return value.every(isData)
  const prototype: unknown = Object.getPrototypeOf(value)
  return (prototype === Object.prototype || prototype === null) && Object.values(value).every(isData)
}
