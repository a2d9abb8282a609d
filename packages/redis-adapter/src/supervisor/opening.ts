/** Opens everything that the program's objects stand on, in order, or nothing: connections, checks, subscription, session. */
import { ConnectionError, TlsError } from '@skein/core'
import { type ConnectSettings, PROTOCOL, type Session, type SupervisorHost, VERSION } from '@skein/core/adapter'
import type { Redis } from 'ioredis'
import { type Server, shown, type ThreadStart } from '../options.ts'
import { Clearing } from './clearing.ts'
import { ClusterStore } from './cluster/cluster-store.ts'
import { hangUp, makeClient, reach, speaksTls } from './connections.ts'
import { DeathRegister } from './deaths.ts'
import { failureOf, isCut, maskOf } from './failure.ts'
import { OwnedObjects } from './owned.ts'
import { Seal } from './peers/seal.ts'
import { BeatingSession, sessionKeys } from './program-session.ts'
import { reachStore } from './reach-store.ts'
import { asFirst } from './redlock/reach-masters.ts'
import { onCluster, Replication } from './replication.ts'
import type { Scripts } from './script.ts'
import { COMMAND_DEADLINE, commandSettings } from './settings.ts'
import type { Surround } from './surround.ts'
import { Sweeper } from './sweeper.ts'

/** Milliseconds within which `connect()` knows whether the server serves. */
const DEADLINE = 4_000

/** A connection that is lost meanwhile is made again so many ms later, for so many ms. */
const RETRY_AFTER = 50
const RETRY_FOR = 2_500

/** How long the end of a program waits for what is still under way, in ms. */
const PATIENCE = 2_000

export interface Opened {
  readonly around: Surround
  /** What references call the store. */
  readonly scope: string
  /** Everything was given back. Waits for what is under way, says goodbye. */
  readonly close: () => Promise<void>
  /** Ends at once, as a crash of the program would: Redis is told nothing. */
  readonly abandon: () => void
}

type Servers = Pick<ThreadStart, 'servers' | 'quorum'> & Partial<Pick<ThreadStart, 'secret'>>

type Settings = Pick<ConnectSettings, 'namespace' | 'sessionTtl' | 'outage' | 'serve'> &
  Partial<Pick<ConnectSettings, 'replicas'>>

/** Who answers to the program's processes for what they hold. */
export type Guard = Pick<SupervisorHost, 'program' | 'sessions' | 'confirm' | 'lose' | 'interrupted' | 'alias'>

/**
 * A connection that was there and is lost before everything is open is made again, while there is time; one that cannot be made at all
 * is told at once.
 *
 * @throws ConnectionError and its kinds, StateError, NotSupportedError: one sentence each, no secrets
 */
export async function openSurround(start: Servers, settings: Settings, guard: Guard): Promise<Opened> {
  const began = performance.now()
  for (;;) {
    try {
      return await openBy(began + DEADLINE, start, settings, guard)
    } catch (error) {
      if (!isCut(error)) throw error
      if (performance.now() > began + RETRY_FOR) throw await cutByTls(error, start.servers)
      await new Promise((resolve) => setTimeout(resolve, RETRY_AFTER))
    }
  }
}

/** Where a connection is cut again and again, the port may be one for TLS, which never says so. */
async function cutByTls(error: unknown, servers: readonly Server[]): Promise<unknown> {
  for (const server of servers) {
    if (server.tls !== null || server.sentinel !== null || !(await speaksTls(server))) continue
    return new TlsError(`${shown(server)} speaks TLS; write ${shown({ ...server, tls: {} })}`, { cause: error })
  }
  return error
}

async function openBy(end: number, start: Servers, settings: Settings, guard: Guard): Promise<Opened> {
  const clients: Redis[] = []
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    const told = `Redis at ${shown(start.servers[0])} was not ready within ${DEADLINE} ms; is it overloaded or too far away?`
    const error = asFirst(new ConnectionError(told, { retryable: true }), start.servers)
    timer = setTimeout(() => reject(error), end - performance.now())
  })
  const opening = openAll(start, settings, guard, clients)
  opening.catch(() => {
    // Also when the deadline came first.
  })
  try {
    return await Promise.race([opening, late])
  } catch (error) {
    hangUp(...clients)
    throw error
  } finally {
    clearTimeout(timer)
  }
}

