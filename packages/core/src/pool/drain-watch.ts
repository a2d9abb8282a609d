/**
 * Tells a promise that settles within the running turn of the event loop from one that really waits: `process.nextTick`
 * callbacks that are scheduled from a microtask run once the microtask queue is dry. A plain `async` function without
 * anything to wait for is thereby as cheap to batch as a synchronous one.
 */
export class DrainWatch {
  readonly #onDry: () => void
  #scheduled = false
  #armed = false
  #waited = false

  /** @param onDry called when the queue is dry while the watch is armed */
  constructor(onDry: () => void) {
    this.#onDry = onDry
  }

  /** Whether the queue ran dry since the watch was last armed. */
  get waited(): boolean {
    return this.#waited
  }

  arm(): void {
    this.#armed = true
    this.#waited = false
    if (this.#scheduled) return
    // One tick serves all promises of this turn: it comes after the last of them.
    this.#scheduled = true
    process.nextTick(this.#tick)
  }

  disarm(): void {
    this.#armed = false
  }

  readonly #tick = (): void => {
    this.#scheduled = false
    if (!this.#armed) return
    this.#waited = true
    this.#onDry()
  }
}
