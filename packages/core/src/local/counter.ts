/** A semaphore with `owned: false` at the broker: a number, and those who wait for it to be large enough, served in the order of asking. */
import { ConflictError } from '../errors.ts'
import { BrokerObject, type Methods } from '../supervisor/broker/broker-object.ts'
import type { ObjectSnapshot } from '../contract/snapshot.ts'
import type { Session } from '../supervisor/broker/session.ts'
import { partyOf, permitsSnapshot } from '../supervisor/broker/snapshots.ts'
import { wallMicroseconds } from '../util/clock.ts'
import type { PermitsSpec } from './permits.ts'
import { Waiters } from './waiters.ts'

export class Counter extends BrokerObject {
  readonly #initial: number
  /** How many permits each wants. */
  readonly #waiters = new Waiters<number>()
  #value: number
  #lastToken = 0

  constructor(name: string, { permits }: PermitsSpec) {
    super('semaphore', name)
    this.#initial = permits
    this.#value = permits
  }

  protected override readonly methods: Methods = {
    acquire: (call) => {
      const [permits, poll] = call.args as [number, boolean]
      if (this.#waiters.size === 0 && permits <= this.#value) call.ok(this.#take(permits))
      else if (poll) call.ok(null)
      // It may be the large request that holds up the small ones behind it.
      else this.#waiters.add(call, permits, () => this.#serve())
    },
    release: (call) => {
      const [permits] = call.args as [number]
      this.#add(permits)
      call.ok()
    },
    value: (call) => call.ok(this.#value),
  }

  override post(_session: Session, _object: number, _method: string, args: readonly unknown[]): void {
    this.#add(args[0] as number)
  }

  override check(spec: unknown): void {
    const { permits, owned } = spec as PermitsSpec
    if (owned === false && permits === this.#initial) return
    const asked = owned === false ? `${permits} permits` : 'permits that belong to who took them'
    throw new ConflictError(
      `${this.label} exists with ${this.#initial} permits that belong to nobody (owned: false), ${asked} were asked for; use the same options or another name`,
    )
  }

  override leave(): void {
    // What its process has taken or given stays so.
  }

  override inspect(): ObjectSnapshot {
    const waiters = [...this.#waiters].map(([{ session }, permits]) => ({ party: partyOf(session), permits }))
    return permitsSnapshot(this, { total: null, free: this.#value }, [], waiters)
  }

  override end(reason: Error): void {
    this.#waiters.fail(reason)
  }

  #take(permits: number): number {
    this.#value -= permits
    this.#lastToken = Math.max(this.#lastToken + 1, wallMicroseconds())
    return this.#lastToken
  }

  #add(permits: number): void {
    this.#value += permits
    this.#serve()
  }

  #serve(): void {
    for (const [call, permits] of this.#waiters) {
      if (permits > this.#value) return
      this.#waiters.answer(call, this.#take(permits))
    }
  }
}
