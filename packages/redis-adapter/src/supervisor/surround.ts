/** What every object of the Redis half is given to work with: the store, the program's session and the messages that reach it. */
import type { Session } from '@skein/core/adapter'
import type { Redis } from 'ioredis'
import type { Seal } from './peers/seal.ts'
import type { Replication } from './replication.ts'

export type ScriptArgument = string | number | Uint8Array

/** One Lua script, loaded on first use. Every script is idempotent by its request id, so it may be sent twice. */
export interface Script<A extends readonly ScriptArgument[], R> {
  /**
   * Runs it. Rejects with one of our errors: `ConnectionError` when no answer came within `deadline` ms (5,000 unless said otherwise),
   * with `indeterminate` set if it may have run all the same; `CapacityError` when a full store refused it whole.
   */
  call(keys: readonly string[], args: A, options?: { readonly deadline?: number }): Promise<R>
}

export interface ScriptOptions {
  /** A file of `scripts/` put before the script's own text: `'_permits'`. */
  readonly prelude?: string
  /** The script frees memory or must not fail on a full store: release, ack, beat, take-back. */
  readonly allowOom?: boolean
  /** The script changes nothing, so a lost answer leaves nothing in doubt. */
  readonly readOnly?: boolean
  /** Replies hold `Buffer`s where Redis sends strings. */
  readonly binary?: boolean
  /** The script's own text, instead of `scripts/<name>.lua`. */
  readonly text?: string
}

/** One server: the only one, or a master of a cluster. */
export interface Part {
  script<A extends readonly ScriptArgument[], R>(name: string, options?: ScriptOptions): Script<A, R>
  /** The program's connection for commands there, for what is no script. */
  readonly client: Redis
  /** `suspended`: commands wait for the connection to come back, each until its own deadline, or until it is sure that nothing was forgotten there. */
  readonly state: 'connected' | 'suspended'
}

export interface Store {
  /** All keys of one call have one hash tag. */
  script<A extends readonly ScriptArgument[], R>(name: string, options?: ScriptOptions): Script<A, R>
  /** `connected`: all parts are. */
  readonly state: 'connected' | 'suspended'
  /** Told each time that the connection is there again; not for the first time. Returns how to stop it. */
  onConnected(told: () => void): () => void
  /** Where that key is, or would be. */
  partOf(key: string): Part
  /** Of a cluster all masters, else one. */
  readonly parts: readonly Part[]
  /** With an array of urls, one client for each that fails fast (the first url's included); else none. */
  readonly masters: readonly Redis[]
}

/** Which masters a program is connected to, each by a name that it loses when it may forget. */
export type Met = readonly string[]

/** The store as the session needs it, which says when what reaches the objects' keys. */
export interface GatedStore extends Store {
  /** As `script`, for the session's own: they pass while everything else is held for the session's sake. */
  urgent<A extends readonly ScriptArgument[], R>(name: string, options?: ScriptOptions): Script<A, R>
  /** There is a connection to where the sessions are, whatever the session is. */
  readonly up: boolean
  /** Told when a connection is lost. */
  onLost(told: () => void): () => void
  /** Told when a connection is there again, and something may be asked on it. */
  onReady(told: () => void): () => void
  /** A connection that gives no answer is replaced: it may be a dead one that nobody has noticed. */
  renew(): void
  /** Of a cluster; where there is one server, the scripts of the session see it themselves. */
  met(): Met
  /** The session is known, and so is what those masters are: what was held until that was sure goes out. */
  resume(met: Met): void
  /**
   * The session is lost: what is under way speaks in its name and is given up, what comes is held until `openGate`.
   * Nothing may reach Redis in the name of a session that it does not know.
   */
  closeGate(): void
  /**
   * There is a session again. Its objects are told after this, and ask anew for those who wait: what was asked in between would come
   * on top of that, and what takes an earlier asking back would take back its success.
   */
  openGate(met: Met): void
  tellConnected(): void
  failure(error: unknown): Error
  /** Settles when nothing is under way any more, or after `patience` ms. */
  idle(patience: number): Promise<void>
  close(): void
}

/** This program as Redis knows it. */
export interface ProgramSession {
  /** Names the program in every request id; another one after each loss. */
  readonly sid: string
  /** A request id for what that process asks: `<sid>/<its number>/<counter>`. */
  rid(session: Session): string
  /** `<sid>/<its number>`, the part of its request ids that names the process. */
  processOf(session: Session): string
  /** Until when Redis surely keeps what this program holds: on the monotonic clock and on the wall clock, in ms. */
  readonly confirmedUntil: { readonly mono: number; readonly wall: number }
  /**
   * From when on Redis may be asked for what one program has and another has not, on the monotonic clock. Later than now after Redis
   * came back empty: what it granted before is its holders' until their deadlines.
   */
  readonly grantsFrom: number
  /** Told once per loss, before anything of the old session is dropped: every lease and delivery of it is lost. */
  onLost(told: (oldSid: string) => void): () => void
  /** Told when Redis knows the program again, under another sid: whoever waits asks again, with new request ids. */
  onReborn(told: (sid: string) => void): () => void
}

/** Messages of other programs for the objects of this one. */
export interface Wakes {
  /** Told of each message `<letter> <tag> <rest>`, `rest` being `''` if there is none. One listener per tag. */
  on(tag: string, told: (letter: string, rest: string) => void): () => void
  /** Told after the subscription was gone for a while: messages may have been missed, so look again. */
  onResubscribed(told: () => void): () => void
  /** What scripts put before a sid to publish to its program: `<namespace>:wake:`. */
  readonly prefix: string
}

export interface Deaths {
  /** Whether that program was declared dead; asks Redis for what it does not know. A program of its own past counts as dead. */
  isDead(sid: string): Promise<boolean>
  /** Those of them that are dead, in one question. */
  deadOf(sids: readonly string[]): Promise<string[]>
  onDeath(told: (sids: readonly string[]) => void): () => void
}

/** This program's anonymous objects, written down in Redis so that a sweeper can delete them after its death. */
export interface Owned {
  /** Whether it is written down: an object without a name of another program's is not. */
  has(kind: string, name: string): boolean
  /** Written to the connection at once, so it is there before whatever is sent next. */
  add(kind: string, name: string): void
  remove(kind: string, name: string): void
}

export interface Surround {
  readonly store: Store
  /** How messages between programs are signed; `null`: they are not. */
  readonly seal: Seal | null
  /** `null`: what the server has granted is granted. */
  readonly replication: Pick<Replication, 'lacking'> | null
  readonly session: ProgramSession
  readonly wakes: Wakes
  readonly deaths: Deaths
  readonly owned: Owned
  readonly namespace: string
  /** How long Redis keeps a silent program, in ms. */
  readonly sessionTtl: number
  /** How often to beat, and to look again while something waits, in ms: a fifth of `sessionTtl`. */
  readonly beat: number
  /** How long a waiting call outlives a lost connection, in ms. */
  readonly outage: number
}

/** The common part of an object's keys, one hash slot for all of them: `{<namespace>:<kind>:<name>}`. */
export function keyOf(around: { readonly namespace: string }, kind: string, name: string): string {
  return `{${around.namespace}:${kind}:${name}}`
}

/** What names an object in messages. */
export function tagOf(kind: string, name: string): string {
  return `${kind}:${name}`
}
