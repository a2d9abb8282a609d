/** An event at the broker: a flag, and those who wait for it. */
import type { ObjectSnapshot } from '../contract/snapshot.ts'
import { BrokerObject, type Methods } from '../supervisor/broker/broker-object.ts'
import { waitSnapshot } from '../supervisor/broker/snapshots.ts'
import { Waiters } from './waiters.ts'

export class EventObject extends BrokerObject {
  readonly #waiters = new Waiters()
  #set = false

  constructor(name: string) {
    super('event', name)
  }

  protected override readonly methods: Methods = {
    set: (call) => {
      this.#set = true
      this.#waiters.answerAll(true)
      call.ok()
    },
    clear: (call) => {
      this.#set = false
      call.ok()
    },
    isSet: (call) => call.ok(this.#set),
    wait: (call) => {
      const [poll] = call.args as [boolean]
      if (this.#set || poll) call.ok(this.#set)
      else this.#waiters.add(call, null)
    },
  }

  override check(): void {
    // An event has no shape to disagree on.
  }

  override leave(): void {
    // Nobody holds it.
  }

  override inspect(): ObjectSnapshot {
    return waitSnapshot(this, { depth: Number(this.#set), capacity: null }, this.#waiters.parties)
  }

  override end(reason: Error): void {
    this.#waiters.fail(reason)
  }
}
