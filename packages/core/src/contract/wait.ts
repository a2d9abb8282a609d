/** The one shape of waiting: whatever can wait takes these options last. */

/**
 * @property timeout milliseconds; absent or `Infinity`: for ever; `<= 0`: do not wait.
 *   A wait that runs out rejects with `TimeoutError`.
 * @property signal an abort rejects with `signal.reason`; aborted before the call, nothing has happened.
 *
 * Neither leaves a trace: no place in a queue of waiters, no permit, no item.
 */
export interface WaitOptions {
  readonly timeout?: number | undefined
  readonly signal?: AbortSignal | undefined
}
