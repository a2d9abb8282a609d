/** What this process has asked the broker and has no answer to yet: who waits for it, and what becomes of it when they give up. */
import type { WaitOptions } from '../contract/wait.ts'
import type { SkeinError } from '../errors.ts'
import { watchWait } from '../util/wait.ts'
import { type Frame, op } from '../wire/frame.ts'

export interface CallOptions {
  /** Checked. */
  readonly wait?: WaitOptions | undefined
  /** For the message of a `TimeoutError`: what did not happen. */
  readonly what?: string
  /** Of what may have to wait: the context that asks. When it closes, the request is given up. */
  readonly owner?: object | null
  /** Called instead of the promise when the grant and the caller's giving up crossed each other. */
  readonly late?: (value: unknown) => void
  /** Told the request's number, for `withdraw`, when it has been sent. */
  readonly asked?: (request: number) => void
  /** Told the answer before the next frame is looked at, which the promise is not. */
  readonly answered?: (value: unknown) => void
}

interface Pending {
  readonly resolve: (value: unknown) => void
  readonly reject: (reason: unknown) => void
  readonly end: () => void
  readonly owner: object | null
  /** Gives back what was granted although the caller had given up. */
  readonly late: ((value: unknown) => void) | undefined
  readonly answered: ((value: unknown) => void) | undefined
  given: boolean
}

export interface RequestsHome {
  /** Keeps this process alive until the matching `release`. */
  hold(): void
  release(): void
  /** Takes a request back at the broker. */
  cancel(request: number): void
  decode(payload: Buffer): unknown
}

const noEnd = (): void => undefined

export class BrokerRequests {
  readonly #home: RequestsHome
  readonly #pending = new Map<number, Pending>()
  #last = 0

  constructor(home: RequestsHome) {
    this.#home = home
  }

  ask<T>(
    send: (request: number) => void,
    { wait, what, owner = null, late, asked, answered }: CallOptions,
  ): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const request = this.#next()
      // First, since it throws on what cannot be sent: nothing is noted then that would wait for an answer.
      send(request)
      const end =
        wait === undefined ? noEnd : watchWait(wait, what ?? 'no answer came', (error) => this.#giveUp(request, error))
      this.#pending.set(request, {
        resolve: resolve as (value: unknown) => void,
        reject,
        end,
        owner,
        late,
        answered,
        given: false,
      })
      this.#home.hold()
      asked?.(request)
    })
  }

  /** Gives up a request whose answer is no longer needed: its promise never settles, a grant under way goes to `late`. */
  withdraw(request: number): void {
    const pending = this.#pending.get(request)
    if (pending === undefined || pending.given) return
    pending.given = true
    pending.end()
    this.#home.cancel(request)
  }

  /** A context closes: nobody will use what it has asked for. */
  abandon(owner: object, reason: SkeinError): void {
    for (const [request, pending] of this.#pending) if (pending.owner === owner) this.#giveUp(request, reason)
  }

  answered(frame: Frame): void {
    const pending = this.#pending.get(frame.b)
    if (pending === undefined) return
    this.#pending.delete(frame.b)
    this.#home.release()
    pending.end()
    if (frame.op === op.cancelled) return
    if (frame.op === op.fail) {
      if (!pending.given) pending.reject(this.#home.decode(frame.payload))
      return
    }
    const value = frame.op === op.okNumber ? frame.f64(0) : this.#valueOf(frame)
    // Granted after the caller had given up: pretend it was not, and put it back.
    if (pending.given) {
      pending.late?.(value)
      return
    }
    pending.answered?.(value)
    pending.resolve(value)
  }

  #valueOf({ payload }: Frame): unknown {
    return payload.length === 0 ? undefined : this.#home.decode(payload)
  }

  /** The broker is gone: nothing of it will be answered. */
  fail(error: SkeinError): void {
    for (const [request, pending] of this.#pending) {
      this.#pending.delete(request)
      this.#home.release()
      pending.end()
      pending.reject(error)
    }
  }

  #giveUp(request: number, error: unknown): void {
    const pending = this.#pending.get(request)
    if (pending === undefined || pending.given) return
    pending.given = true
    pending.end()
    pending.reject(error)
    this.#home.cancel(request)
  }

  #next(): number {
    do this.#last = (this.#last + 1) >>> 0
    while (this.#last === 0 || this.#pending.has(this.#last))
    return this.#last
  }
}
