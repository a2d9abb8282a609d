/** A lease on the local adapter: it lasts until it is released, its object is destroyed or the broker is gone. */
import type { Lease } from '../contract/lock.ts'
import { LeaseLostError } from '../errors.ts'

export class LocalLease implements Lease {
  readonly token: number
  readonly expiresIn: number = Number.POSITIVE_INFINITY
  readonly #label: string
  readonly #giveBack: (lease: LocalLease) => Promise<void>
  #abort: AbortController | null = null
  #state: 'held' | 'released' | 'lost' = 'held'
  #cause: unknown

  constructor(token: number, label: string, giveBack: (lease: LocalLease) => Promise<void>) {
    this.token = token
    this.#label = label
    this.#giveBack = giveBack
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
    await this.#giveBack(this)
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
    this.#abort?.abort(this.#lostError())
  }

  #lostError(): LeaseLostError {
    return new LeaseLostError(`the lease on ${this.#label} is lost`, { cause: this.#cause })
  }
}
