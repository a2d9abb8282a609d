/** A timer that may be set again and again, mostly to later: it is armed anew only where it would ring too late. */
import { monotonic } from './clock.ts'

export class Alarm {
  readonly #ring: () => void
  #at: number | null = null
  #timer: NodeJS.Timeout | null = null
  /** When the timer ends. */
  #armed = 0

  constructor(ring: () => void) {
    this.#ring = ring
  }

  /** @param at when to ring, on the monotonic clock in ms; `null`: not at all */
  set(at: number | null): void {
    this.#at = at
    if (at === null || (this.#timer !== null && this.#armed <= at)) return
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#arm(at)
  }

  /** No more, and no timer is left. */
  stop(): void {
    this.#at = null
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
  }

  #arm(at: number): void {
    this.#armed = at
    this.#timer = setTimeout(() => this.#due(), Math.max(0, at - monotonic()))
  }

  #due(): void {
    this.#timer = null
    const at = this.#at
    if (at === null) return
    // Set to later meanwhile; or Node's timer, which counts whole milliseconds, was a little early.
    if (at > monotonic()) this.#arm(at)
    else {
      this.#at = null
      this.#ring()
    }
  }
}
