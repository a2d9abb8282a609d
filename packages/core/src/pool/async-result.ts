/** The result of an `…Async` call: it can be asked, waited for any number of times, and left alone. */
import type { AsyncResult, Callbacks } from '../contract/pool.ts'
import type { WaitOptions } from '../contract/wait.ts'
import { StateError, TimeoutError } from '../errors.ts'
import { deferred, type Deferred } from '../util/deferred.ts'
import { isPoll, timedOut, waitFor } from '../util/wait.ts'
import type { Job, Receiver } from './job.ts'
import { checkPoolWait } from './arguments.ts'

type Outcome<R> = { readonly ok: true; readonly value: R } | { readonly ok: false; readonly error: unknown }

export class PendingResult<R> implements AsyncResult<R>, Receiver<R> {
  readonly #callback: Callbacks<R>['callback']
  readonly #errorCallback: Callbacks<R>['errorCallback']
  readonly #giveUp: (job: Job) => void
  #job: Job | null = null
  /** The task has ended, though a callback may still be running. */
  #ended = false
  #outcome: Outcome<R> | null = null
  /** Only resolves, and exists only if somebody waits: a result that nobody asks for cannot become an unhandled rejection. */
  #settled: Deferred<void> | null = null

  /** @param giveUp ends a job's tasks and abandons it */
  constructor({ callback, errorCallback }: Callbacks<R>, giveUp: (job: Job) => void) {
    this.#callback = callback
    this.#errorCallback = errorCallback
    this.#giveUp = giveUp
  }

  /** The job that this is the receiver of. */
  set job(job: Job) {
    this.#job = job
  }

  async get(wait?: WaitOptions): Promise<R> {
    const checked = checkPoolWait(wait, 'get()')
    checked.signal?.throwIfAborted()
    if (this.#outcome === null) {
      const what = `the result${this.#of()} was not there`
      if (isPoll(checked)) throw timedOut(what, checked)
      await waitFor(this.#whenSettled(), checked, what)
    }
    return this.#read()
  }

  async wait(wait?: WaitOptions): Promise<boolean> {
    const checked = checkPoolWait(wait, 'wait()')
    checked.signal?.throwIfAborted()
    if (this.#outcome !== null || isPoll(checked)) return this.#outcome !== null
    try {
      await waitFor(this.#whenSettled(), checked, `the result${this.#of()} was not there`)
    } catch (error) {
      // The reason of an abort may be a TimeoutError as well.
      if (error instanceof TimeoutError && error !== checked.signal?.reason) return false
      throw error
    }
    return true
  }

  ready(): boolean {
    return this.#outcome !== null
  }

  successful(): boolean {
    if (this.#outcome === null) {
      throw new StateError('successful() was called before the result was there; ask ready() or await wait() first')
    }
    return this.#outcome.ok
  }

  async cancel(): Promise<boolean> {
    if (this.#ended || this.#job === null) return false
    this.#giveUp(this.#job)
    return true
  }

  then<A = R, B = never>(
    onFulfilled?: ((value: R) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.get().then(onFulfilled, onRejected)
  }

  resolve(value: R): void {
    this.#end({ ok: true, value }, () => this.#callback?.(value))
  }

  reject(error: unknown): void {
    this.#end({ ok: false, error }, () => this.#errorCallback?.(error))
  }

  #end(outcome: Outcome<R>, callback: () => unknown): void {
    if (this.#ended) return
    this.#ended = true
    try {
      const returned = callback()
      if (!(returned instanceof Promise)) this.#settle(outcome)
      else {
        // An asynchronous callback counts with what it does later: its rejection, too, is thrown by get().
        returned.then(
          () => this.#settle(outcome),
          (error: unknown) => this.#settle({ ok: false, error }),
        )
      }
    } catch (error) {
      this.#settle({ ok: false, error })
    }
  }

  #settle(outcome: Outcome<R>): void {
    this.#outcome = outcome
    this.#settled?.resolve()
  }

  #whenSettled(): Promise<void> {
    this.#settled ??= deferred()
    return this.#settled.promise
  }

  /** For messages. */
  #of(): string {
    const ref = this.#job?.order.target.ref
    return ref === undefined ? '' : ` of ${ref.module}#${ref.export}`
  }

  #read(): R {
    if (this.#outcome === null) throw new StateError('the result is not there')
    if (this.#outcome.ok) return this.#outcome.value
    throw this.#outcome.error
  }
}
