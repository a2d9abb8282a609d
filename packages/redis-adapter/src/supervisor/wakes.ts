/** The program's subscription: messages addressed to this program, and those for everybody. */
import type { Redis } from 'ioredis'
import { answered } from './connections.ts'
import type { Wakes } from './surround.ts'

/** Milliseconds until the next try where the server has refused the subscription on a sound connection. */
const RETRY = 1_000

export class Subscription implements Wakes {
  readonly prefix: string
  readonly all: string
  #client: Redis
  readonly #listeners = new Map<string, Set<(letter: string, rest: string) => void>>()
  readonly #resubscribed = new Set<() => void>()
  readonly #deaths = new Set<(sid: string) => void>()
  #sid = ''
  #first = true
  #retry: NodeJS.Timeout | undefined

  constructor(client: Redis, namespace: string) {
    this.#client = client
    this.#attach(client)
    this.prefix = `${namespace}:wake:`
    this.all = `${namespace}:all`
  }

  /** To another connection, which is not made yet. */
  move(client: Redis): void {
    this.#client.disconnect()
    this.#client = client
    this.#attach(client)
    client.connect().catch(() => {
      // It goes on trying until it is hung up.
    })
  }

  /** Rejects when the server refuses, or the connection is lost meanwhile: the client itself would never say so. */
  async open(sid: string): Promise<void> {
    this.#sid = sid
    await answered(this.#client, this.#client.subscribe(this.all, this.prefix + sid))
    this.#first = false
  }

  /** The program goes by another sid from now on. */
  rename(sid: string): void {
    const old = this.prefix + this.#sid
    this.#sid = sid
    if (this.#client.status !== 'ready') return
    this.#client.unsubscribe(old).catch(() => {
      // The connection is lost, and the subscription with it.
    })
    void this.#subscribe()
  }

  on(tag: string, told: (letter: string, rest: string) => void): () => void {
    let of = this.#listeners.get(tag)
    if (of === undefined) this.#listeners.set(tag, (of = new Set()))
    of.add(told)
    return () => {
      of.delete(told)
      if (of.size === 0 && this.#listeners.get(tag) === of) this.#listeners.delete(tag)
    }
  }

  onResubscribed(told: () => void): () => void {
    this.#resubscribed.add(told)
    return () => this.#resubscribed.delete(told)
  }

  /** Told of each program that was declared dead. */
  onDead(told: (sid: string) => void): void {
    this.#deaths.add(told)
  }

  #attach(client: Redis): void {
    client.on('message', (_channel: string, text: string) => this.#message(text))
    client.on('ready', () => {
      if (this.#sid !== '' && this.#client === client) void this.#subscribe()
    })
  }

  async #subscribe(): Promise<void> {
    if (this.#first) return
    clearTimeout(this.#retry)
    const client = this.#client
    try {
      await client.subscribe(this.all, this.prefix + this.#sid)
    } catch {
      // Lost again, and the next connection subscribes again; or refused, as by a server that is busy with a script of somebody.
      if (client.status !== 'ready' || client !== this.#client) return
      this.#retry = setTimeout(() => void this.#subscribe(), RETRY)
      this.#retry.unref()
      return
    }
    for (const told of this.#resubscribed) told()
  }

  #message(text: string): void {
    const letter = text.slice(0, 1)
    const space = text.indexOf(' ', 2)
    const tag = space < 0 ? text.slice(2) : text.slice(2, space)
    if (letter === 'd') for (const told of this.#deaths) told(tag)
    const listeners = this.#listeners.get(tag)
    if (listeners === undefined) return
    const rest = space < 0 ? '' : text.slice(space + 1)
    for (const told of listeners) told(letter, rest)
  }
}
