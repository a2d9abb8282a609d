/**
 * Ends the workers that run cancelled chunks, or a task that has exceeded its time, and only those. What the broker knows of a worker
 * is always a little old: the chunk may have ended long ago, and somebody else's be running. So a worker is stopped, what it had written is
 * read, and then it is either killed or let go on: between the look and the kill it cannot begin anything.
 */
import { monotonic } from '../../util/clock.ts'

/** Milliseconds between two looks at a worker that has chunks of microseconds ahead of it, one of them cancelled. */
const AGAIN = 1
/**
 * Milliseconds without a report after which such a worker does not run microseconds but hangs in one of these chunks. It is
 * killed with all of them: the others have ended with their results in its memory, or would never start.
 */
const PATIENCE = 1_000

/** As much of a worker as it takes. */
export interface Watched {
  readonly pid: number
  readonly child: { readonly here: boolean; kill(): void } | null
  /** What it may run, of which at least one runs. */
  readonly atRisk: readonly { readonly cancelled: boolean }[]
  readonly hasCancelled: boolean
  /** When it last reported, on the monotonic clock in ms. */
  readonly heard: number
  /** It has, or had a moment ago, a cancelled chunk. */
  suspect: boolean
  /** What it runs has exceeded its time. */
  readonly overdue: boolean
  /** It is about to be killed for that. */
  condemn(): void
}

export class EndWatch<W extends Watched> {
  readonly #alive: (worker: W) => boolean
  readonly #watched = new Set<W>()

  constructor(alive: (worker: W) => boolean) {
    this.#alive = alive
  }

  /** Sees to it that the worker does not go on with a cancelled chunk, or with a task past its time. */
  watch(worker: W): void {
    // One that runs elsewhere is watched there: only its own machine can stop it and look.
    if (this.#watched.has(worker) || worker.child?.here === false) return
    this.#watched.add(worker)
    afterReading(() => this.#look(worker))
  }

  #look(worker: W): void {
    const verdict = this.#verdict(worker)
    if (verdict === 'spare') this.#leave(worker)
    else if (verdict === 'wait') setTimeout(() => this.#look(worker), AGAIN)
    else if (signal(worker, 'SIGSTOP')) afterReading(() => this.#lookAgain(worker))
    else this.#leave(worker)
  }

  /** The worker is stopped, and all that it wrote has been read. */
  #lookAgain(worker: W): void {
    if (this.#verdict(worker) === 'kill') {
      if (worker.overdue) worker.condemn()
      worker.child?.kill()
      this.#leave(worker)
    } else {
      if (this.#alive(worker)) signal(worker, 'SIGCONT')
      this.#look(worker)
    }
  }

  #verdict(worker: W): 'kill' | 'wait' | 'spare' {
    if (!this.#alive(worker)) return 'spare'
    if (worker.overdue) return 'kill'
    const atRisk = worker.atRisk
    if (!atRisk.some((chunk) => chunk.cancelled)) return 'spare'
    if (atRisk.every((chunk) => chunk.cancelled)) return 'kill'
    return monotonic() - worker.heard > PATIENCE ? 'kill' : 'wait'
  }

  #leave(worker: W): void {
    this.#watched.delete(worker)
    worker.suspect = worker.hasCancelled
  }
}

/** Two turns of the event loop read what lay in the sockets. */
function afterReading(then: () => void): void {
  setImmediate(() => setImmediate(then))
}

/** `false`: it has ended meanwhile. */
function signal({ pid }: Watched, name: 'SIGSTOP' | 'SIGCONT'): boolean {
  try {
    return process.kill(pid, name)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false
    throw error
  }
}
