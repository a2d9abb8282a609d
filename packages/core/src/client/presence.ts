/** That an object is there, as this process knows it; the base of what the nouns hear from the broker. */
import type { ObjectListener } from './broker-client.ts'
import type { Tenure } from './tenure.ts'

export class Presence implements ObjectListener {
  #gone: Error | null = null
  readonly #toTell = new Set<() => void>()

  /** Why the object is gone, or null. */
  get gone(): Error | null {
    return this.#gone
  }

  /** Calls `tell` once when the object is gone. */
  whenGone(tell: () => void): void {
    if (this.#gone === null) this.#toTell.add(tell)
    else tell()
  }

  event(name: string, args: readonly unknown[]): void {
    if (name !== 'gone' || this.#gone !== null) return
    this.#gone = args[0] as Error
    this.lost(this.#gone)
    for (const tell of this.#toTell) tell()
    this.#toTell.clear()
  }

  /** See `ObjectListener`. */
  retired(_reason: Error, _tenure: Tenure): void {
    // Most hold nothing that depends on time.
  }

  /** The object was destroyed, or the broker is gone: what this process held of it is lost. */
  protected lost(_reason: Error): void {
    // Most have something to do here; what it is is theirs.
  }
}
