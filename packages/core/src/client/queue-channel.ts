/**
 * A queue as one process sees it: items that came ahead of demand, who waits for one, and the pass to put without an answer.
 * All handles of the queue in this process share it. The other half, with the reasons, is `broker/queue.ts`.
 */
import type { WaitOptions } from '../contract/wait.ts'
import type { PutHow } from '../queue/put-options.ts'
import { Fifo } from '../util/fifo.ts'
import { isPoll, watchWait } from '../util/wait.ts'
import { type Frame, op } from '../wire/frame.ts'
import { off, type Place } from '../wire/ahead-board.ts'
import type { BrokerClient } from './broker-client.ts'
import { Claims } from './claims.ts'
import { type HeldItem, HeldItems } from './held-items.ts'
import { Presence } from './presence.ts'
import { QueuePuts } from './queue-puts.ts'
import type { Tenure } from './tenure.ts'

/** An item as it came: still encoded. */
export interface Taken {
  readonly number: number
  readonly attempt: number
  readonly place: Place
  readonly bytes: Uint8Array
  /** Of this process's tenure when it came. */
  readonly epoch: number
  /** Once it was taken until acknowledged. */
  held: HeldItem | null
}

/** How an item is taken: for good, until acknowledged, or not at all (`peek` leaves it where it is). */
export type TakeMode = 'taken' | 'held' | 'peek'

interface Waiter {
  /** The context that waits. */
  readonly owner: object
  readonly mode: TakeMode
  /** Why this item is not for the waiter, or null; refused, it stays. */
  readonly refuses: ((bytes: Uint8Array) => Error | null) | undefined
  resolve(item: Taken | null): void
  reject(error: unknown): void
}

export class QueueChannel extends Presence {
  readonly #client: BrokerClient
  readonly #number: number
  readonly #label: string
  readonly #ahead = new Fifo<Taken>()
  readonly #waiters = new Set<Waiter>()
  /** Those to whom the next items belong, by the broker's word: they did not want to wait, so they come before who does. */
  readonly #granted = new Set<Waiter>()
  /** Requests for an item that the broker has not answered: at least one for each waiter. */
  readonly #asked = new Set<number>()
  readonly held: HeldItems
  readonly #confirmed: boolean
  readonly #claims: Claims
  readonly #puts: QueuePuts
  /** Items that were granted to requests which had been given up. */
  #unwanted = 0
  /** Unanswered: while there are any, what came unwanted is for them. */
  #polls = 0
  #trimming = false

  /** @param confirmed whether `ack` and `nack` are calls; see `Nature` */
  constructor(client: BrokerClient, number: number, label: string, confirmed: boolean) {
    super()
    this.held = new HeldItems(client, number, label, confirmed)
    this.#confirmed = confirmed
    this.#client = client
    this.#number = number
    this.#label = label
    this.#claims = new Claims(client, number)
    this.#puts = new QueuePuts(client, number, label)
  }

  /** See `QueuePuts.put`. */
  put(owner: object | null, bytes: Uint8Array, wait: WaitOptions, how: PutHow | null = null): Promise<void> {
    return this.gone === null ? this.#puts.put(owner, bytes, wait, how) : Promise.reject(this.gone)
  }

  async tryPut(bytes: Uint8Array): Promise<boolean> {
    if (this.gone !== null) throw this.gone
    return this.#puts.tryPut(bytes)
  }

