/** Checks and applies `WaitOptions`, the same way for everything that waits. */
import type { WaitOptions } from '../contract/wait.ts'
import { ArgumentError, TimeoutError } from '../errors.ts'
import { describe } from './describe.ts'
import { checkOptions } from './options.ts'

/** Longer than Node's timers can count (2³¹ − 1 ms, 24 days): such a wait has no timer. */
const LONGEST_TIMER = 2 ** 31 - 1

/**
 * The options as a copy without prototype, so that a polluted `Object.prototype` never sets one.
 *
 * @param more what the call takes besides
 * @throws ArgumentError on a timeout that is no number, a signal that is none, an unknown option
 */
export function checkWait<T extends WaitOptions>(wait: T | undefined, more: readonly string[] = []): T {
  const own = checkOptions(wait, ['timeout', 'signal', ...more], 'wait options')
  const { timeout, signal } = own
  if (timeout !== undefined && (typeof timeout !== 'number' || Number.isNaN(timeout))) {
    throw new ArgumentError(
      `timeout must be a number of milliseconds, got ${describe(timeout)}; leave it out to wait for ever`,
    )
  }
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new ArgumentError(`signal must be an AbortSignal, got ${describe(signal)}`)
  }
  return own
}

/** Whether the options, checked, say "do not wait". */
export function isPoll(wait: WaitOptions): boolean {
  return wait.timeout !== undefined && wait.timeout <= 0
}

/** @param what what did not happen, as in `lock "a" was not granted` */
export function timedOut(what: string, wait: WaitOptions): TimeoutError {
  return new TimeoutError(`${what} within ${Math.max(0, wait.timeout ?? 0)} ms`)
}

/**
 * Calls `stop` once with the error when the time runs out or the signal aborts. The returned function ends the watch.
 * The options are checked, and the signal is not aborted: those are the caller's first questions, before any side effect.
 */
export function watchWait(wait: WaitOptions, what: string, stop: (error: unknown) => void): () => void {
  const { timeout, signal } = wait
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
  const own = checkWait(wait)
  own.signal?.throwIfAborted()
  if (own.timeout === undefined && own.signal === undefined) return promise
  return new Promise<T>((resolve, reject) => {
    const end = watchWait(own, what, reject)
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
