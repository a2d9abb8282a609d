/** One worker of a fleet as the broker sees it: what it was given, what it has reported, how fast it is. */
import type { TaskTerms } from '../../contract/fleet.ts'
import { Alarm } from '../../util/alarm.ts'
import { monotonic } from '../../util/clock.ts'
import type { Placed } from '../backend.ts'
import { op } from '../../wire/frame.ts'
import { assignHead, submitTarget } from '../../wire/chunk-frames.ts'
import type { Running } from './starter.ts'

/** A chunk that is not done yet. */
export interface OpenChunk {
  readonly id: number
  readonly count: number
  readonly terms: TaskTerms | null
  /** The payload of its `submit` frame. */
  readonly payload: Buffer
  /** The first task without an outcome. */
  first: number
  /** What becomes of it is reported. */
  wanted: boolean
  /** Who runs it is to be ended. */
  cancelled: boolean
  /** Who has it; `null`: it waits. */
  worker: FleetWorker | null
}

/** Tasks of a chunk, from its `first` on, that were lost with a worker. */
export interface Loss {
  readonly chunk: OpenChunk
  readonly count: number
  /** See `WorkerLoss`. */
  readonly overdue: number
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
  child: Running | null = null
  placed: Placed | null = null
  pid = 0
  host = ''
  ready = false
  leaving = false
  /** It has, or had a moment ago, a cancelled chunk. */
  suspect = false
  /** How many tasks it has run whose outcomes were wanted. */
  tasks = 0
  /** When it last reported, on the monotonic clock in ms. */
  heard = 0
  /** Its backlog was taken back: it gets nothing before it says that it has dropped it. */
  #revoked = false
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
  /** When the running task has exceeded its time, on the monotonic clock in ms; `null`: never. */
  #deadline: number | null = null
  readonly #alarm: Alarm
  /** The task that it was killed for, past its time. */
  #condemned: { readonly chunk: number; readonly task: number } | null = null

  /** @param overdue called when the running task has exceeded its time */
  constructor(overdue: (worker: FleetWorker) => void) {
    this.#alarm = new Alarm(() => overdue(this))
  }

  get idle(): boolean {
    return this.ready && !this.#revoked && !this.leaving && this.#assigned.length === 0
  }