  /** An item that came ahead, taken for good, for a caller who waits for nobody; null: there is none. */
  takeAhead(owner: object): Taken | null {
    if (this.#waiters.size > 0) return null
    const item = this.#first(owner, 'taken', undefined)
    return item instanceof Error ? null : item
  }

  /**
   * Waits for an item; `null` if the options, checked, say not to wait and there is none.
   *
   * @param owner the context that waits
   * @param refuses looks at the item before it is taken: an error rejects this caller and leaves the item where it is
   */
  async take(owner: object, mode: TakeMode, wait: WaitOptions, refuses?: Waiter['refuses']): Promise<Taken | null> {
    if (this.gone !== null) throw this.gone
    wait.signal?.throwIfAborted()
    let item = this.#waiters.size === 0 ? this.#first(owner, mode, refuses) : null
    if (item instanceof Error) throw item
    item ??= isPoll(wait) ? await this.#poll(owner, mode, wait, refuses) : await this.#wait(owner, mode, wait, refuses)
    // Who dies with an item in hand has had it: that must be known before the user sees it.
    if (item !== null && mode === 'held' && !this.#isTold(item)) await this.#client.flushed()
    return item
  }

  /**
   * The first item that is here, taken as the mode says; an error if it is refused, null if there is none. It is claimed in the same
   * moment, so that claims keep the order of the items.
   */
  #first(owner: object, mode: TakeMode, refuses: Waiter['refuses']): Taken | Error | null {
    for (let item = this.#ahead.peek(); item !== undefined; item = this.#ahead.peek()) {
      const error = refuses?.(item.bytes) ?? null
      if (error !== null) return error
      if (mode === 'peek') return item
      this.#ahead.shift()
      if (!this.#isOurs(item)) continue
      if (mode === 'taken') this.#claims.add(item.number, this.#ahead.length === 0)
      else this.#hold(item, owner)
      return item
    }
    return null
  }

  /** Makes an item ours for good; `false`: the broker has taken it back meanwhile, or may have. */
  #isOurs({ place, epoch, number }: Taken): boolean {
    if (this.#client.tenure.remaining(epoch) > 0) return this.#client.board?.take(place) ?? true
    this.#client.post(this.#number, 'return', [number])
    return false
  }

  /** Whether the supervisor knows without a word that it was handed out: in a store it counts as delivered, and the board says that it was taken. */
  #isTold({ place }: Taken): boolean {
    return this.#confirmed && place.slot !== 0
  }

  #serve(): void {
    for (const waiters of [this.#granted, this.#waiters]) {
      for (const waiter of waiters) {
        const item = this.#first(waiter.owner, waiter.mode, waiter.refuses)
        if (item === null) return
        waiters.delete(waiter)
        if (item instanceof Error) waiter.reject(item)
        else waiter.resolve(item)
      }
    }
  }

  #hold(item: Taken, owner: object): void {
    this.#claims.tell()
    item.held = this.held.add(item.number, owner, item.epoch)
  }

