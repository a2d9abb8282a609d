/**
 * A queue as one process sees it: items that came ahead of demand, who waits for one, and the pass to put without an answer.
 * All handles of the queue in this process share it. The other half, with the reasons, is `broker/queue.ts`.
 */
import type { WaitOptions } from '../contract/wait.ts'
import { LeaseLostError } from '../errors.ts'
import { monotonic } from '../util/clock.ts'
import { Fifo } from '../util/fifo.ts'
import { isPoll, timedOut } from '../util/wait.ts'
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
  readonly request: number
  /** The broker's word that an item follows for this request. */
  granted: boolean
  resolve(item: Taken | null): void
}

/** How an item is taken: for good, until acknowledged, or not at all (`peek` leaves it where it is). */
export type TakeMode = 'taken' | 'held' | 'peek'

export class QueueChannel extends Presence {
  readonly #client: BrokerClient
  readonly #number: number
  readonly #label: string
  readonly #ahead = new Fifo<Taken>()
  readonly #waiters = new Set<Waiter>()
  readonly #held = new Map<number, AbortController>()
  #passUntil = 0
  #puts = 0
  /** Items that were granted to waiters who had given up. */
  #unwanted = 0

  constructor(client: BrokerClient, number: number, label: string) {
    super()
    this.#client = client
    this.#number = number
    this.#label = label
  }

  async put(bytes: Uint8Array, wait: WaitOptions | undefined): Promise<void> {
    if (this.gone !== null) throw this.gone
    if (monotonic() < this.#passUntil) {
      wait?.signal?.throwIfAborted()
      return this.#putUnderPass(bytes)
    }
    const what = `${this.#label} had no room`
    const poll = isPoll(wait)
    const pass = await this.#client.call<number | false>(this.#number, 'put', [bytes, poll], {
      wait: poll ? { signal: wait?.signal } : wait,
      what,
    })
    if (pass === false) throw timedOut(what, wait)
    this.#passUntil = pass
  }

  async tryPut(bytes: Uint8Array): Promise<boolean> {
    if (this.gone !== null) throw this.gone
    return (await this.#client.call<number | false>(this.#number, 'put', [bytes, true])) !== false
  }

  /** Waits for an item; `null` if the options say not to wait and there is none. */
  async take(mode: TakeMode, wait: WaitOptions | undefined): Promise<Taken | null> {
    if (this.gone !== null) throw this.gone
    wait?.signal?.throwIfAborted()
    let item = this.#waiters.size === 0 ? this.#ahead.shift() : undefined
    item ??= (await this.#wait(wait)) ?? undefined
    if (item === undefined) return null
    if (mode === 'peek') {
      this.#ahead.unshift(item)
      return item
    }
    if (mode === 'held') this.#held.set(item.number, new AbortController())
    this.#client.send(mode === 'held' ? op.held : op.taken, this.#number, item.number)
    // The claim leaves this process before the user sees the item, so that it is never in two living hands.
    await this.#client.flushed()
    return item
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
    const { payload } = frame
    const item: Taken = {
      number: frame.b,
      attempt: new DataView(payload.buffer, payload.byteOffset).getUint32(0, true),
      bytes: payload.subarray(4),
    }
    const [waiter] = this.#waiters
    const unwanted = this.#unwanted > 0
    if (unwanted) this.#unwanted -= 1
    if (waiter === undefined) {
      this.#ahead.push(item)
      if (unwanted) this.#return()
      return
    }
    this.#waiters.delete(waiter)
    // An item that travelled ahead has met a waiter whose own request is still under way, and no longer needed.
    if (!waiter.granted) this.#client.withdraw(waiter.request)
    waiter.resolve(item)
  }

  async #putUnderPass(bytes: Uint8Array): Promise<void> {
    this.#puts = (this.#puts % 0xffff_ffff) + 1
    const sequence = this.#puts
    this.#client.send(op.put, this.#number, sequence, undefined, bytes)
    await this.#client.flushed()
    // Written while the pass held, it counts. Otherwise the queue may have been closed meanwhile: ask.
    if (monotonic() < this.#passUntil) return
    this.#passUntil = await this.#client.call<number>(this.#number, 'confirm', [sequence])
  }

  #wait(wait: WaitOptions | undefined): Promise<Taken | null> {
    const poll = isPoll(wait)
    return new Promise((resolve, reject) => {
      let waiter: Waiter | undefined
      const answer = this.#client.call<true | null>(this.#number, 'get', [poll], {
        wait: poll ? { signal: wait?.signal } : wait,
        what: `${this.#label} had no item`,
        asked: (request) => {
          waiter = { request, granted: false, resolve }
          this.#waiters.add(waiter)
        },
        answered: (granted) => {
          if (waiter === undefined) return
          waiter.granted = true
          if (granted === null && this.#waiters.delete(waiter)) resolve(null)
        },
        late: (granted) => {
          if (granted === true) this.#unwanted += 1
        },
      })
      answer.catch((error: unknown) => {
        if (waiter !== undefined) this.#waiters.delete(waiter)
        reject(error)
      })
    })
  }

  /** Gives back what came ahead and was not handed out. */
  #return(): void {
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
