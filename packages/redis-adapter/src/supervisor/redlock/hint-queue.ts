/**
 * Who may try next for a lock of several masters: a line on the first master that answers, so that waiters take turns instead of
 * stealing each other's votes. It carries no safety; when its master is gone, the line forms again on the next one.
 */
import { randomBytes } from 'node:crypto'
import { Redis } from 'ioredis'
import type { Settings } from '../settings.ts'
import type { Debts } from './debts.ts'
import { MasterScript } from './master-script.ts'

/** Where an id stands: the number of the master, and whether its turn has come. */
export interface Stand {
  readonly master: number
  readonly turn: boolean
  /** When it was first asked for: keeps the place when the line moves to another master. */
  readonly ticket: string
}

export class HintQueue {
  /** Names this program in the lines. */
  readonly program: string = randomBytes(6).toString('hex')
  readonly #masters: readonly Redis[]
  readonly #subscribers: readonly Redis[]
  readonly #debts: Debts
  readonly #namespace: string
  readonly #ttl: number
  readonly #script = new MasterScript<[number, string]>('hint')
  readonly #away = new Set<number>()
  readonly #turns = new Map<string, () => void>()
  #count = 0

  /** @param ttl ms that a place is kept without a sign of life */
  constructor(masters: readonly Redis[], debts: Debts, namespace: string, ttl: number) {
    this.#masters = masters
    this.#debts = debts
    this.#namespace = namespace
    this.#ttl = ttl
    this.#subscribers = masters.map(subscriberOf)
    for (const [number, master] of masters.entries()) master.on('ready', () => this.#away.delete(number))
    for (const [number, subscriber] of this.#subscribers.entries()) {
      subscriber.on('error', ignoreAway)
      subscriber.on('message', (_channel, id: string) => this.#turns.get(id)?.())
      subscriber.on('ready', () => {
        this.#away.delete(number)
        // By itself the client would only ask again for what was once answered, and nobody would catch what comes of that.
        subscriber.subscribe(this.#channel + this.program).catch(ignoreAway)
        // A message may have been missed: everybody looks for themselves.
        for (const told of this.#turns.values()) told()
      })
      subscriber.connect().catch(ignoreAway)
    }
  }

  /** An id for one request: `<program>/<number>`. */
  next(): string {
    this.#count += 1
    return `${this.program}/${this.#count}`
  }

  /** Calls `told` whenever it may be this id's turn. */
  onTurn(id: string, told: () => void): () => void {
    this.#turns.set(id, told)
    return () => this.#turns.delete(id)
  }

  /** Takes a place, or shows a sign of life; `null`: no master answers. @param wait false: takes no place behind others; @param before the ticket that it had */
  async stand(key: string, id: string, wait: boolean, before = '0'): Promise<Stand | null> {
    for (const [number, master] of this.#masters.entries()) {
      if (this.#away.has(number)) continue
      try {
        const args = [wait ? 'stand' : 'try', id, this.#ttl, before]
        const [turn, ticket] = await this.#script.call(master, keysOf(key), args)
        return { master: number, turn: turn === 1, ticket }
      } catch {
        this.#lookLater(number)
        // It may have the place nevertheless, and nobody would stand there.
        void this.leave(key, number, [id])
      }
    }
    return null
  }

  /** Gives up places on a master, and tells whose turn it is; a master that is away hears it later. */
  async leave(key: string, master: number, ids: readonly string[]): Promise<void> {
    const client = this.#masters[master]
    if (client === undefined) return
    const go = (): Promise<unknown> => this.#script.call(client, keysOf(key), ['leave', this.#channel, ...ids])
    if (this.#away.has(master)) {
      this.#debts.owe(client, go)
      return
    }
    try {
      await go()
    } catch {
      this.#lookLater(master)
      this.#debts.owe(client, go)
    }
  }

  /** How many stand in the line, as the first master that answers knows it. */
  async length(key: string): Promise<number> {
    for (const [number, master] of this.#masters.entries()) {
      if (this.#away.has(number)) continue
      try {
        return await master.zcard(keysOf(key)[0])
      } catch {
        this.#lookLater(number)
      }
    }
    return 0
  }

  /** Nothing at all is heard of these masters any more: asks them again. */
  probe(): void {
    for (const number of this.#away) {
      this.#masters[number]?.ping().then(
        () => this.#away.delete(number),
        () => undefined,
      )
    }
  }

  close(): void {
    for (const subscriber of this.#subscribers) subscriber.disconnect()
    this.#turns.clear()
  }

  get #channel(): string {
    return `${this.#namespace}:hint:`
  }

  #lookLater(number: number): void {
    this.#away.add(number)
  }
}

/** Unlike a master's own client it waits for a connection as long as it takes. */
function subscriberOf(master: Redis): Redis {
  const own = { enableOfflineQueue: true, maxRetriesPerRequest: null, autoResubscribe: false }
  const options = { ...master.options, ...own } as Settings
  delete options.commandTimeout
  return new Redis(options)
}

function keysOf(key: string): [string, string] {
  return [`${key}:q`, `${key}:x`]
}

function ignoreAway(): void {
  // The client makes its connection again; a master that is away is no failure of a quorum.
}
