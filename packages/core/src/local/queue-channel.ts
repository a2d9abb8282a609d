/**
 * A queue as one process sees it: items that came ahead of demand, who waits for one, and the pass to put without an answer.
 * All handles of the queue in this process share it. The other half, with the reasons, is `broker/queue.ts`.
 */
import type { WaitOptions } from '../contract/wait.ts'
import { LeaseLostError } from '../errors.ts'
import { monotonic } from '../util/clock.ts'
import { Fifo } from '../util/fifo.ts'
import { isPoll, timedOut, watchWait } from '../util/wait.ts'
import { type Frame, op } from '../wire/frame.ts'
import type { BrokerClient } from './broker-client.ts'
import { Presence } from './presence.ts'

/** An item as it came: still encoded. */
export interface Taken {
  readonly number: number
  readonly attempt: number
  readonly bytes: Uint8Array
}

interface Waiter {
  resolve(item: Taken): void
  reject(error: unknown): void
}

/** How many items handed out for good are told of together, and for how many milliseconds they may wait for that. */
const BUNCH = 64
const LINGER = 0.2

/** How an item is taken: for good, until acknowledged, or not at all (`peek` leaves it where it is). */
export type TakeMode = 'taken' | 'held' | 'peek'

export class QueueChannel extends Presence {
  readonly #client: BrokerClient
  readonly #number: number
  readonly #label: string
  readonly #ahead = new Fifo<Taken>()
  readonly #waiters = new Set<Waiter>()
  /** Requests for an item that the broker has not answered: at least one for each waiter. */
  readonly #asked = new Set<number>()
  readonly #held = new Map<number, AbortController>()
  /** The newest item that was handed out for good and not told of; all before it go with it. */
  #claimed = 0
  #claims = 0
  #lastTold = 0
  readonly #settle = (): void => this.#tellClaims()
  #passUntil = 0
  #puts = 0
  /** Items that were granted to requests which had been given up. */
  #unwanted = 0
  #trimming = false

  constructor(client: BrokerClient, number: number, label: string) {
    super()
    this.#client = client
    this.#number = number
    this.#label = label
  }

