/** A lease: it lasts until it is released, its object is destroyed, the broker is gone or its tenure is over. */
import type { Lease } from '../contract/lock.ts'
import { LeaseLostError } from '../errors.ts'
import { expired, type Holding } from './tenure.ts'

export interface LeaseEvents {
  /** It is held no longer by its holder's will, or it is revoked, for the cause. Resolves when the broker will learn of it. */
  giveBack(cause?: unknown): Promise<void>
  /** Called once: it is held no longer, for whatever reason. */
  over(lease: LinkedLease): void
}

export class LinkedLease implements Lease {
  readonly #label: string
  readonly #events: LeaseEvents
  #token: number
  #holding: Holding
  #abort: AbortController | null = null
  /** `lent`: given up, and to be had again. */
  #state: 'held' | 'lent' | 'released' | 'lost' = 'held'
  #cause: unknown

  constructor(token: number, label: string, holding: Holding, events: LeaseEvents) {
    this.#token = token
    this.#label = label
    this.#holding = holding
    this.#events = events
  }

  get token(): number {
    return this.#token
  }

  get expiresIn(): number {
    this.#look()
    return this.#state === 'held' ? Math.max(0, this.#holding.remaining) : 0
  }

  get signal(): AbortSignal {
    if (this.#abort === null) {
      this.#abort = new AbortController()
      if (this.#state === 'held') this.#watch()
      if (this.#state === 'lost') this.#abort.abort(this.#lostError())
    }
    return this.#abort.signal
  }

  assertHeld(): void {
    this.#look()
    if (this.#state === 'lent') throw new LeaseLostError(`the lease on ${this.#label} is given up during wait()`)
    if (this.#state === 'released') throw new LeaseLostError(`the lease on ${this.#label} was released`)
    if (this.#state === 'lost') throw this.#lostError()
  }

  async release(): Promise<boolean> {
    this.#look()
    if (this.#isOver) return false
    this.#state = 'released'
    this.#over()
    await this.#events.giveBack()
    return true
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.release()
  }

  lend(): void {
    if (this.#state !== 'held') return
    this.#state = 'lent'
    this.#holding.end()
  }

  /** What was lent has been granted again. */
  restore(token: number, holding: Holding): void {
    if (this.#state !== 'lent') return
    this.#state = 'held'
    this.#token = token
    this.#holding = holding
    if (this.#abort !== null) this.#watch()
  }

  /** What the process held of it is lost; what is lent at the time is not held. */
  retire(cause: unknown): void {
    if (this.#state === 'held') this.lose(cause)
  }

  /** The object is gone, or the broker. */
  lose(cause: unknown): void {
    if (this.#isOver) return
    this.#state = 'lost'
    this.#cause = cause
    this.#over()
    this.#abort?.abort(this.#lostError())
  }

  /** Its context closes: the holder loses it, and the permits go back. */
  async revoke(cause: unknown): Promise<void> {
    if (this.#isOver) return
    this.lose(cause)
    await this.#events.giveBack(cause)
  }

  get #isOver(): boolean {
    return this.#state === 'released' || this.#state === 'lost'
  }

  #watch(): void {
    this.#holding.watch(() => this.#expire())
  }

  #look(): void {
    if (this.#state === 'held' && this.#holding.remaining <= 0) this.#expire()
  }

  /** Nobody has said so yet, and it may be renewed in a moment; but its holder has been told that it is lost. */
  #expire(): void {
    void this.revoke(expired())
  }

  #over(): void {
    this.#holding.end()
    this.#events.over(this)
  }

  #lostError(): LeaseLostError {
    return new LeaseLostError(`the lease on ${this.#label} is lost`, { cause: this.#cause })
  }
}
