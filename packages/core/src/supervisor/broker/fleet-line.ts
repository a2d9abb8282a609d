/**
 * The chunks of a fleet that wait for a worker: less priority first, equals first come first served. Those that nobody wants any more are
 * passed over when their turn comes, or cleared away when they are many.
 */
import { Fifo } from '../../util/fifo.ts'
import type { OpenChunk } from './fleet-worker.ts'

interface Rank {
  readonly priority: number
  readonly chunks: Fifo<OpenChunk>
}

function priorityOf({ terms }: OpenChunk): number {
  return terms?.priority ?? 0
}

export class FleetLine {
  /** Of chunks without priority, which is what most have. */
  readonly #first = new Fifo<OpenChunk>()
  /** All others that there are, in the order of their turns. None is empty. */
  #ranks: Rank[] = []
  #length = 0
  #unwanted = 0

  /** How many chunks wait that somebody wants. */
  get length(): number {
    return this.#length - this.#unwanted
  }

  push(chunk: OpenChunk): void {
    this.#of(chunk).push(chunk)
    this.#length += 1
  }

  /** They were in line before, and are again the first of their priority, in this order. */
  giveBack(chunks: readonly OpenChunk[]): void {
    for (const chunk of chunks.toReversed()) this.#of(chunk).unshift(chunk)
    this.#length += chunks.length
  }

  shift(): OpenChunk | undefined {
    for (;;) {
      const chunk = this.#first.shift() ?? this.#shiftRank()
      if (chunk === undefined) return undefined
      this.#length -= 1
      if (chunk.wanted) return chunk
      this.#unwanted -= 1
    }
  }

  /** So many of those in line are not wanted any more. */
  unwanted(count: number): void {
    this.#unwanted += count
    // So that each has been looked at twice at most, however many there are, one by one.
    if (this.#unwanted * 2 <= this.#length) return
    for (const chunks of [this.#first, ...this.#ranks.map((rank) => rank.chunks)]) chunks.keep((chunk) => chunk.wanted)
    this.#ranks = this.#ranks.filter(({ chunks }) => chunks.length > 0)
    this.#length -= this.#unwanted
    this.#unwanted = 0
  }

  clear(): void {
    this.#first.drain()
    this.#ranks = []
    this.#length = this.#unwanted = 0
  }

  #shiftRank(): OpenChunk | undefined {
    const [rank] = this.#ranks
    const chunk = rank?.chunks.shift()
    if (rank?.chunks.length === 0) this.#ranks.shift()
    return chunk
  }

  #of(chunk: OpenChunk): Fifo<OpenChunk> {
    const priority = priorityOf(chunk)
    if (priority === 0) return this.#first
    let at = this.#ranks.length
    // From the end: what comes is mostly no more urgent than what waits.
    for (let rank = this.#ranks[at - 1]; rank !== undefined && rank.priority >= priority; rank = this.#ranks[at - 1]) {
      if (rank.priority === priority) return rank.chunks
      at -= 1
    }
    const rank = { priority, chunks: new Fifo<OpenChunk>() }
    this.#ranks.splice(at, 0, rank)
    return rank.chunks
  }
}
