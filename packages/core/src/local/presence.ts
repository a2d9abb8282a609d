/** That an object is there, as this process knows it; the base of what the nouns hear from the broker. */
import type { ObjectListener } from './broker-client.ts'

export class Presence implements ObjectListener {
  #gone: Error | null = null

  /** Why the object is gone, or null. */
  get gone(): Error | null {
    return this.#gone
  }

  event(name: string, args: readonly unknown[]): void {
    if (name !== 'gone' || this.#gone !== null) return
    this.#gone = args[0] as Error
    this.lost(this.#gone)
  }

  /** The object was destroyed, or the broker is gone: what this process held of it is lost. */
  protected lost(_reason: Error): void {
    // Most have something to do here; what it is is theirs.
  }
}
