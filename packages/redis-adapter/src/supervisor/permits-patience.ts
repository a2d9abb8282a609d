/** How long requests wait for a store that cannot be reached, or for a session of this program. */
import { ConnectionError } from '@skein/core'
import { monotonic } from '@skein/core/adapter'
import type { ProgramSession } from './surround.ts'

export interface Patient {
  readonly poll: boolean
  /** When it was made, on the clock of `performance`. */
  readonly since: number
}

/** Milliseconds that a request which is not to wait waits for a session. */
const POLL_LIMIT = 5_000

/**
 * Milliseconds until something may be asked for. Between a loss and a rebirth of the session nobody knows (`Infinity`), and whatever were
 * asked would be lost at once.
 */
export function delayOf({ confirmedUntil, grantsFrom }: ProgramSession): number {
  return confirmedUntil.wall > Date.now() ? grantsFrom - monotonic() : Number.POSITIVE_INFINITY
}

export class Patience {
  readonly #outage: number
  #outSince: number | null = null

  /** @param outage milliseconds that the others wait for a connection */
  constructor(outage: number) {
    this.#outage = outage
  }

  /** The store has answered. */
  reached(): void {
    this.#outSince = null
  }

  /** The store is away. Why no request is to wait any longer, if so. */
  away(label: string): ConnectionError | null {
    const now = performance.now()
    this.#outSince ??= now
    if (now - this.#outSince < this.#outage) return null
    const why = `Redis has not been reachable for ${this.#outage} ms; connect() with a longer outage to wait on`
    return new ConnectionError(`${label} was not granted: ${why}`, { retryable: true })
  }

  /** There is no session. Why this request is not to wait any longer, if so. */
  without(label: string, { poll, since }: Patient): ConnectionError | null {
    if (!poll || performance.now() - since < POLL_LIMIT) return null
    const why = `this program has had no session for ${POLL_LIMIT} ms`
    return new ConnectionError(`${label} was not granted: ${why}`, { retryable: true })
  }
}
