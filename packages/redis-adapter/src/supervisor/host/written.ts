/** What a process that runs elsewhere has written, on this program's own standard output and error: in order, whole before anybody hears of its end. */
import { write } from 'node:fs'

/** Milliseconds until the next try on a terminal or a pipe that is full. */
const AGAIN = 5

export class Written {
  readonly #waiting: { readonly descriptor: 1 | 2; bytes: Buffer }[] = []
  readonly #out: (bytes: number) => void
  #busy = false
  #whenDone: (() => void) | null = null

  /** @param out told how many bytes are out of this program's hands */
  constructor(out: (bytes: number) => void) {
    this.#out = out
  }

  push(descriptor: 1 | 2, bytes: Buffer): void {
    this.#waiting.push({ descriptor, bytes })
    if (!this.#busy) this.#next()
  }

  /** Calls `then` when all that was pushed is out of this program's hands. */
  done(then: () => void): void {
    if (this.#waiting.length === 0 && !this.#busy) then()
    else this.#whenDone = then
  }

  #next(): void {
    const [first] = this.#waiting
    this.#busy = first !== undefined
    if (first === undefined) {
      this.#whenDone?.()
      return
    }
    write(first.descriptor, first.bytes, (error, count) => {
      if (error?.code === 'EAGAIN') {
        setTimeout(() => this.#next(), AGAIN)
        return
      }
      // Nobody reads it any more.
      const out = error === null ? count : first.bytes.length
      first.bytes = first.bytes.subarray(out)
      if (first.bytes.length === 0) this.#waiting.shift()
      this.#out(out)
      this.#next()
    })
  }
}
