/** Gathers the results of a map in the order of its items; all of them run before the first error by index counts. */
import type { Job, Order, Receiver } from './job.ts'
import type { ProgressReport } from './progress.ts'

export class MapJob implements Job {
  readonly order: Order
  readonly chunks: number[] = []
  onSettled: (() => void) | null = null
  /** Made when the first result is there: a large one takes a while, in which workers can run. */
  #results: unknown[] | null = null
  readonly #count: number
  #left: number
  #firstError: { readonly index: number; readonly error: unknown } | null = null
  readonly #receiver: Receiver<unknown[]>
  readonly #progress: ProgressReport | null
  #over = false

  /** @param count number of items, 1 or more */
  constructor(order: Order, count: number, receiver: Receiver<unknown[]>, progress: ProgressReport | null) {
    this.order = order
    this.#progress = progress
    this.#count = count
    this.#left = count
    this.#receiver = receiver
  }

  fulfilled(index: number, value: unknown): void {
    this.#all[index] = value
    this.#settled(1)
  }

  fulfilledMany(first: number, values: readonly unknown[]): void {
    copyTo(this.#all, first, values)
    this.#settled(values.length)
  }

  rejected(index: number, error: unknown): void {
    if (this.#firstError === null || index < this.#firstError.index) this.#firstError = { index, error }
    this.#settled(1)
  }

  submitted(chunk: number): void {
    this.chunks.push(chunk)
  }

  abandon(error: unknown): void {
    if (this.#over) return
    this.#over = true
    this.onSettled?.()
    this.#receiver.reject(error)
  }

  get #all(): unknown[] {
    return (this.#results ??= new Array<unknown>(this.#count))
  }

  #settled(count: number): void {
    // What is read of a report after the job was given up.
    if (this.#over) return
    this.#left -= count
    this.#progress?.(this, this.#count - this.#left, this.#count)
    if (this.#left > 0 || this.#over) return
    this.#over = true
    this.onSettled?.()
    if (this.#firstError === null) this.#receiver.resolve(this.#all)
    else this.#receiver.reject(this.#firstError.error)
  }
}

/** By itself, so that the loop stays compiled: what settles is another function with each map, for which V8 would give up all around it. */
function copyTo(results: unknown[], first: number, values: readonly unknown[]): void {
  for (let at = 0; at < values.length; at += 1) results[first + at] = values[at]
}
