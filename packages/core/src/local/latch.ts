/** A latch at the broker: a count, and those who wait for its end. */
import { ConflictError } from '../errors.ts'
import type { ObjectSnapshot } from '../contract/snapshot.ts'
import { BrokerObject, type Methods } from '../supervisor/broker/broker-object.ts'
import { waitSnapshot } from '../supervisor/broker/snapshots.ts'
import { Waiters } from './waiters.ts'

export interface LatchSpec {
  readonly count: number
}

export class LatchObject extends BrokerObject {
  readonly #total: number
  readonly #waiters = new Waiters()
  #left: number

  constructor(name: string, { count }: LatchSpec) {
    super('latch', name)
    this.#total = count
    this.#left = count
  }

  protected override readonly methods: Methods = {
    countDown: (call) => {
      const [n] = call.args as [number]
      this.#left = Math.max(0, this.#left - n)
      if (this.#left === 0) this.#waiters.answerAll(true)
      call.ok(this.#left)
    },
    count: (call) => call.ok(this.#left),
    wait: (call) => {
      const [poll] = call.args as [boolean]
      if (this.#left === 0 || poll) call.ok(this.#left === 0)
      else this.#waiters.add(call, null)
    },
  }

  override check(spec: unknown): void {
    const { count } = spec as LatchSpec
    if (count === this.#total) return
    throw new ConflictError(
      `${this.label} exists with a count of ${this.#total}, ${count} was asked for; use one number or another name`,
    )
  }

  override leave(): void {
    // What it has counted stays counted.
  }

  override inspect(): ObjectSnapshot {
    return waitSnapshot(this, { depth: this.#left, capacity: this.#total }, this.#waiters.parties)
  }

  override end(reason: Error): void {
    this.#waiters.fail(reason)
  }
}