  /** What waits here goes on waiting; what is here or in the user's hands is somebody else's. */
  override retired(reason: Error, tenure: Tenure): void {
    if (tenure !== this.#client.tenure) return
    this.#claims.drop()
    this.#ahead.drain()
    this.held.lose(reason, false)
  }

  abandoned(owner: object, reason: Error): Promise<void> {
    for (const waiters of [this.#granted, this.#waiters]) {
      for (const waiter of waiters) {
        if (waiter.owner !== owner) continue
        waiters.delete(waiter)
        if (waiters === this.#granted) this.#unwanted += 1
        waiter.reject(reason)
      }
    }
    this.#trim()
    this.held.abandoned(owner, reason)
    return this.#puts.answered()
  }

  override event(name: string, args: readonly unknown[]): void {
    if (name === 'pass') this.#puts.pass(args[0] as number)
    else if (name === 'revoke') {
      this.#puts.revoke()
      this.#client.post(this.#number, 'revoked')
    } else if (name === 'recall') this.#return()
    else super.event(name, args)
  }

  frame(frame: Frame): void {
    if (frame.op !== op.item) return
    const slot = frame.u32(4)
    const place = slot === 0 ? off : { slot, tag: frame.u32(8) }
    const [attempt, bytes, { epoch }] = [frame.u32(0), frame.from(12), this.#client.tenure]
    const item: Taken = { number: frame.b, attempt, place, bytes, epoch, held: null }
    const unwanted = this.#unwanted > 0
    if (unwanted) this.#unwanted -= 1
    this.#ahead.push(item)
    if (this.#waiters.size > 0 || this.#granted.size > 0) {
      this.#serve()
      this.#afterTaking()
      this.#trimSoon()
    } else if (unwanted && this.#polls === 0) this.#return()
  }

  /** The broker may have taken back the item that had just come: who did not want to wait has none, who waits needs another. */
  #afterTaking(): void {
    for (const waiter of this.#granted) waiter.resolve(null)
    this.#granted.clear()
    while (this.#asked.size < this.#waiters.size) this.#ask()
  }

  #wait(owner: object, mode: TakeMode, wait: WaitOptions, refuses: Waiter['refuses']): Promise<Taken | null> {
    return new Promise((resolve, reject) => {
      const end = watchWait(wait, `${this.#label} had no item`, (error) => {
        if (!this.#waiters.delete(waiter)) return
        this.#trim()
        reject(error)
      })
      const ended = <V>(then: (value: V) => void): ((value: V) => void) => {
        return (value) => {
          end()
          then(value)
        }
      }
      const waiter: Waiter = { owner, mode, refuses, resolve: ended(resolve), reject: ended(reject) }
      this.#waiters.add(waiter)
      // A request that an item ahead has made superfluous serves the next waiter.
      if (this.#asked.size < this.#waiters.size) this.#ask()
    })
  }

  #ask(): void {
    let request = 0
    const answer = this.#client.call<true>(this.#number, 'get', [false], {
      asked: (number) => {
        request = number
        this.#asked.add(number)
      },
      answered: () => this.#asked.delete(request),
      late: () => {
        this.#unwanted += 1
      },
    })
    answer.catch((error: unknown) => {
      this.#asked.delete(request)
      const [waiter] = this.#waiters
      if (waiter === undefined) return
      this.#waiters.delete(waiter)
      waiter.reject(error)
    })
  }

  /** An item without waiting for one. */
  #poll(owner: object, mode: TakeMode, wait: WaitOptions, refuses: Waiter['refuses']): Promise<Taken | null> {
    this.#polls += 1
    return new Promise((resolve, reject) => {
      const waiter: Waiter = { owner, mode, refuses, resolve, reject }
      const answer = this.#client.call<true | null>(this.#number, 'get', [true], {
        wait: { signal: wait.signal },
        owner,
        answered: (granted) => {
          // The item follows in the same stream, and nobody else is to have it.
          if (granted === true) this.#granted.add(waiter)
          else this.#serveFromAhead(waiter)
        },
        late: (granted) => {
          if (granted === true) this.#unwanted += 1
        },
      })
      answer.catch(reject).finally(() => (this.#polls -= 1))
    })
  }

  /** The broker has none left, since the last of them were on their way here, unasked, when it was asked. */
  #serveFromAhead(waiter: Waiter): void {
    const item = this.#first(waiter.owner, waiter.mode, waiter.refuses)
    if (item instanceof Error) waiter.reject(item)
    else waiter.resolve(item)
  }

  /** Gives up requests that nobody waits for; not at once, since a loop of gets comes back in the same turn. */
  #trimSoon(): void {
    if (this.#trimming) return
    this.#trimming = true
    setImmediate(() => {
      this.#trimming = false
      this.#trim()
    })
  }

  #trim(): void {
    for (const request of [...this.#asked].slice(this.#waiters.size)) {
      this.#asked.delete(request)
      this.#client.withdraw(request)
    }
  }

  /** Gives back what came ahead and was not handed out. */
  #return(): void {
    this.#claims.tell()
    this.#client.post(
      this.#number,
      'return',
      this.#ahead.drain().map((item) => item.number),
    )
  }

  protected override lost(reason: Error): void {
    this.#puts.revoke()
    this.#claims.drop()
    this.#ahead.drain()
    this.held.lose(reason, true)
    for (const waiter of [...this.#granted, ...this.#waiters]) waiter.reject(reason)
    this.#granted.clear()
    this.#waiters.clear()
  }
}
