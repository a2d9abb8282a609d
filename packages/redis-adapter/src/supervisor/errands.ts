/** What must be done in Redis though nobody waits for it: tried again until it is answered. */
import { CapacityError, ClosedError, ConflictError, ConnectionError } from '@skein/core'
import { reportDefect } from '@skein/core/adapter'

type Errand = () => Promise<unknown>

/** Milliseconds until the next try, unless a reconnect comes first: a server may refuse for a while on a sound connection, too. */
const RETRY = 1_000

interface Try {
  /** The end of the others concerns it. */
  readonly ends: boolean
  failed: boolean
}

export class Errands {
  /** Those without an answer, each with its last try, in the order of asking. */
  readonly #open = new Map<Errand, Try>()
  #timer: NodeJS.Timeout | undefined
  #over = false

  /** @param errand a command that may be sent twice */
  run(errand: Errand): void {
    this.#try(errand, true)
  }

  /** As `run`, and also after `end`: until it is answered, or the connection is closed for good. */
  insist(errand: Errand): void {
    this.#try(errand, false)
  }

  /** The connection is there again. */
  again(): void {
    for (const [errand, { ends, failed }] of this.#open) if (failed) this.#try(errand, ends)
  }

  /**
   * The program has another session. What was under way is given up by now, though word of that comes later only: it must be sent again before
   * what takes back all that the session before had.
   */
  anew(): void {
    for (const [errand, { ends }] of this.#open) this.#try(errand, ends)
  }

  /** What is not done by now never will be, but for what is insisted on. */
  end(): void {
    this.#over = true
    for (const [errand, { ends, failed }] of this.#open) if (ends && failed) this.#open.delete(errand)
  }

  #try(errand: Errand, ends: boolean): void {
    const last: Try = { ends, failed: false }
    this.#open.set(errand, last)
    errand().then(
      () => this.#open.delete(errand),
      (error: unknown) => {
        // Else it was tried again since.
        if (this.#open.get(errand) === last) this.#failed(errand, last, error)
      },
    )
  }

  #failed(errand: Errand, last: Try, error: unknown): void {
    // Nobody can be told that the store is full; it may have room again.
    const passes = error instanceof ConnectionError || error instanceof CapacityError
    if (passes && !(last.ends && this.#over)) {
      last.failed = true
      this.#arm()
      return
    }
    this.#open.delete(errand)
    // With the connection closed, the session that it spoke for is over, too; and of what others have written over a key its users are told.
    if (!(passes || error instanceof ClosedError || error instanceof ConflictError))
      reportDefect('a command that nobody waits for', error)
  }

  #arm(): void {
    if (this.#timer !== undefined) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.again()
    }, RETRY)
    this.#timer.unref()
  }
}
