/** A place where a number of parties wait for each other, round after round. */
import type { Handle } from './handle.ts'
import type { Target } from './target.ts'
import type { WaitOptions } from './wait.ts'

export interface BarrierOptions {
  readonly name?: string | undefined
  /**
   * Runs once a round, when all parties are there and before any of them goes on: in the process of the last one to arrive whose handle
   * has it. An exported function, as a process's target is, since it travels with the handle; `bind` gives it arguments. If it throws, that party
   * rejects with its error, and the barrier is broken for the others.
   */
  readonly action?: Target<[], unknown> | undefined
}

/**
 * A round begins when the one before is over, and is over when all parties have arrived. A party that dies, runs out of time or is aborted while
 * it waits breaks the barrier, and so does the death of the one that runs the action: then `wait()` rejects with `BrokenBarrierError`, at
 * once and for everybody, until `reset()`. The algorithm is that of CPython's `threading.Barrier`.
 */
export interface Barrier extends Handle {
  /** How many wait for each other. */
  readonly parties: number
  /**
   * Waits for the others. Running out of time, with `timeout: 0`, too, or an abort breaks the barrier; aborted before the call, nothing has
   * happened.
   *
   * @returns this party's number in the round, in the order of arrival: 0 … parties − 1, each once
   * @throws BrokenBarrierError if it is broken, or breaks or is reset while this one waits; the message says by whom
   */
  wait(wait?: WaitOptions): Promise<number>
  /** Breaks it, for those who wait and those who come. Broken already: no-op. */
  abort(): Promise<void>
  /** Makes it as new. Who waits rejects with `BrokenBarrierError`. */
  reset(): Promise<void>
  broken(): Promise<boolean>
  /** How many wait now. */
  waiting(): Promise<number>
}