async function openAll(start: Servers, settings: Settings, guard: Guard, clients: Redis[]): Promise<Opened> {
  const { namespace, sessionTtl, outage, serve, replicas = 0 } = settings
  const { servers, quorum, secret = '' } = start
  const [first] = servers
  const seal = secret === '' ? null : new Seal(secret, namespace)
  const mask = maskOf(servers)
  const beat = Math.max(10, Math.floor(sessionTtl / 5))
  // Locks that a majority keeps are others than those of the first server alone.
  const scopeOf = (id: string): string => `redis:${id}${quorum ? `/${servers.length}` : ''}`

  const keys = sessionKeys(namespace)
  const made = (one: Redis): void => void clients.push(one)
  const replicationOf = async (store: Scripts | ClusterStore): Promise<Replication | null> => {
    if (replicas === 0) return null
    if (store instanceof ClusterStore) throw onCluster(first)
    const usual = commandSettings(first, `skein:${namespace}:replicas`)
    // The server is silent for as long as it waits.
    const asking = makeClient({ ...usual, commandTimeout: COMMAND_DEADLINE + beat })
    made(asking)
    const where = shown(first)
    await reach(asking, first, mask)
    // Whether this user may; with none to wait for, it is answered at once.
    await asking.wait(0, 1).catch((error: unknown) => {
      throw failureOf(error, where, mask)
    })
    const key = `{${namespace}:sessions}:replicas`
    return new Replication({ client: asking, main: store.client, where, mask, key, replicas, patience: beat })
  }
  const { store: scripts, wakes, keeps } = await reachStore({ servers, quorum, namespace, mask, made })
  const replication = await replicationOf(scripts).catch((error: unknown) => {
    scripts.close()
    throw error
  })
  const deaths = new DeathRegister(scripts.urgent('session-dead', { readOnly: true }), [keys.live])
  const clearing = new Clearing({ store: scripts, keys, namespace, ttl: sessionTtl })
  const session: BeatingSession = new BeatingSession({
    scripts,
    keys,
    namespace,
    ttl: sessionTtl,
    beat,
    keeps,
    about: {
      program: guard.program,
      serve: shownServe(serve),
      key: seal?.id ?? null,
      protocol: PROTOCOL,
      version: VERSION,
    },
    confirmed: (until) => guard.confirm(until),
    stored: (ids) => {
      for (const id of ids) if (id !== session.storeId) guard.alias(scopeOf(id))
    },
    gone: (reason) => {
      guard.lose(reason)
      guard.interrupted(true)
    },
    beaten: (dead) => {
      deaths.learn(dead)
      owned.beat()
      void sweeper.look()
      void clearing.look()
    },
  })
  const owned = new OwnedObjects(scripts, keys.own, session.sid, (object) => madeHere(object, guard.sessions()))
  const sweeper = new Sweeper({
    scripts,
    keys,
    namespace,
    ttl: sessionTtl,
    keeps,
    self: () => session.sid,
    found: (sids) => deaths.learn(sids),
  })
  wakes.onDead((sid) => {
    if (sid !== session.sid) deaths.learn([sid])
  })
  session.onReborn((sid) => {
    owned.rename(sid)
    wakes.rename(sid)
  })
  scripts.onLost(() => guard.interrupted(true))
  scripts.onConnected(() => {
    // Of a cluster another master may still be away.
    guard.interrupted(scripts.state === 'suspended')
    owned.again()
  })
  try {
    await wakes.open(session.sid)
    await session.open()
  } catch (error) {
    session.abandon()
    scripts.close()
    throw asFirst(scripts.failure(error), servers)
  }

  const around: Surround = {
    store: scripts,
    seal,
    replication,
    session,
    wakes,
    deaths,
    owned,
    namespace,
    sessionTtl,
    beat,
    outage,
  }
  const abandon = (): void => {
    session.abandon()
    scripts.close()
    hangUp(...clients)
  }
  return {
    around,
    scope: scopeOf(session.storeId),
    close: async () => {
      await scripts.idle(PATIENCE)
      // Their deletion failed while the connection was lost, and without the session nobody would know of them.
      if (owned.any && scripts.up) await within(PATIENCE, clearing.clear(session.sid))
      await session.close(PATIENCE)
      abandon()
    },
    abandon,
  }
}

/** What others are told of it. */
function shownServe(serve: ConnectSettings['serve']): unknown {
  if (serve === null) return 'own'
  return serve === false ? serve : { slots: serve.slots, labels: serve.labels }
}

/** Whether a process of this program has made that object without a name. */
function madeHere(name: string, sessions: Iterable<Session>): boolean {
  const creator = name.slice(1, name.lastIndexOf('-'))
  for (const { process } of sessions) if (process.id === creator) return true
  return false
}

/** Settles when that has, however it went, or after so many ms. */
async function within(patience: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, patience)
  })
  await Promise.race([Promise.allSettled([work]), late])
  clearTimeout(timer)
}
