/**
 * Watches the signals of jobs with one listener for each signal, not one for each job: thousands of tasks may share a signal,
 * and Node warns of the eleventh listener.
 */
import type { Job } from './job.ts'

export class AbortWatch {
  readonly #abandon: (job: Job, reason: unknown) => void
  readonly #jobs = new Map<AbortSignal, Set<Job>>()

  /** @param abandon called for each job of a signal that aborts */
  constructor(abandon: (job: Job, reason: unknown) => void) {
    this.#abandon = abandon
  }

  /** Watches until the job settles. The signal must not be aborted yet. */
  add(signal: AbortSignal, job: Job): void {
    let jobs = this.#jobs.get(signal)
    if (jobs === undefined) {
      jobs = new Set()
      this.#jobs.set(signal, jobs)
      signal.addEventListener('abort', this.#onAbort, { once: true })
    }
    jobs.add(job)
    job.onSettled = () => this.#remove(signal, job)
  }

  readonly #onAbort = (event: Event): void => {
    const signal = event.target
    if (!(signal instanceof AbortSignal)) return
    for (const job of this.#jobs.get(signal) ?? []) this.#abandon(job, signal.reason)
  }

  #remove(signal: AbortSignal, job: Job): void {
    const jobs = this.#jobs.get(signal)
    if (jobs?.delete(job) !== true || jobs.size > 0) return
    this.#jobs.delete(signal)
    signal.removeEventListener('abort', this.#onAbort)
  }
}
