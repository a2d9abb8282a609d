/** Calls that wait for something of one object, in the order of asking: the part that every object on which calls wait has in common. */
import type { PartySnapshot } from '../contract/snapshot.ts'
import type { Call } from '../supervisor/broker/session.ts'
import { partyOf } from '../supervisor/broker/snapshots.ts'

/** @typeParam W what each of them wants */
export class Waiters<W = null> {
  readonly #waiting = new Map<Call, W>()

  get size(): number {
    return this.#waiting.size
  }

  /** Whose they are. */
  get parties(): PartySnapshot[] {
    return [...this.#waiting.keys()].map(({ session }) => partyOf(session))
  }

  /** Those that wait, first to last; one may be answered meanwhile. */
  [Symbol.iterator](): IterableIterator<[Call, W]> {
    return this.#waiting.entries()
  }

  /** @param left told when the caller gives up or dies, after it is out of the line */
  add(call: Call, want: W, left?: () => void): void {
    this.#waiting.set(call, want)
    call.waits(() => {
      this.#waiting.delete(call)
      left?.()
    })
  }

  delete(call: Call): boolean {
    return this.#waiting.delete(call)
  }

  answer(call: Call, value?: unknown): void {
    if (this.#waiting.delete(call)) call.ok(value)
  }

  answerAll(value?: unknown): void {
    for (const call of this.#waiting.keys()) this.answer(call, value)
  }

  fail(reason: Error): void {
    for (const call of this.#waiting.keys()) {
      this.#waiting.delete(call)
      call.fail(reason)
    }
  }
}
