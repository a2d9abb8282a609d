/** Ends workers that had nothing to do for a while. */
import { Alarm } from '../../util/alarm.ts'
import { monotonic } from '../../util/clock.ts'

/** As much of a worker as it takes. */
export interface Idler {
  readonly idle: boolean
}

export class IdleWatch<W extends Idler> {
  readonly #timeout: number
  readonly #dismiss: (worker: W) => void
  /** Since when each has been idle, on the monotonic clock in ms. */
  readonly #since = new Map<W, number>()
  readonly #alarm = new Alarm(() => this.#due())

  /** @param timeout in ms */
  constructor(timeout: number, dismiss: (worker: W) => void) {
    this.#timeout = timeout
    this.#dismiss = dismiss
  }

  /** Whatever there is to do has been given out. @param workers those that have not ended */
  look(workers: ReadonlySet<W>): void {
    for (const worker of this.#since.keys()) if (!workers.has(worker) || !worker.idle) this.#since.delete(worker)
    for (const worker of workers) if (worker.idle && !this.#since.has(worker)) this.#since.set(worker, monotonic())
    this.#set()
  }

  stop(): void {
    this.#since.clear()
    this.#alarm.stop()
  }

  #due(): void {
    const late = monotonic() - this.#timeout
    for (const [worker, since] of this.#since) {
      if (since > late) continue
      this.#since.delete(worker)
      this.#dismiss(worker)
    }
    this.#set()
  }

  /** In a map the first has been idle for the longest time. */
  #set(): void {
    const [first] = this.#since.values()
    this.#alarm.set(first === undefined ? null : first + this.#timeout)
  }
}