  put(bytes: Uint8Array, wait: WaitOptions): Promise<void> {
    if (this.gone !== null) return Promise.reject(this.gone)
    if (this.#passUntil === 0 || wait.signal?.aborted === true) return this.#putAsking(bytes, wait)
    this.#puts = (this.#puts % 0xffff_ffff) + 1
    const sent = this.#client.sendNow(op.put, this.#number, this.#puts, undefined, bytes)
    // Written while the pass held, it counts. Otherwise the queue may have been closed meanwhile.
    return monotonic() < this.#passUntil ? sent : this.#confirm(this.#puts)
  }

  async #putAsking(bytes: Uint8Array, wait: WaitOptions): Promise<void> {
    const what = `${this.#label} had no room`
    const poll = isPoll(wait)
    const pass = await this.#client.call<number | false>(this.#number, 'put', [bytes, poll], {
      wait: poll ? { signal: wait.signal } : wait,
      what,
    })
    if (pass === false) throw timedOut(what, wait)
    this.#passUntil = pass
  }

  async tryPut(bytes: Uint8Array): Promise<boolean> {
    if (this.gone !== null) throw this.gone
    return (await this.#client.call<number | false>(this.#number, 'put', [bytes, true])) !== false
  }

  /** An item that came ahead, taken for good, if there is one for a caller who waits for nobody. */
  takeAhead(): Taken | undefined {
    if (this.#waiters.size > 0) return undefined
    const item = this.#ahead.shift()
    if (item !== undefined) this.#claim(item.number)
    return item
  }

  /** Waits for an item; `null` if the options, checked, say not to wait and there is none. */
  async take(mode: TakeMode, wait: WaitOptions): Promise<Taken | null> {
    if (this.gone !== null) throw this.gone
    wait.signal?.throwIfAborted()
    let item: Taken | null = null
    if (this.#waiters.size === 0) item = this.#ahead.shift() ?? null
    if (item === null) item = isPoll(wait) ? await this.#poll(wait) : await this.#wait(wait)
    if (item === null) return null
    if (mode === 'peek') {
      this.#ahead.unshift(item)
      return item
    }
    if (mode === 'taken') {
      this.#claim(item.number)
      return item
    }
    this.#held.set(item.number, new AbortController())
    this.#tellClaims()
    this.#client.send(op.held, this.#number, item.number)
    // Who dies with an item in hand has had it: that must be known before the user sees it.
    await this.#client.flushed()
    return item
  }

  /**
   * Notes an item as handed out for good. Telling the broker may wait a little for more of them: meanwhile only this process's death can
   * bring the item back, and an item got in that instant may come again. Never longer than `LINGER`, since a caller that
   * computes after a burst of gets keeps the event loop from telling.
   */
  #claim(number: number): void {
    const now = performance.now()
    if (this.#claimed === 0) this.#client.linger(this.#settle)
    this.#claimed = number
    this.#claims += 1
    if (this.#claims >= BUNCH || now - this.#lastTold > LINGER) this.#tellClaims()
  }

  #tellClaims(): void {
    if (this.#claimed === 0) return
    const last = this.#claimed
    this.#claimed = 0
    this.#claims = 0
    this.#lastTold = performance.now()
    // An error of the link ends it, and everybody who waits on it is told then.
    void this.#client.sendNow(op.taken, this.#number, last)
  }

  /** Aborts when the delivery is no longer this process's. */
  signal(number: number): AbortSignal {
    return this.#held.get(number)?.signal ?? AbortSignal.abort(this.#lostDelivery())
  }

  async ack(number: number): Promise<void> {
    if (!this.#held.delete(number)) throw this.#lostDelivery()
    this.#client.send(op.ack, this.#number, number)
    await this.#client.flushed()
  }

  async nack(number: number): Promise<void> {
    if (!this.#held.delete(number)) throw this.#lostDelivery()
    this.#client.post(this.#number, 'nack', number)
    await this.#client.flushed()
  }

  override event(name: string, args: readonly unknown[]): void {
    if (name === 'pass') this.#passUntil = args[0] as number
    else if (name === 'revoke') {
      this.#passUntil = 0
      this.#client.post(this.#number, 'revoked')
    } else if (name === 'recall') this.#return()
    else super.event(name, args)
  }

  frame(frame: Frame): void {
    if (frame.op !== op.item) return
    const item: Taken = { number: frame.b, attempt: frame.u32(0), bytes: frame.from(4) }
    const [waiter] = this.#waiters
    const unwanted = this.#unwanted > 0
    if (unwanted) this.#unwanted -= 1
    if (waiter !== undefined) {
      this.#waiters.delete(waiter)
      this.#trimSoon()
      waiter.resolve(item)
      return
    }
    this.#ahead.push(item)
    if (unwanted) this.#return()
  }

  /** Asks whether a put counted that left after the pass had run out. */
  async #confirm(sequence: number): Promise<void> {
    this.#passUntil = await this.#client.call<number>(this.#number, 'confirm', [sequence])
  }

  #wait(wait: WaitOptions): Promise<Taken> {
    return new Promise((resolve, reject) => {
      const end = watchWait(wait, `${this.#label} had no item`, (error) => {
        if (!this.#waiters.delete(waiter)) return
        this.#trim()
        reject(error)
      })
      const waiter: Waiter = {
        resolve: (item) => {
          end()
          resolve(item)
        },
        reject: (error) => {
          end()
          reject(error)
        },
      }
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
  async #poll(wait: WaitOptions): Promise<Taken | null> {
    const granted = await this.#client.call<true | null>(this.#number, 'get', [true], { wait: { signal: wait.signal } })
    if (granted === null) return null
    // The item follows on the heels of the word, so it is here by the next turn.
    return this.#ahead.shift() ?? this.#wait({})
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
    this.#tellClaims()
    this.#client.post(
      this.#number,
      'return',
      this.#ahead.drain().map((item) => item.number),
    )
  }

  protected override lost(reason: Error): void {
    this.#passUntil = 0
    this.#ahead.drain()
    for (const held of this.#held.values()) held.abort(this.#lostDelivery(reason))
    this.#held.clear()
  }

  #lostDelivery(cause: unknown = this.gone): LeaseLostError {
    return new LeaseLostError(
      `this delivery from ${this.#label} was acknowledged, given back or lost before`,
      cause === null ? {} : { cause },
    )
  }
}
