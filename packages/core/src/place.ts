/** What the url of `connect()` stands for, with a name for it that holds no secret. */
import { createHash } from 'node:crypto'
import { type Store, storeParts } from './contract/store.ts'
import { ArgumentError, NotSupportedError } from './errors.ts'
import { readSentinelUrl, SENTINEL } from './sentinel-url.ts'
import { describe } from './util/describe.ts'
import { checkName } from './util/names.ts'

export interface Place {
  readonly kind: 'local' | 'redis'
  /** The same for every process that is told to connect to the same; a digest, where that has secrets. */
  readonly name: string
  /** Of `local:NAME`. */
  readonly meeting: string | null
  readonly urls: readonly string[]
  /** They came in an array. */
  readonly quorum: boolean
  /** See `StoreParts`. */
  readonly details: unknown
}

const LOCAL = 'local:'

const local: Place = { kind: 'local', name: 'local', meeting: null, urls: [], quorum: false, details: null }

/** @throws ArgumentError, NotSupportedError; neither shows a secret */
export function placeOf(url: unknown): Place {
  if (url === LOCAL) return local
  if (typeof url === 'string' && url.startsWith(LOCAL)) {
    return { ...local, name: url, meeting: checkName(url.slice(LOCAL.length), `connect(): in ${LOCAL}NAME`) }
  }
  if (isStore(url)) {
    const { urls, quorum, details } = url[storeParts]()
    return { ...placeOf(quorum ? urls : urls[0]), details }
  }
  const quorum = Array.isArray(url)
  const urls: readonly unknown[] = quorum ? url : [url]
  if (urls.length === 0) throw new ArgumentError('connect(): the array of urls is empty; give one url per Redis server')
  const servers = urls.map((one) => serverOf(one, quorum))
  const twice = servers.find((server, index) => servers.indexOf(server) !== index)
  // A majority of one server counted twice is none.
  if (twice !== undefined) throw new ArgumentError(`connect(): ${twice} stands twice in the array of urls`)
  const digest = createHash('sha256')
    .update(`${quorum ? 'all ' : ''}${servers.join(' ')}`)
    .digest('hex')
    .slice(0, 16)
  return {
    kind: 'redis',
    name: `redis:${digest}`,
    meeting: null,
    urls: urls as readonly string[],
    quorum,
    details: null,
  }
}

function isStore(value: unknown): value is Store {
  return typeof value === 'object' && value !== null && storeParts in value
}

/** Host, port and database of a Redis url. */
function serverOf(url: unknown, inArray: boolean): string {
  if (typeof url !== 'string')
    throw new ArgumentError(`connect() takes a url like "${LOCAL}" or "redis://host:6379", got ${describe(url)}`)
  const scheme = /^[a-z][a-z0-9+.-]*:/i.exec(url)?.[0].toLowerCase() ?? ''
  if (scheme === 'redis+cluster:') {
    throw new NotSupportedError(
      `connect(): ${scheme}// is not supported; write redis://host:port of any one node of the cluster`,
    )
  }
  if (scheme === SENTINEL) return masterOf(url, inArray)
  if (scheme !== 'redis:' && scheme !== 'rediss:') {
    const known = inArray
      ? 'redis: and rediss: in an array'
      : `${LOCAL} for this machine and redis: or rediss: for many`
    throw new ArgumentError(`connect() knows ${known}, got ${describe(scheme === '' ? masked(url) : scheme)}`)
  }
  const parsed = URL.canParse(url) ? new URL(url) : null
  if (parsed === null || parsed.hostname === '') {
    throw new ArgumentError(
      `connect(): the ${scheme} url cannot be read; write ${scheme}//host:port, with special characters of a password encoded`,
    )
  }
  if (parsed.search !== '' || parsed.hash !== '') {
    // Not shown, since it may hold a password.
    throw new ArgumentError(
      `connect(): a ${scheme} url ends with the number of a database, as in ${scheme}//host:6379/1, got one with a "${parsed.search === '' ? '#' : '?'}"; for what a url cannot say there is redis(…) of @skein/redis-adapter`,
    )
  }
  const database = Number(parsed.pathname.slice(1) || 0)
  if (!Number.isSafeInteger(database) || database < 0)
    throw new ArgumentError(
      `connect(): the path of a ${scheme} url is the number of a database, got ${describe(masked(parsed.pathname))}`,
    )
  return `${parsed.hostname.toLowerCase()}:${parsed.port || '6379'}/${database}`
}

function masterOf(url: string, inArray: boolean): string {
  if (inArray) {
    throw new NotSupportedError(
      `connect(): ${SENTINEL}// is not supported in an array; independent servers are named one by one, since a failover could make one of two`,
    )
  }
  const read = readSentinelUrl(url)
  if (read === null) {
    throw new ArgumentError(
      `connect(): the ${SENTINEL} url cannot be read; write ${SENTINEL}//host:port,host:port/name, with the name that the Sentinels know the master by`,
    )
  }
  const hosts = read.sentinels.map(({ host, port }) => `${host}:${port}`).toSorted(inOrder)
  return `sentinel ${hosts.join(',')}/${read.name}/${read.database}`
}

function inOrder(one: string, other: string): number {
  return one < other ? -1 : Number(one > other)
}

/** What may be a password hides: all that stands before an `@`. */
function masked(text: string): string {
  return text.replace(/^.*@/s, '***@')
}
