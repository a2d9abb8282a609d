/**
 * The chunks of a fleet that wait for a worker, first come first served. Those that nobody wants any more are passed over when their turn
 * comes, or cleared away when they are many.
 */
import { Fifo } from '../../util/fifo.ts'
import type { OpenChunk } from './fleet-worker.ts'

export class FleetLine {
  readonly #chunks = new Fifo<OpenChunk>()
  #unwanted = 0

  /** How many chunks wait that somebody wants. */
  get length(): number {
    return this.#chunks.length - this.#unwanted
  }

  push(chunk: OpenChunk): void {
    this.#chunks.push(chunk)
  }

  /** They were in line before, and are again the first, in this order. */
  giveBack(chunks: readonly OpenChunk[]): void {
    for (const chunk of chunks.toReversed()) this.#chunks.unshift(chunk)
  }

  shift(): OpenChunk | undefined {
    for (;;) {
      const chunk = this.#chunks.shift()
      if (chunk?.wanted !== false) return chunk
      this.#unwanted -= 1
    }
  }

  /** So many of those in line are not wanted any more. */
  unwanted(count: number): void {
    this.#unwanted += count
    // So that each has been looked at twice at most, however many there are, one by one.
    if (this.#unwanted * 2 <= this.#chunks.length) return
    this.#chunks.keep((chunk) => chunk.wanted)
    this.#unwanted = 0
  }

  clear(): void {
    this.#chunks.drain()
    this.#unwanted = 0
  }
}
