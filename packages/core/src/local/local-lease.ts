/** A lease on the local adapter: it lasts until it is released, its object is destroyed or the broker is gone. */
import type { Lease } from '../contract/lock.ts'
import { LeaseLostError } from '../errors.ts'

export interface LeaseEvents {
  /** The permits go back. Resolves when the broker will learn of it. */
  giveBack(): Promise<void>
  /** Called once: it is held no longer, for whatever reason. */
  over(lease: LocalLease): void
}

export class LocalLease implements Lease {
  readonly token: number
  readonly expiresIn: number = Number.POSITIVE_INFINITY
  readonly #label: string
  readonly #events: LeaseEvents
  #abort: AbortController | null = null
  #state: 'held' | 'released' | 'lost' = 'held'
  #cause: unknown

  constructor(token: number, label: string, events: LeaseEvents) {
    this.token = token
    this.#label = label
    this.#events = events
  }

  get held(): boolean {
    return this.#state === 'held'
  }

  get signal(): AbortSignal {
    if (this.#abort === null) {
      this.#abort = new AbortController()
      if (this.#state === 'lost') this.#abort.abort(this.#lostError())
    }
    return this.#abort.signal
  }

  assertHeld(): void {
    if (this.#state === 'released') throw new LeaseLostError(`the lease on ${this.#label} was released`)
    if (this.#state === 'lost') throw this.#lostError()
  }

  async release(): Promise<boolean> {
    if (this.#state !== 'held') return false
    this.#state = 'released'
    this.#events.over(this)
    await this.#events.giveBack()
    return true
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.release()
  }

  /** The object is gone, or the broker. */
  lose(cause: unknown): void {
    if (this.#state !== 'held') return
    this.#state = 'lost'
    this.#cause = cause
    this.#events.over(this)
    this.#abort?.abort(this.#lostError())
  }

  /** Its context closes: the holder loses it, and the permits go back. */
  async revoke(cause: unknown): Promise<void> {
    if (this.#state !== 'held') return
    this.lose(cause)
    await this.#events.giveBack()
  }

  #lostError(): LeaseLostError {
    return new LeaseLostError(`the lease on ${this.#label} is lost`, { cause: this.#cause })
  }
}
