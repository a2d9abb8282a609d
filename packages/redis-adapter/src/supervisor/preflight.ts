/** Looks at a server before it is used: each thing that would fail later is refused now, with the mend. */
import { NotSupportedError, ProtocolError, StateError } from '@skein/core'
import type { Redis } from 'ioredis'
import { type Server, shown } from '../options.ts'
import { failureOf, type Mask } from './failure.ts'

/** 6.2 brought LPOS, LMOVE and much of what BullMQ stands on. */
const OLDEST = [6, 2] as const
/** From here on scripts say by flags what they need. */
const FLAGS = 7

export interface ServerFacts {
  /** Scripts may begin with `#!lua flags=…`. */
  readonly flags: boolean
  /** It has each write on its disk before it answers, so it knows after a crash what it knew before. */
  readonly keeps: boolean
  /** It is one of several masters that have the keys together. */
  readonly cluster: boolean
}

export type Info = ReadonlyMap<string, string>

function parse(text: string): Info {
  const lines = text.split('\r\n').filter((line) => line.includes(':'))
  return new Map(lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]))
}

export async function infoOf(client: Redis): Promise<Info> {
  return parse(await client.info())
}

/** @throws one sentence that says what is wrong with the server, and what to do */
export async function preflight(client: Redis, server: Server, mask: Mask): Promise<ServerFacts> {
  const where = shown(server)
  let info: Info
  try {
    info = await infoOf(client)
  } catch (error) {
    throw failureOf(error, where, mask)
  }
  const version = info.get('redis_version') ?? ''
  const [major = 0, minor = 0] = version.split('.').map(Number)
  if (version === '') throw new ProtocolError(`what answers at ${where} says no Redis version; check host and port`)
  if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])) {
    throw new NotSupportedError(
      `Redis at ${where} is version ${version}; Skein needs ${OLDEST.join('.')} or later, or Valkey; upgrade the server`,
    )
  }
  // Valkey calls it so.
  const mode = info.get('redis_mode') ?? info.get('server_mode')
  const cluster = mode === 'cluster'
  if (mode === 'sentinel') {
    throw new NotSupportedError(
      `Redis at ${where} is a Sentinel, which keeps no data; redis+sentinel://${server.host}:${server.port}/NAME is the master that it knows by that name`,
    )
  }
  if (cluster && server.database !== 0) {
    throw new NotSupportedError(
      `Redis at ${where} is a node of a cluster, which has no database ${server.database}; use 0`,
    )
  }
  // The client goes on in database 0 where it may not have another one, and says nothing of it.
  if (server.database !== 0) await choose(client, server, mask)
  // A replica in a cluster knows the masters as well as they do.
  if (info.get('role') === 'slave' && !cluster) {
    const master = `${info.get('master_host') ?? '?'}:${info.get('master_port') ?? '?'}`
    throw new StateError(`Redis at ${where} is a replica, which takes no writes; connect to its master, ${master}`)
  }
  const policy = info.get('maxmemory_policy') ?? 'noeviction'
  if (policy !== 'noeviction') {
    throw new StateError(
      `Redis at ${where} throws keys away when it is full (maxmemory-policy ${policy}), locks and queued items included; run CONFIG SET maxmemory-policy noeviction`,
    )
  }
  // Another server may take over, which lacks the last writes of this one however well that keeps them.
  const keeps = !cluster && server.sentinel === null && (await keepsAll(client))
  return { flags: major >= FLAGS, keeps, cluster }
}

/** @throws NotSupportedError if the server has no such database; AuthenticationError if its user may not choose it */
async function choose(client: Redis, server: Server, mask: Mask): Promise<void> {
  const where = shown(server)
  try {
    await client.select(server.database)
  } catch (error) {
    if (!/\bDB index\b/.test(String(error))) throw failureOf(error, where, mask)
    throw new NotSupportedError(
      `Redis at ${where} has no database ${server.database}; use one that it has (16, from 0 on, unless its "databases" says otherwise)`,
      { cause: failureOf(error, where, mask).cause },
    )
  }
}

async function keepsAll(client: Redis): Promise<boolean> {
  try {
    const words = await client.config('GET', 'append*')
    const after = (word: string): string | undefined => words[words.indexOf(word) + 1]
    return after('appendonly') === 'yes' && after('appendfsync') === 'always'
  } catch {
    // Not every user may ask, and then the worse is assumed. A lost connection shows with the next command.
    return false
  }
}
