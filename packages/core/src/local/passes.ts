/**
 * A *pass* lets a producer of an unbounded queue put without waiting for an answer. It runs out after `PASS` ms, so `close()`
 * waits at most that long for a producer that is blocked; the producer reads the clock after its write has left.
 */
import { monotonic } from '../util/clock.ts'
import type { QueueUser } from './deliveries.ts'

/** Milliseconds that a producer may put without an answer since it last heard from the broker. */
const PASS = 100

export class Passes {
  readonly #mayPut: () => boolean

  /** @param mayPut whether there is room without end, and the queue is open */
  constructor(mayPut: () => boolean) {
    this.#mayPut = mayPut
  }

  /** Until when the producer may put without an answer, on the machine's monotonic clock; 0: it may not. */
  give(user: QueueUser): number {
    // Of what comes through another program, nobody here could tell when it was written.
    user.passUntil = user.session.near && this.#mayPut() ? monotonic() + PASS : 0
    return user.passUntil
  }

  /** Those who have put since hear that they may go on. */
  renew(users: Iterable<QueueUser>): void {
    const soon = monotonic() + PASS / 2
    for (const user of users) {
      if (user.hasPut && user.passUntil < soon) user.session.event(user.number, 'pass', this.give(user))
      user.hasPut = false
    }
  }
}
