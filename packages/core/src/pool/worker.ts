/**
 * The worker half of every pool: takes chunks from its fleet, runs their tasks one at a time and reports. It knows no transport
 * and starts no process; `chunk-run.ts` says when to report.
 */
import type { TargetRef } from '../contract/target.ts'
import { ProtocolError } from '../errors.ts'
import { ChunkRun, type PacedTarget } from './chunk-run.ts'
import { DrainWatch } from './drain-watch.ts'
import type { Assignment, WorkerLimits, WorkerPort } from '../contract/fleet.ts'
import { type OutcomeCodec, OutcomeWriter } from './outcomes.ts'
import { Quota } from './quota.ts'

/** Milliseconds after which tasks that never wait let the event loop turn, for timers, signals and sockets. */
const LONGEST_TURN = 10

export interface WorkerDeps extends OutcomeCodec {
  resolveTarget(ref: TargetRef): Promise<(...args: unknown[]) => unknown>
  decode(bytes: Uint8Array): unknown
  /** After what it retires; not given: never. */
  readonly limits?: WorkerLimits | null
  /**
   * Is given what reports, synchronously, all that is finished. To be called from the process's `exit` event, so that of tasks
   * that share a report only the running one is lost when it calls `process.exit()` or throws where nobody catches.
   */
  atExit?(settleUp: () => void): void
}

/** Runs tasks until the port says that there are no more, or its limits are reached. Rejects only if the port fails. */
export function runWorker(port: WorkerPort, deps: WorkerDeps): Promise<void> {
  return new Worker(port, deps).run()
}

class Worker {
  readonly #port: WorkerPort
  readonly #deps: WorkerDeps
  readonly #outcomes: OutcomeWriter
  readonly #targets = new WeakMap<TargetRef, PacedTarget>()
  readonly #drain: DrainWatch
  readonly #quota: Quota | null
  #current: ChunkRun | null = null
  /** When the event loop is to turn, as of `performance.now()`. */
  #deadline = 0

  constructor(port: WorkerPort, deps: WorkerDeps) {
    this.#port = port
    this.#deps = deps
    this.#outcomes = new OutcomeWriter(deps)
    this.#quota = deps.limits == null ? null : new Quota(deps.limits)
    const settleUp = (): void => this.#current?.settleUp()
    this.#drain = new DrainWatch(settleUp)
    deps.atExit?.(settleUp)
  }

  async run(): Promise<void> {
    this.#turned()
    for (;;) {
      let assignment = this.#port.next()
      // No `await` where a chunk is at hand: a turn of the microtask queue costs as much as a small task.
      if (assignment instanceof Promise) {
        assignment = await assignment
        this.#turned()
      }
      if (assignment === null) return
      const rest = this.#run(assignment)
      if (rest !== null) await rest
      if (this.#quota?.spent === true) {
        this.#port.retire?.()
        return
      }
      if (performance.now() >= this.#deadline) await this.#turn()
    }
  }

  /** Runs as much of a chunk as goes without waiting. `null`: all of it. */
  #run(assignment: Assignment): Promise<void> | null {
    const target = this.#targets.get(assignment.target)
    if (target === undefined) return this.#resolve(assignment)
    const run = this.#begin(assignment, target)
    if (run === null) return null
    this.#current = run
    const pending = run.advance(this.#deadline)
    if (!run.done) return this.#goOn(run, pending)
    this.#current = null
    return null
  }

  async #goOn(run: ChunkRun, first: PromiseLike<unknown> | null): Promise<void> {
    let pending = first
    while (!run.done) {
      if (pending === null) await this.#turn()
      else await this.#settle(run, pending)
      pending = run.advance(this.#deadline)
    }
    this.#current = null
  }

  async #settle(run: ChunkRun, pending: PromiseLike<unknown>): Promise<void> {
    let value: unknown
    let failed = false
    this.#drain.arm()
    try {
      value = await pending
    } catch (error) {
      value = error
      failed = true
    }
    this.#drain.disarm()
    if (this.#drain.waited) this.#turned()
    if (failed) run.rejected(value)
    else run.fulfilled(value)
  }

  async #resolve(assignment: Assignment): Promise<void> {
    try {
      const call = await this.#deps.resolveTarget(assignment.target)
      this.#targets.set(assignment.target, { call, runAhead: 1, stride: 1, ended: 0 })
    } catch (error) {
      // Not kept: what is missing now may be there for a later chunk.
      this.#reject(assignment, error)
      return
    }
    this.#turned()
    await this.#run(assignment)
  }

  /** `null`: the chunk cannot be read, and its tasks were told so. */
  #begin(assignment: Assignment, target: PacedTarget): ChunkRun | null {
    const { shape, count, payload } = assignment
    let input: unknown
    try {
      input = this.#deps.decode(payload)
    } catch (error) {
      this.#reject(assignment, error)
      return null
    }
    if (Array.isArray(input) && (shape === 'apply' || input.length === count)) {
      return new ChunkRun(this.#port, assignment, target, input, this.#outcomes, this.#quota)
    }
    const mend = 'do all processes run the same version?'
    this.#reject(assignment, new ProtocolError(`a pool sent a chunk of ${count} tasks that cannot be read; ${mend}`))
    return null
  }

  #reject({ chunk, first, count }: Assignment, error: unknown): void {
    this.#outcomes.rejected(error, count - first)
    this.#port.report(chunk, first, count - first, this.#outcomes.take(), count)
  }

  async #turn(): Promise<void> {
    await new Promise((resume) => {
      setImmediate(resume)
    })
    this.#turned()
  }

  #turned(): void {
    this.#deadline = performance.now() + LONGEST_TURN
  }
}
