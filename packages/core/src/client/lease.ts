/** A lease: it lasts until it is released, its object is destroyed, the broker is gone or its tenure is over. */
import type { Lease } from '../contract/lock.ts'
import { LeaseLostError } from '../errors.ts'
import { expired, type Holding } from './tenure.ts'

export interface LeaseEvents {
  /** The permits go back. Resolves when the broker will learn of it. */
  giveBack(): Promise<void>
  /** Called once: it is held no longer, for whatever reason. */
  over(lease: LinkedLease): void
}

export class LinkedLease implements Lease {
  readonly token: number
  readonly #label: string
  readonly #holding: Holding
  readonly #events: LeaseEvents
  #abort: AbortController | null = null
  #state: 'held' | 'released' | 'lost' = 'held'
  #cause: unknown

  constructor(token: number, label: string, holding: Holding, events: LeaseEvents) {
    this.token = token
    this.#label = label
    this.#holding = holding
    this.#events = events
  }

  get held(): boolean {
    this.#look()
    return this.#state === 'held'
  }

  get expiresIn(): number {
    this.#look()
    return this.#state === 'held' ? Math.max(0, this.#holding.remaining) : 0
  }

  get signal(): AbortSignal {
    if (this.#abort === null) {
      this.#abort = new AbortController()
      if (this.#state === 'held') this.#holding.watch(() => this.#expire())
      if (this.#state === 'lost') this.#abort.abort(this.#lostError())
    }
    return this.#abort.signal
  }

  assertHeld(): void {
    this.#look()
    if (this.#state === 'released') throw new LeaseLostError(`the lease on ${this.#label} was released`)
    if (this.#state === 'lost') throw this.#lostError()
  }

  async release(): Promise<boolean> {
    this.#look()
    if (this.#state !== 'held') return false
    this.#state = 'released'
    this.#over()
    await this.#events.giveBack()
    return true
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.release()
  }

  /** The object is gone, the broker, or what the process held of it. */
  lose(cause: unknown): void {
    if (this.#state !== 'held') return
    this.#state = 'lost'
    this.#cause = cause
    this.#over()
    this.#abort?.abort(this.#lostError())
  }

  /** Its context closes: the holder loses it, and the permits go back. */
  async revoke(cause: unknown): Promise<void> {
    if (this.#state !== 'held') return
    this.lose(cause)
    await this.#events.giveBack()
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
