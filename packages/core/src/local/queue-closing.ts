/** How a queue comes to its end: no new puts at once, and over when no producer can put under a pass any more. */
import { monotonic } from '../util/clock.ts'
import type { Call } from '../supervisor/broker/session.ts'
import type { QueueUser } from './deliveries.ts'

export class QueueClosing {
  readonly #users: () => Iterable<QueueUser>
  readonly #finished: () => void
  readonly #closers = new Set<Call>()
  #state: 'open' | 'closing' | 'closed' = 'open'
  #timer: NodeJS.Timeout | undefined

  /** @param finished told once, before those who closed it are answered */
  constructor(users: () => Iterable<QueueUser>, finished: () => void) {
    this.#users = users
    this.#finished = finished
  }

  get state(): 'open' | 'closing' | 'closed' {
    return this.#state
  }

  /** @returns whether this call is the first */
  begin(call: Call): boolean {
    if (this.#state === 'closed') {
      call.ok()
      return false
    }
    this.#closers.add(call)
    if (this.#state === 'closing') return false
    this.#state = 'closing'
    return true
  }

  /** Takes back the passes, or waits until they have run out. */
  revoke(): void {
    const now = monotonic()
    let last = 0
    for (const user of this.#users()) {
      if (user.passUntil <= now) user.passUntil = 0
      else user.session.event(user.number, 'revoke')
      last = Math.max(last, user.passUntil)
    }
    if (last > 0) {
      // What a blocked producer wrote before its pass ran out may still lie in its socket: two turns of the loop read it.
      const end = (): void => void setImmediate(() => setImmediate(() => this.#finish()))
      this.#timer = setTimeout(end, last - now + 1)
    }
    this.whenRevoked()
  }

  whenRevoked(): void {
    if (this.#state !== 'closing') return
    for (const user of this.#users()) if (user.passUntil > 0) return
    this.#finish()
  }

  /** Without waiting for producers, who expect no answer any more. */
  shut(): void {
    this.#state = 'closing'
    this.#finish()
  }

  /** The queue is gone. */
  end(): void {
    clearTimeout(this.#timer)
    this.#state = 'closed'
    for (const call of this.#closers) call.ok()
    this.#closers.clear()
  }

  #finish(): void {
    if (this.#state !== 'closing') return
    clearTimeout(this.#timer)
    this.#state = 'closed'
    this.#finished()
    for (const call of this.#closers) call.ok()
    this.#closers.clear()
  }
}
