/**
 * When to write what was gathered. A lone frame leaves with the microtask queue. In a dense stream each write would wake the
 * receiver for a frame or two, and the wake-ups cost more than everything else; so a dense stream is written every few turns
 * of the event loop, which are some microseconds each while there is so much to do.
 */
import { soon } from '../util/soon.ts'

/** Milliseconds between two writes that make a stream dense, and frames in one write that keep it so. */
const DENSE = 0.03
const MANY = 4
const MOST_TURNS = 8

export class Pacer {
  readonly #write: () => void
  #turns = 0
  #left = 0
  #frames = 0
  #last = 0
  #waiting = false
  readonly #onTurn = (): void => this.#turn()

  /** @param write writes what is there, if anything is */
  constructor(write: () => void) {
    this.#write = write
  }

  /** A frame was gathered. */
  frame(): void {
    this.#frames += 1
    if (this.#waiting) return
    this.#waiting = true
    this.#left = this.#turns
    if (this.#left === 0) soon(this.#onTurn)
    else setImmediate(this.#onTurn)
  }

  #turn(): void {
    if (this.#left > 1) {
      this.#left -= 1
      setImmediate(this.#onTurn)
      return
    }
    this.#waiting = false
    const now = performance.now()
    const dense = this.#frames >= MANY || now - this.#last < DENSE
    this.#turns = dense ? Math.min(MOST_TURNS, Math.max(1, this.#turns * 2)) : this.#turns >> 1
    this.#frames = 0
    this.#last = now
    this.#write()
  }
}
