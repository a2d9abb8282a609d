/** A program's surroundings on a real Redis: the product's own store and messages, and a session without a heartbeat, so that a test says when it is lost. */
import { randomBytes } from 'node:crypto'
import { monotonic } from '@skein/core/adapter'
import type { Redis } from 'ioredis'
import { type Server, serverOf } from '../src/options.ts'
import { maskOf } from '../src/supervisor/failure.ts'
import { reachStore } from '../src/supervisor/reach-store.ts'
import type { GatedStore, Script, ScriptArgument, ScriptOptions, Store, Surround } from '../src/supervisor/surround.ts'
import type { Subscription } from '../src/supervisor/wakes.ts'

/** How long a program that ends waits for what is under way, in ms. */
const PATIENCE = 1_000

/** Lost connections are made again so soon, in ms. */
const RETRY = 20

export interface Ground {
  readonly namespace: string
  readonly store: GatedStore
  readonly wakes: Subscription
  readonly clients: readonly Redis[]
}

/** @param url of one server, of a node of a cluster, or those of several masters */
export async function groundAt(url: string | readonly string[], namespace: string): Promise<Ground> {
  const servers = [url].flat().map((one) => serverOf(one)) as [Server, ...Server[]]
  const clients: Redis[] = []
  const made = (client: Redis): void => {
    client.options.retryStrategy = () => RETRY
    clients.push(client)
  }
  const quorum = typeof url !== 'string'
  const { store, wakes } = await reachStore({ servers, quorum, namespace, mask: maskOf(servers), made })
  return { namespace, store, wakes, clients }
}

export interface Times {
  /** In ms; a long one leaves everything to messages. */
  readonly beat?: number
  readonly sessionTtl?: number
  readonly outage?: number
  readonly replication?: Surround['replication']
}

/** Who was declared dead; shared by the programs of a test. */
export type Dead = Set<string>

export class Surroundings {
  readonly around: Surround
  readonly store: GatedStore
  readonly dead: Dead
  readonly confirmedUntil = { mono: Number.POSITIVE_INFINITY, wall: Number.POSITIVE_INFINITY }
  grantsFrom = 0
  sid = newSid()
  /** What is written down as this program's: `kind name`. */
  readonly owned = new Set<string>()
  /** Scripts that are called, by name. */
  readonly calls: string[] = []
  /** Messages are lost while it is set. */
  deaf = false
  readonly #ground: Ground
  readonly #lost = new Set<(old: string) => void>()
  readonly #reborn = new Set<(sid: string) => void>()
  readonly #deaths = new Set<(sids: readonly string[]) => void>()
  #alive = true
  #rids = 0

  constructor(ground: Ground, dead: Dead, times: Times = {}) {
    const { beat = 1_000, sessionTtl = beat * 5, outage = Infinity, replication = null } = times
    const { store, wakes, namespace } = ground
    this.#ground = ground
    this.store = store
    this.dead = dead
    store.onReady(() => {
      if (this.#alive) store.resume(store.met())
    })
    const { owned, confirmedUntil } = this
    const sid = (): string => this.sid
    const grantsFrom = (): number => this.grantsFrom
    this.around = {
      store: this.#counted(store),
      seal: null,
      replication,
      session: {
        get sid() {
          return sid()
        },
        rid: (session) => `${this.sid}/${session.serial}/${++this.#rids}`,
        processOf: (session) => `${this.sid}/${session.serial}`,
        confirmedUntil,
        get grantsFrom() {
          return grantsFrom()
        },
        onLost: (told) => on(this.#lost, told),
        onReborn: (told) => on(this.#reborn, told),
      },
      wakes: {
        prefix: wakes.prefix,
        on: (tag, told) =>
          wakes.on(tag, (letter, rest) => {
            if (!this.deaf) told(letter, rest)
          }),
        onResubscribed: (told) => wakes.onResubscribed(told),
      },
      deaths: {
        isDead: (one) => Promise.resolve(dead.has(one)),
        deadOf: (sids) => Promise.resolve(sids.filter((one) => dead.has(one))),
        onDeath: (told) => on(this.#deaths, told),
      },
      owned: {
        has: (kind, name) => owned.has(`${kind} ${name}`),
        add: (kind, name) => owned.add(`${kind} ${name}`),
        remove: (kind, name) => owned.delete(`${kind} ${name}`),
      },
      namespace,
      sessionTtl,
      beat,
      outage,
    }
  }

  async ready(): Promise<this> {
    await this.#ground.wakes.open(this.sid)
    return this
  }

  /** The program's connection to the server that has that key. */
  at(key: string): Redis {
    return this.store.partOf(key).client
  }

  /** All that was sent has been done. */
  async settled(): Promise<void> {
    await Promise.all(this.store.parts.map(({ client }) => client.ping()))
  }

  /** The program's session is lost: everybody is told, and nothing reaches Redis until `bear`. */
  lose(): void {
    const old = this.sid
    this.#alive = false
    this.confirmedUntil.wall = Number.NEGATIVE_INFINITY
    this.confirmedUntil.mono = Number.NEGATIVE_INFINITY
    this.sid = newSid()
    this.store.closeGate()
    for (const told of this.#lost) told(old)
  }

  /** A new one is there, and messages reach it. */
  async bear(): Promise<void> {
    this.#alive = true
    this.confirmedUntil.wall = Date.now() + 1e6
    this.confirmedUntil.mono = monotonic() + 1e6
    const { store } = this
    const { wakes } = this.#ground
    store.openGate(store.met())
    const heard = new Promise<void>((resolve) => {
      const stop = wakes.onResubscribed(() => {
        stop()
        resolve()
      })
    })
    wakes.rename(this.sid)
    for (const told of this.#reborn) told(this.sid)
    store.tellConnected()
    await heard
  }

  /** These were declared dead, and this program hears of it. */
  hear(...sids: readonly string[]): void {
    for (const sid of sids) this.dead.add(sid)
    for (const told of this.#deaths) told(sids)
  }

  /** Vanishes without giving anything back. */
  crash(): void {
    this.store.close()
    for (const client of this.#ground.clients) client.disconnect()
  }

  async close(): Promise<void> {
    if (this.store.state === 'connected') await this.store.idle(PATIENCE)
    this.crash()
  }

  #counted(store: Store): Store {
    return {
      script: <A extends readonly ScriptArgument[], R>(name: string, options?: ScriptOptions): Script<A, R> => {
        const script = store.script<A, R>(name, options)
        return {
          call: (...call) => {
            this.calls.push(name)
            return script.call(...call)
          },
        }
      },
      get state() {
        return store.state
      },
      onConnected: (told) => store.onConnected(told),
      partOf: (key) => store.partOf(key),
      get parts() {
        return store.parts
      },
      masters: store.masters,
    }
  }
}

function newSid(): string {
  return `h.${randomBytes(5).toString('hex')}`
}

function on<T>(all: Set<T>, told: T): () => void {
  all.add(told)
  return () => all.delete(told)
}