  get state(): 'starting' | 'idle' | 'busy' | 'leaving' {
    if (!this.ready) return 'starting'
    if (this.#assigned.length > 0) return 'busy'
    return this.leaving ? 'leaving' : 'idle'
  }

  get running(): OpenChunk | undefined {
    return this.#assigned[0]?.chunk
  }

  /** How many chunks it has. */
  get load(): number {
    return this.#assigned.length
  }

  /** The chunks that it may have started without a report, the first for certain the next to be reported. */
  get atRisk(): readonly OpenChunk[] {
    return this.#assigned.slice(0, 1 + this.#runAhead).map((one) => one.chunk)
  }

  get hasCancelled(): boolean {
    return this.#assigned.some((one) => one.chunk.cancelled)
  }

  get overdue(): boolean {
    return this.#deadline !== null && monotonic() >= this.#deadline
  }

  /** How many more chunks it should get now: none before half of what it has is done, so that they travel together. */
  get room(): number {
    if (!this.ready || this.#revoked || this.leaving) return 0
    const window = Math.max(2, Math.min(LARGEST_WINDOW, Math.floor(AHEAD / this.#pace)))
    return this.#assigned.length * 2 > window ? 0 : window - this.#assigned.length
  }

  /** When its backlog may be taken back: milliseconds on the monotonic clock, or null while there is none that it cannot have started. */
  get leaseEnd(): number | null {
    return !this.#revoked && this.#assigned.length > 1 + this.#runAhead ? this.#lease : null
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
    // The first is never taken back, so it may be started whenever it arrives.
    const alone = this.#assigned.length === 0
    if (alone) {
      this.#last = this.heard = now
      this.#until = 0
    }
    this.#lease = now + LEASE
    this.#sequence += 1
    this.#assigned.push({ chunk, sequence: this.#sequence })
    chunk.worker = this
    const lease = alone ? Infinity : this.#lease
    child.link.send(op.assign, this.#sequence, chunk.id, assignHead(lease, chunk.first), chunk.payload)
  }

  /** Notes a report on the running chunk; `true`: the chunk is done. */
  report(first: number, count: number, until: number, runAhead: number): boolean {
    const chunk = this.running
    if (chunk === undefined) return false
    chunk.first = first + count
    this.#until = until
    this.#runAhead = runAhead
    const done = chunk.first >= chunk.count
    if (chunk.terms !== null && chunk.terms.timeout > 0) this.#time(done ? 0 : chunk.terms.timeout)
    if (!done) return false
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
    this.#last = this.heard = now
    this.#chunksDone = 0
  }

  /** The chunk is not wanted any more: unless the worker has started it, it passes it over. */
  drop(chunk: OpenChunk): void {
    this.child?.link.send(op.drop, chunk.cancelled ? 1 : 0, chunk.id)
    if (chunk.cancelled) this.suspect = true
  }

  /** The worker has dropped all it had, having found its lease at an end, and drops what comes until it is told that this was heard. */
  dropped(): OpenChunk[] {
    this.child?.link.send(op.idle, 0, 0)
    const dropped = this.#assigned
    this.#assigned = []
    this.#revoked = false
    this.#runAhead = 0
    this.#last = this.heard = monotonic()
    return dropped.map((one) => one.chunk)
  }

  /** It begins nothing more, and ends: what it has not reported was not started. */
  retired(): OpenChunk[] {
    this.leaving = true
    this.#time(0)
    const left = this.#assigned
    this.#assigned = []
    this.#runAhead = 0
    return left.map((one) => one.chunk)
  }

  /** Takes back what it cannot have started: its lease has run out while it is busy. It finds that out and says so, since all of this is still ahead of it. */
  takeBack(): OpenChunk[] {
    this.#revoked = true
    // Elsewhere the clock is another one: what has not been started there is known there alone.
    if (this.child?.recall === undefined) return this.#assigned.splice(1 + this.#runAhead).map((one) => one.chunk)
    this.child.recall()
    return []
  }

  /** A worker that runs elsewhere has given back this assignment and those after it. */
  recalled(sequence: number): OpenChunk[] {
    const at = this.#assigned.findIndex((one) => one.sequence >= sequence)
    this.#revoked = false
    return at < 0 ? [] : this.#assigned.splice(at).map((one) => one.chunk)
  }

  /** It is killed since the task that it runs has exceeded its time. */
  condemn(): void {
    const { running } = this
    if (running !== undefined) this.#condemned = { chunk: running.id, task: running.first }
  }

  /** Its keeper elsewhere does that. */
  condemned(chunk: number, task: number): void {
    this.#condemned = { chunk, task }
  }

  /** It has died: how many tasks are lost of which chunks (from `first` on), and all chunks it had. */
  died(): {
    readonly losses: readonly Loss[]
    readonly chunks: OpenChunk[]
  } {
    this.#alarm.stop()
    const chunks = this.#assigned.map((one) => one.chunk)
    const losses = this.atRisk.map((chunk, index) => {
      const until = index === 0 ? Math.min(chunk.count, this.#until) : 0
      const { chunk: id, task } = this.#condemned ?? {}
      const overdue = id === chunk.id && task === chunk.first ? (chunk.terms?.timeout ?? 0) : 0
      return { chunk, count: Math.max(until - chunk.first, 1), overdue }
    })
    this.#assigned = []
    return { losses, chunks }
  }

  /** A task begins now that may run for so long; 0: no such task runs. */
  #time(timeout: number): void {
    this.#deadline = timeout === 0 ? null : monotonic() + timeout
    // Elsewhere its keeper looks at the time.
    if (this.child?.here !== false) this.#alarm.set(this.#deadline)
  }
}

/**
 * How many of `waiting` chunks each worker with room gets ahead: as many as the others, those with the least first. What one has ahead
 * is out of the others' reach until its lease is over.
 */
export function sharesAhead(workers: Iterable<FleetWorker>, waiting: number): [worker: FleetWorker, count: number][] {
  const open = [...workers].filter((worker) => worker.room > 0)
  open.sort((one, other) => one.load - other.load)
  let left = waiting
  return open.map((worker, index) => {
    const count = Math.min(worker.room, Math.ceil(left / (open.length - index)))
    left -= count
    return [worker, count]
  })
}
