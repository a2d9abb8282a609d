/** One worker of a fleet as the broker sees it: what it was given, what it has reported, how fast it is. */
import { monotonic } from '../../util/clock.ts'
import type { Child } from '../../supervisor/children.ts'
import { op } from '../../wire/frame.ts'
import { assignHead, submitTarget } from '../chunk-frames.ts'

/** A chunk that is not done yet. */
export interface OpenChunk {
  readonly id: number
  readonly count: number
  /** The payload of its `submit` frame. */
  readonly payload: Buffer
  /** The first task without an outcome. */
  first: number
  cancelled: boolean
}

interface Assigned {
  readonly chunk: OpenChunk
  readonly sequence: number
}

/** Milliseconds during which a worker may start what it was given ahead. */
const LEASE = 20
/** Milliseconds of work that a worker is given ahead: enough for the broker to be busy with somebody else meanwhile. */
const AHEAD = 4
const LARGEST_WINDOW = 1024

export class FleetWorker {
  child: Child | null = null
  pid = 0
  ready = false
  leaving = false
  /** Its backlog was taken back; it gets nothing before it has noticed that. */
  revoked = false
  readonly #known = new Set<number>()
  #assigned: Assigned[] = []
  #sequence = 0
  #lease = 0
  /** Of the first assigned chunk: where its unreported run ends. */
  #until = 0
  /** How many chunks behind the first may have been started, too, without a report. */
  #runAhead = 0
  #pace = AHEAD
  #chunksDone = 0
  #last = 0

  get idle(): boolean {
    return this.ready && !this.revoked && !this.leaving && this.#assigned.length === 0
  }

  get running(): OpenChunk | undefined {
    return this.#assigned[0]?.chunk
  }

  /** How many more chunks it should get now: none before half of what it has is done, so that they travel together. */
  get room(): number {
    if (!this.ready || this.revoked || this.leaving) return 0
    const window = Math.max(2, Math.min(LARGEST_WINDOW, Math.floor(AHEAD / this.#pace)))
    return this.#assigned.length * 2 > window ? 0 : window - this.#assigned.length
  }

  /** When its backlog may be taken back: milliseconds on the monotonic clock, or null while there is none. */
  get leaseEnd(): number | null {
    return this.#assigned.length > 1 && !this.revoked ? this.#lease : null
  }

  assign(chunk: OpenChunk, target: (id: number) => Uint8Array): void {
    const { child } = this
    if (child === null) return
    const id = submitTarget(chunk.payload)
    if (!this.#known.has(id)) {
      this.#known.add(id)
      child.link.send(op.target, id, 0, target(id))
    }
    const now = monotonic()
    if (this.#assigned.length === 0) {
      this.#last = now
      this.#until = 0
    }
    this.#lease = now + LEASE
    this.#sequence += 1
    this.#assigned.push({ chunk, sequence: this.#sequence })
    child.link.send(op.assign, this.#sequence, chunk.id, assignHead(this.#lease, chunk.first), chunk.payload)
  }

  /** Notes a report on the running chunk; `true`: the chunk is done. */
  report(first: number, count: number, until: number, runAhead: number): boolean {
    const chunk = this.running
    if (chunk === undefined) return false
    chunk.first = first + count
    this.#until = until
    this.#runAhead = runAhead
    if (chunk.first < chunk.count) return false
    this.#assigned.shift()
    this.#until = 0
    this.#chunksDone += 1
    return true
  }

  /** All reports that have come are noted: how long did a chunk take? */
  measure(): void {
    if (this.#chunksDone === 0) return
    const now = monotonic()
    const pace = (now - this.#last) / this.#chunksDone
    this.#pace += (pace < this.#pace ? 0.5 : 0.2) * (pace - this.#pace)
    this.#last = now
    this.#chunksDone = 0
  }

  /** The worker has dropped everything up to this assignment, having found its lease at an end. */
  dropped(sequence: number): OpenChunk[] {
    const dropped = this.#assigned.filter((one) => one.sequence <= sequence)
    this.#assigned = this.#assigned.filter((one) => one.sequence > sequence)
    this.revoked = false
    this.#last = monotonic()
    return dropped.map((one) => one.chunk)
  }

  /** Takes back what it cannot have started: its lease has run out while it is busy with its first chunk. */
  takeBack(): OpenChunk[] {
    this.revoked = true
    return this.#assigned.splice(1).map((one) => one.chunk)
  }

  /** It has died: how many tasks are lost of which chunks (from `first` on), and all chunks it had. */
  died(): {
    readonly losses: readonly { readonly chunk: OpenChunk; readonly count: number }[]
    readonly chunks: OpenChunk[]
  } {
    const chunks = this.#assigned.map((one) => one.chunk)
    this.#assigned = []
    const losses = chunks.slice(0, 1 + this.#runAhead).map((chunk, index) => {
      const until = index === 0 ? Math.min(chunk.count, this.#until) : 0
      return { chunk, count: Math.max(until - chunk.first, 1) }
    })
    return { losses, chunks }
  }
}
