/** What a caller waits for: one task, or all tasks of a map. It settles once; what comes later is ignored. */
import type { TargetRef } from '../contract/target.ts'
import type { OutcomeSink } from './outcomes.ts'

/** A target with its number in the fleet. */
export interface KnownTarget {
  readonly id: number
  readonly ref: TargetRef
  /** Whether the fleet was told. */
  told: boolean
}

export interface Job extends OutcomeSink {
  readonly target: KnownTarget
  /** How often each of its tasks is run again after its worker died. */
  readonly retries: number
  /** Ids of the chunks that were submitted for it, those at least that are outstanding. */
  readonly chunks: Iterable<number>
  submitted(chunk: number): void
  /** Called once, when it settles. */
  onSettled: (() => void) | null
  /** Rejects it as a whole. */
  abandon(error: unknown): void
}

/** One task whose result is a plain promise. */
export class TaskJob implements Job {
  readonly target: KnownTarget
  readonly retries: number
  onSettled: (() => void) | null = null
  #chunk = 0
  readonly #resolve: (value: unknown) => void
  readonly #reject: (error: unknown) => void

  constructor(
    target: KnownTarget,
    retries: number,
    resolve: (value: unknown) => void,
    reject: (error: unknown) => void,
  ) {
    this.target = target
    this.retries = retries
    this.#resolve = resolve
    this.#reject = reject
  }

  get chunks(): Iterable<number> {
    return [this.#chunk]
  }

  submitted(chunk: number): void {
    this.#chunk = chunk
  }

  fulfilled(_index: number, value: unknown): void {
    this.onSettled?.()
    this.#resolve(value)
  }

  rejected(_index: number, error: unknown): void {
    this.abandon(error)
  }

  abandon(error: unknown): void {
    this.onSettled?.()
    this.#reject(error)
  }
}
