/** What must be done in Redis though nobody waits for it: tried again until it is answered. */
import { ClosedError, ConflictError, ConnectionError } from '@skein/core'
import { reportDefect } from '@skein/core/adapter'

type Errand = () => Promise<unknown>

/** Milliseconds until the next try, unless a reconnect comes first: a server may refuse for a while on a sound connection, too. */
const RETRY = 1_000

export class Errands {
  /** Failed, with whether the end of the others concerns them. */
  readonly #open = new Map<Errand, boolean>()
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
    for (const [errand, ends] of this.#open) {
      this.#open.delete(errand)
      this.#try(errand, ends)
    }
  }

  /** What is not done by now never will be, but for what is insisted on. */
  end(): void {
    this.#over = true
    for (const [errand, ends] of this.#open) if (ends) this.#open.delete(errand)
  }

  #try(errand: Errand, ends: boolean): void {
    errand().catch((error: unknown) => {
      if (error instanceof ConnectionError) this.#keep(errand, ends)
      // With the connection closed, the session that it spoke for is over, too; and of what others have written over a key its users are told.
      else if (!(error instanceof ClosedError || error instanceof ConflictError))
        reportDefect('a command that nobody waits for', error)
    })
  }

  #keep(errand: Errand, ends: boolean): void {
    if (ends && this.#over) return
    this.#open.set(errand, ends)
    if (this.#timer !== undefined) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.again()
    }, RETRY)
    this.#timer.unref()
  }
}
