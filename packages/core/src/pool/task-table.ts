/**
 * The chunks that a pool has handed out and not heard all of: which job each belongs to, and what to do when its worker dies.
 * A chunk that is not in the table is nobody's any more; what is still reported of it is ignored.
 */
import type { Fleet, FleetEvents, Shape, WorkerLoss } from '../contract/fleet.ts'
import type { Job, KnownTarget } from './job.ts'
import { readOutcomes } from './outcomes.ts'
import { lossOf } from './worker-loss.ts'

export interface TableDeps {
  /** Called once, by the constructor. */
  openFleet(events: FleetEvents): Fleet
  readonly encode: (value: unknown, path: string) => Uint8Array
  readonly decode: (bytes: Uint8Array) => unknown
  /** Called whenever the last chunk has left the table. */
  onIdle(): void
  /** Called when the fleet as a whole has failed, after everything outstanding was rejected. */
  onFailed(error: Error): void
}

interface Entry {
  readonly job: Job
  readonly shape: Shape
  /** Index of the chunk's first task within its job. */
  readonly offset: number
  /** Kept only where tasks may have to be sent again. */
  readonly payload: Uint8Array | null
  /** How many workers have died with its one task. */
  readonly deaths: number
  left: number
}

export class TaskTable implements FleetEvents {
  readonly fleet: Fleet
  readonly #deps: TableDeps
  readonly #entries = new Map<number, Entry>()
  #nextChunk = 1

  constructor(deps: TableDeps) {
    this.#deps = deps
    this.fleet = deps.openFleet(this)
  }

  get idle(): boolean {
    return this.#entries.size === 0
  }

  /** Hands out tasks `offset … offset + count - 1` of a job. */
  submit(job: Job, shape: Shape, offset: number, count: number, payload: Uint8Array, deaths = 0): void {
    const id = this.#nextChunk++
    if (this.#entries.size === 0) this.fleet.keepAlive(true)
    const { target, retries, terms } = job.order
    const kept = deaths < retries ? payload : null
    this.#entries.set(id, { job, shape, offset, payload: kept, deaths, left: count })
    job.submitted(id)
    try {
      this.#tell(target)
      this.fleet.submit({ id, target: target.id, shape, count, terms, payload })
    } catch (error) {
      this.#entries.delete(id)
      throw error
    }
  }

  /** Ends what is outstanding of a job and rejects it. */
  abandon(job: Job, error: unknown): void {
    this.withdraw(job)
    job.abandon(error)
  }

  /** Ends what is outstanding of a job. */
  withdraw(job: Job): void {
    this.#forget(job, (chunks) => this.fleet.cancel(chunks))
  }

  /** Drops what has not started of a job. What runs goes on to its end, unheard. */
  leave(job: Job): void {
    this.#forget(job, (chunks) => this.fleet.leave(chunks))
  }

  /** Rejects every job; the fleet is told nothing. */
  abandonAll(error: unknown): void {
    const jobs = new Set<Job>()
    for (const { job } of this.#entries.values()) jobs.add(job)
    this.#entries.clear()
    for (const job of jobs) job.abandon(error)
    this.#checkIdle()
  }

  done(chunk: number, first: number, count: number, outcomes: Uint8Array): void {
    const entry = this.#entries.get(chunk)
    if (entry === undefined) return
    this.#settled(chunk, entry, count)
    readOutcomes(outcomes, count, entry.offset + first, this.#deps.decode, entry.job)
    this.#checkIdle()
  }

  lost(chunk: number, first: number, count: number, loss: WorkerLoss): void {
    const entry = this.#entries.get(chunk)
    if (entry === undefined) return
    this.#settled(chunk, entry, count)
    const { job, offset } = entry
    if (entry.payload === null || loss.overdue > 0) {
      const error = lossOf(loss, { target: job.order.target.ref, count, deaths: entry.deaths + 1 })
      for (let index = first; index < first + count; index += 1) job.rejected(offset + index, error)
    } else {
      this.#runAgain(entry, entry.payload, first, count)
    }
    this.#checkIdle()
  }

  failed(error: Error): void {
    this.#deps.onFailed(error)
    this.abandonAll(error)
  }

  /** Each task travels alone this time, so that another death is known to be its own. */
  #runAgain({ job, shape, offset, deaths }: Entry, payload: Uint8Array, first: number, count: number): void {
    // The payload is what the items were at the call, whatever has become of them since.
    let items: unknown
    for (let index = first; index < first + count; index += 1) {
      try {
        let alone = payload
        if (shape !== 'apply') {
          items ??= this.#deps.decode(payload)
          alone = this.#deps.encode(Array.isArray(items) ? [items[index]] : [], 'items')
        }
        this.submit(job, shape, offset + index, 1, alone, deaths + 1)
      } catch (error) {
        job.rejected(offset + index, error)
      }
    }
  }

  #tell(target: KnownTarget): void {
    if (target.told) return
    this.fleet.target(target.id, target.ref)
    target.told = true
  }

  #forget(job: Job, tell: (chunks: readonly number[]) => void): void {
    const outstanding = [...job.chunks].filter((id) => this.#entries.delete(id))
    if (outstanding.length > 0) tell(outstanding)
    this.#checkIdle()
  }

  #settled(chunk: number, entry: Entry, count: number): void {
    entry.left -= count
    if (entry.left > 0) return
    this.#entries.delete(chunk)
    entry.job.left?.(chunk)
  }

  #checkIdle(): void {
    if (this.#entries.size > 0) return
    this.fleet.keepAlive(false)
    this.#deps.onIdle()
  }
}
