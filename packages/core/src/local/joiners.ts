/** Who waits in `queue.join()`: each for the items that were there when it asked, whatever is put afterwards. */
import type { PartySnapshot } from '../contract/snapshot.ts'
import type { Call } from '../supervisor/broker/session.ts'
import { partyOf } from '../supervisor/broker/snapshots.ts'

interface Numbered {
  readonly number: number
}

interface Joiner {
  readonly call: Call
  readonly upTo: number
  left: number
}

export class Joiners {
  readonly #joiners = new Set<Joiner>()

  /**
   * Answers `true` when none of the items is left, and a poll `false` while some are.
   *
   * @param last the number of the newest item
   */
  add(call: Call, last: number, items: Iterable<Numbered>, poll: boolean): void {
    let left = 0
    for (const { number } of items) if (number <= last) left += 1
    if (left === 0 || poll) {
      call.ok(left === 0)
      return
    }
    const joiner: Joiner = { call, upTo: last, left }
    this.#joiners.add(joiner)
    call.waits(() => this.#joiners.delete(joiner))
  }

  get parties(): PartySnapshot[] {
    return [...this.#joiners].map(({ call }) => partyOf(call.session))
  }

  /** The item will not be delivered any more. */
  finished(number: number): void {
    for (const joiner of this.#joiners) {
      if (number > joiner.upTo) continue
      joiner.left -= 1
      if (joiner.left > 0) continue
      this.#joiners.delete(joiner)
      joiner.call.ok(true)
    }
  }

  fail(reason: Error): void {
    for (const { call } of this.#joiners) call.fail(reason)
    this.#joiners.clear()
  }
}
