/**
 * The seam between a pool and an adapter: the client half (`pool.ts`) hands out chunks and settles results, the worker half
 * (`worker.ts`) runs tasks, and the adapter's fleet in between owns the workers, says who runs what, and sees deaths.
 * Payloads are bytes that the fleet never looks into.
 */
import type { Needs } from './adapter.ts'
import type { ExitReason } from './process.ts'
import type { TargetRef } from './target.ts'
import type { WaitOptions } from './wait.ts'

export interface FleetSpec {
  readonly size: number
  readonly initializer: TargetRef | null
  /** Encoded array of the initializer's arguments. */
  readonly initArgs: Uint8Array
  /** `null`: a worker stays as long as the pool. */
  readonly limits: WorkerLimits | null
  /** Milliseconds after which a worker that has nothing to do ends; `null`: it waits. */
  readonly idleTimeout: number | null
  /** Where workers run; `null`: as everything that the program starts. */
  readonly needs: Needs | null
}

/** After what a worker is replaced. `Infinity` where that does not matter. */
export interface WorkerLimits {
  /** Tasks that it has run. */
  readonly tasks: number
  /** Bytes of memory that it takes up when a task has ended. */
  readonly memory: number
}

/**
 * What a chunk's payload is: of `apply`, the encoded array of the arguments of one task; of `map`, that of the one argument of each task; of
 * `starmap`, that of the array of arguments of each.
 */
export type Shape = 'apply' | 'map' | 'starmap'

/** What is asked of each task of a chunk besides. */
export interface TaskTerms {
  /** Milliseconds that it may run, an integer; 0: any time. */
  readonly timeout: number
  /** Less comes first. */
  readonly priority: number
}

/** Some tasks of one target that travel together. */
export interface Chunk {
  /** Unique within the fleet; larger for every later chunk. */
  readonly id: number
  /** Of a target made known by `Fleet.target`. */
  readonly target: number
  readonly shape: Shape
  readonly count: number
  /** `null`: nothing is. */
  readonly terms: TaskTerms | null
  readonly payload: Uint8Array
}

/** The client's way to the workers. Nothing here waits for a round trip, but `terminate` and `join`. */
export interface Fleet {
  /** Makes a target known under a number of the caller's choice. */
  target(id: number, ref: TargetRef): void
  /** Chunks of equal priority start in the order of submission, pulled by free workers. */
  submit(chunk: Chunk): void
  /** The outcomes of these chunks are no longer wanted: not started, their tasks never run; running, the worker is killed and replaced. Nothing of the chunks is reported any more; their unstarted other tasks are dropped with them. */
  cancel(chunks: readonly number[]): void
  /** As `cancel`, but a task that runs goes on to its end. */
  leave(chunks: readonly number[]): void
  /** Whether results are awaited, so that the program must not end for lack of anything else to do. */
  keepAlive(on: boolean): void
  /** No more chunks: workers end when all is done. */
  close(): void
  /** Ends all workers now. */
  terminate(): Promise<void>
  /** Resolves when all workers have ended, after `close` or `terminate`. */
  join(wait?: WaitOptions): Promise<void>
  stats(): Promise<FleetStats>
}

/** What the client half hears. For each task of a chunk exactly one of `done` and `lost`, in order of index within the chunk. */
export interface FleetEvents {
  /** Outcomes of `count` tasks from index `first` on, as encoded by the worker half (`outcomes.ts`). */
  done(chunk: number, first: number, count: number, outcomes: Uint8Array): void
  /** The worker died with these tasks: one of them was running; of the others nobody knows. `count` is 1 but for tasks of a few microseconds in one chunk. */
  lost(chunk: number, first: number, count: number, loss: WorkerLoss): void
  /** The pool as a whole cannot work (its initializer threw, workers end before they can start): everything outstanding fails with this, as does every later chunk. */
  failed(error: Error): void
}

/** How a worker ended. */
export interface WorkerLoss {
  readonly pid: number
  readonly host: string
  readonly exitCode: number | null
  readonly signal: NodeJS.Signals | null
  readonly reason: ExitReason
  /** The milliseconds that the task was allowed and has exceeded, for which its worker was ended; 0: that is not why. */
  readonly overdue: number
}

/** What a fleet knows of its workers and of the tasks that it was given. */
export interface FleetStats {
  readonly workers: readonly WorkerStats[]
  readonly waiting: number
  readonly running: number
  readonly done: number
  readonly started: number
  readonly lost: number
}

export interface WorkerStats {
  /** `null` while it is being started. */
  readonly pid: number | null
  readonly host: string | null
  /** `leaving`: it begins nothing more. */
  readonly state: 'starting' | 'idle' | 'busy' | 'leaving'
  /** How many tasks have ended in it. */
  readonly tasks: number
}

/** A chunk as a worker gets it. */
export interface Assignment {
  readonly chunk: number
  readonly target: TargetRef
  readonly shape: Shape
  readonly count: number
  readonly payload: Uint8Array
  /** It is to be said when each task starts, and none may share a report. */
  readonly timed: boolean
  /** The first index to run: those before it are settled (a former worker died in this chunk). */
  readonly first: number
}

/** The worker half's way to its fleet; there is one task at a time. */
export interface WorkerPort {
  /** The next chunk to run: at once where one is at hand, else when one comes; `null`: end. The chunk counts as started. */
  next(): Assignment | null | Promise<Assignment | null>
  /**
   * Outcomes of tasks `first … first + count - 1`, handed to the kernel when this returns, so that they outlive this process.
   * `until`: the worker will not start task `until` or a later one of this chunk before it has reported again (what is lost if it
   * dies is `first + count … until - 1`). Called with `count` 0 before the first task, too, where `until > first + 1` or the chunk is timed.
   */
  report(chunk: number, first: number, count: number, outcomes: Uint8Array, until: number): void
  /** Of the running chunk nothing is wanted any more: what has not started need not run. It is reported with the rest, without outcomes. */
  dropped?(): boolean
  /** The worker begins nothing more: what it was given and has not reported goes to others. After this `next` is not called. */
  retire?(): void
  /** The running task waits, or the process ends: a port that gathers reports hands them to the kernel, and says that no chunk but the running one is at risk. */
  settle?(): void
}
