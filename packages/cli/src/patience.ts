/** Waiting for a server that is not there yet, as where a machine starts its services in any order. */
import { setTimeout } from 'node:timers/promises'
import { ConnectionError } from '@skein/core'

/** Milliseconds between two tries, and so between two lines; a try itself takes no longer. */
const BETWEEN = 5_000

/** @throws what does not mend by itself, such as a wrong password */
export async function untilThere<R>(attempt: () => Promise<R>): Promise<R> {
  for (;;) {
    const since = performance.now()
    try {
      return await attempt()
    } catch (error) {
      if (!(error instanceof ConnectionError && error.retryable)) throw error
      process.stderr.write(`skein: not yet, tried again every ${BETWEEN / 1_000} s: ${error.message}\n`)
    }
    await setTimeout(Math.max(0, since + BETWEEN - performance.now()))
  }
}
