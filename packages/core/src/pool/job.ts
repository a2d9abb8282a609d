/** What a caller waits for: one task, or all tasks of a map. It settles once; what comes later is ignored. */
import type { TaskTerms } from '../contract/fleet.ts'
import type { TargetRef } from '../contract/target.ts'
import type { OutcomeSink } from './outcomes.ts'

/** A target with its number in the fleet. */
export interface KnownTarget {
  readonly id: number
  readonly ref: TargetRef
  /** Whether the fleet was told. */
  told: boolean
}

/** What is run, and how. */
export interface Order {
  readonly target: KnownTarget
  /** How often each task is run again after its worker died. */
  readonly retries: number
  readonly terms: TaskTerms | null
}

export interface Job extends OutcomeSink {
  readonly order: Order
  /** Ids of the chunks that were submitted for it, those at least that are outstanding. */
  readonly chunks: Iterable<number>
  submitted(chunk: number): void
  /** All of the chunk is settled. */
  left?(chunk: number): void
  /** Called once, when it settles. */
  onSettled: (() => void) | null
  /** Rejects it as a whole. */
  abandon(error: unknown): void
}

/** Whoever waits for a job as a whole. Is told once. */
export interface Receiver<R> {
  resolve(value: R): void
  reject(error: unknown): void
}

/** One task whose result is a plain promise. */
export class TaskJob implements Job {
  readonly order: Order
  onSettled: (() => void) | null = null
  #chunk = 0
  readonly #receiver: Receiver<unknown>

  constructor(order: Order, receiver: Receiver<unknown>) {
    this.order = order
    this.#receiver = receiver
  }

  get chunks(): Iterable<number> {
    return [this.#chunk]
  }

  submitted(chunk: number): void {
    this.#chunk = chunk
  }

  fulfilled(_index: number, value: unknown): void {
    this.onSettled?.()
    this.#receiver.resolve(value)
  }

  rejected(_index: number, error: unknown): void {
    this.abandon(error)
  }

  abandon(error: unknown): void {
    this.onSettled?.()
    this.#receiver.reject(error)
  }
}
