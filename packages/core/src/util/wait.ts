/** Checks and applies `WaitOptions`, the same way for everything that waits. */
import type { WaitOptions } from '../contract/wait.ts'
import { ArgumentError, TimeoutError } from '../errors.ts'

/** Longer than Node's timers can count (2³¹ − 1 ms, 24 days): such a wait has no timer. */
const LONGEST_TIMER = 2 ** 31 - 1

/** @throws ArgumentError on a timeout that is no number or a signal that is none */
export function checkWait(wait: WaitOptions | undefined): WaitOptions {
  if (wait === undefined) return {}
  if (typeof wait !== 'object' || wait === null) {
    throw new ArgumentError(`wait options must be an object like { timeout: 1000 }, got ${typeof wait}`)
  }
  const { timeout, signal } = wait
  if (timeout !== undefined && (typeof timeout !== 'number' || Number.isNaN(timeout))) {
    throw new ArgumentError(
      `timeout must be a number of milliseconds, got ${String(timeout)} (${typeof timeout}); leave it out to wait for ever`,
    )
  }
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new ArgumentError(`signal must be an AbortSignal, got ${typeof signal}`)
  }
  return wait
}

/** Whether the options say "do not wait". */
export function isPoll(wait: WaitOptions | undefined): boolean {
  return wait?.timeout !== undefined && wait.timeout <= 0
}

export function timedOut(what: string, wait: WaitOptions | undefined): TimeoutError {
  return new TimeoutError(`${what} within ${Math.max(0, wait?.timeout ?? 0)} ms`)
}

/**
 * Calls `stop` once with the error when the time runs out or the signal aborts. The returned function ends the watch.
 * The signal must not be aborted yet: that is the caller's first question, before any side effect.
 */
export function watchWait(wait: WaitOptions | undefined, what: string, stop: (error: unknown) => void): () => void {
  const { timeout, signal } = wait ?? {}
  if (timeout === undefined && signal === undefined) return () => undefined
  const onAbort = (): void => {
    end()
    stop(signal?.reason)
  }
  const timer =
    timeout === undefined || timeout > LONGEST_TIMER
      ? undefined
      : setTimeout(
          () => {
            end()
            stop(timedOut(what, wait))
          },
          Math.max(0, timeout),
        )
  signal?.addEventListener('abort', onAbort, { once: true })
  const end = (): void => {
    clearTimeout(timer)
    signal?.removeEventListener('abort', onAbort)
  }
  return end
}

/**
 * Waits for a promise that belongs to nobody in particular, such as "this process has ended": giving up leaves it as it is.
 */
export async function waitFor<T>(promise: Promise<T>, wait: WaitOptions | undefined, what: string): Promise<T> {
  checkWait(wait)
  wait?.signal?.throwIfAborted()
  if (wait?.timeout === undefined && wait?.signal === undefined) return promise
  return new Promise<T>((resolve, reject) => {
    const end = watchWait(wait, what, reject)
    promise.then(
      (value) => {
        end()
        resolve(value)
      },
      (error: unknown) => {
        end()
        reject(error)
      },
    )
  })
}
