/**
 * Runs the tasks of one chunk, one at a time, and decides when to report.
 *
 * A report costs microseconds, so tasks that take less share one; a task that takes longer is reported on its own, which makes
 * it known exactly which one killed a worker. The bound between the two is the run-ahead: how many tasks may start before the
 * next report. It follows the measured pace so that at most `RUN_AHEAD` of finished work is unreported, and it is given up
 * when a task really waits: nothing finished stays unreported meanwhile.
 */
import type { Assignment, WorkerPort } from '../contract/fleet.ts'
import type { OutcomeWriter } from './outcomes.ts'
import type { Quota } from './quota.ts'

/** Milliseconds of finished work that may be unreported. */
const RUN_AHEAD = 0.25
/** The first tasks of a target in a worker are reported one by one, however short: in a small map nothing is in doubt. */
const CAREFUL = 32
/** A run-ahead grows by at most this factor from report to report, since the next tasks may be slower than the last. */
const GROWTH = 4
const LONGEST_RUN_AHEAD = 32_768
/** The clock is looked at after each task, or after so many of the shortest, which take less time than the look. */
const LONGEST_STRIDE = 16
const NOTHING: Uint8Array = new Uint8Array(0)

/** A resolved target, with what was learned about its pace. */
export interface PacedTarget {
  readonly call: (...args: unknown[]) => unknown
  /** How many of its tasks fit into `RUN_AHEAD`. */
  runAhead: number
  /** How many of its tasks may run between two looks at the clock. */
  stride: number
  /** How many of its tasks have ended here. */
  ended: number
}

export class ChunkRun {
  readonly #port: WorkerPort
  readonly #assignment: Assignment
  readonly #target: PacedTarget
  /** Items of a map; arguments of an apply, or of each task of a starmap. */
  readonly #input: readonly unknown[]
  readonly #outcomes: OutcomeWriter
  /** `null`: the worker may run as many tasks as come. */
  readonly #quota: Quota | null
  /** No two tasks share a report. */
  readonly #alone: boolean
  /** The task that runs or is next. */
  #next: number
  /** Tasks from here on are left to another worker. */
  #end: number
  /** Tasks below are reported. */
  #reported: number
  /** No task from here on starts before another report. */
  #until: number
  /** When the first unreported task started, and when the last one ended; as of `performance.now()`. */
  #zoneStart = 0
  #clock = 0
  /** Tasks that have ended since the last look at the clock. */
  #unseen = 0
  /** The running task waits for something outside of this turn of the event loop. */
  #waits = false

  /** @param outcomes an empty writer; @param quota not spent */
  constructor(
    port: WorkerPort,
    assignment: Assignment,
    target: PacedTarget,
    input: readonly unknown[],
    outcomes: OutcomeWriter,
    quota: Quota | null,
  ) {
    this.#port = port
    this.#assignment = assignment
    this.#target = target
    this.#input = input
    this.#outcomes = outcomes
    this.#quota = quota
    this.#next = this.#reported = assignment.first
    this.#until = this.#next + 1
    const { count, timed } = assignment
    this.#end = quota === null ? count : Math.min(count, this.#next + quota.tasks)
    this.#alone = timed || quota?.watchesMemory === true
    if (timed) port.report(assignment.chunk, this.#next, 0, NOTHING, this.#until)
    else if (!this.#alone && this.#end - this.#next > 1 && target.runAhead > 1) {
      this.#until = Math.min(this.#end, this.#next + target.runAhead)
      port.report(assignment.chunk, this.#next, 0, NOTHING, this.#until)
      outcomes.expect(this.#until - this.#next)
    } else if (count > 1) port.settle?.()
  }

  get done(): boolean {
    return this.#next === this.#end
  }

  /**
   * Starts tasks until one returns a promise, which the caller awaits and hands to `fulfilled` or `rejected` before it goes on.
   * `null`: all are done, or the deadline (as of `performance.now()`) has passed and nothing is unreported.
   */
  advance(deadline: number): PromiseLike<unknown> | null {
    if (this.#port.dropped?.() === true) this.#passOver()
    const { shape } = this.#assignment
    const { call } = this.#target
    if (this.#next === this.#reported) this.#zoneStart = performance.now()
    while (this.#next < this.#end) {
      if (this.#clock >= deadline && this.#next === this.#reported) return null
      let value: unknown
      try {
        if (shape === 'map') value = call(this.#input[this.#next])
        else value = call(...(shape === 'apply' ? this.#input : (this.#input[this.#next] as unknown[])))
        if (isThenable(value)) return value
      } catch (error) {
        this.rejected(error)
        continue
      }
      this.fulfilled(value)
    }
    return null
  }

  fulfilled(value: unknown): void {
    this.#outcomes.fulfilled(value, this.#next + 1 === this.#until)
    this.#ended()
  }

  rejected(error: unknown): void {
    this.#outcomes.rejected(error)
    this.#ended()
  }

  /** The running task waits, or the process ends in it: what is finished is told, and no other task is at risk with it. */
  settleUp(): void {
    this.#waits = true
    if (this.done) return
    if (this.#outcomes.count > 0 || this.#until !== this.#next + 1) this.#report(this.#next + 1)
    // Chunks of one task end without anything left here, but their reports may still lie in the port.
    this.#port.settle?.()
  }

  /** Nobody wants the rest. */
  #passOver(): void {
    const { chunk, count } = this.#assignment
    this.#quota?.used(this.#outcomes.count)
    this.#outcomes.take()
    this.#port.report(chunk, this.#reported, count - this.#reported, NOTHING, count)
    this.#next = this.#reported = this.#end = count
  }

  #ended(): void {
    this.#next += 1
    this.#unseen += 1
    if (this.#unseen >= this.#target.stride || this.#next === this.#until) this.#look()
  }

  #look(): void {
    const now = performance.now()
    const took = (now - Math.max(this.#clock, this.#zoneStart)) / this.#unseen
    this.#clock = now
    this.#unseen = 0
    const elapsed = now - this.#zoneStart
    if (this.#next < this.#until && elapsed < RUN_AHEAD) return
    this.#learn(elapsed, took)
    if (this.#quota?.exceeded() === true) this.#end = this.#next
    this.#report(Math.min(this.#end, this.#next + (this.#alone ? 1 : this.#target.runAhead)))
    if (!this.done) this.#zoneStart = performance.now()
  }

  /** @param elapsed milliseconds for all unreported tasks; @param took for the last of them, which may be the first of slow ones */
  #learn(elapsed: number, took: number): void {
    const target = this.#target
    const ran = this.#next - this.#reported
    const fitting = Math.floor(Math.min((RUN_AHEAD * ran) / elapsed, RUN_AHEAD / took))
    // Who waited will wait again, and a report in mid-task would have to take the run-ahead back.
    const alone = this.#waits || target.ended < CAREFUL || fitting < 1
    target.runAhead = alone ? 1 : Math.min(fitting, ran * GROWTH, LONGEST_RUN_AHEAD)
    target.stride = Math.max(1, Math.min(LONGEST_STRIDE, target.runAhead >> 3))
    target.ended += ran
    this.#waits = false
  }

  #report(until: number): void {
    const { chunk } = this.#assignment
    const { count } = this.#outcomes
    const first = this.#reported
    this.#until = until
    this.#reported += count
    this.#quota?.used(count)
    this.#port.report(chunk, first, count, count === 0 ? NOTHING : this.#outcomes.take(), until)
    this.#outcomes.expect(until - this.#next)
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    ((typeof value === 'object' && value !== null) || typeof value === 'function') &&
    'then' in value &&
    typeof value.then === 'function'
  )
}
