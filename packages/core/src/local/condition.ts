/**
 * Condition at the broker: the line of those who wait to be notified. Who is notified moves into the line for the lock and hears nothing
 * before it is granted: wait morphing, so that nobody is woken only to wait again.
 */
import type { ObjectSnapshot } from '../contract/snapshot.ts'
import { ConflictError, NotHeldError } from '../errors.ts'
import { BrokerObject, describe, type Methods } from '../supervisor/broker/broker-object.ts'
import type { Call, Session } from '../supervisor/broker/session.ts'
import { conditionSnapshot, partyOf } from '../supervisor/broker/snapshots.ts'
import type { Permits } from './permits.ts'

export interface ConditionSpec {
  /** Kind and name of its lock. */
  readonly lock: string
  readonly of: string
}

export class ConditionObject extends BrokerObject {
  readonly #spec: ConditionSpec
  readonly #findLock: () => Permits | null
  #lock: Permits | null = null
  readonly #line = new Map<string, Call>()

  /** @param findLock who waits or notifies holds it, so it is there */
  constructor(name: string, spec: ConditionSpec, findLock: () => Permits | null) {
    super('condition', name)
    this.#spec = spec
    this.#findLock = findLock
  }

  protected override readonly methods: Methods = {
    wait: (call) => {
      const [token, id] = call.args as [number, number]
      const lock = this.#heldBy(call, token)
      if (lock === null) return
      const key = keyOf(call.session, id)
      this.#line.set(key, call)
      call.waits(() => this.#line.delete(key))
      lock.giveBack(call.session, token)
    },
    notify: (call) => {
      const [token, count] = call.args as [number, number]
      const lock = this.#heldBy(call, token)
      if (lock === null) return
      for (let left = count; left > 0 && this.#notifyFirst(lock); left -= 1);
      call.ok()
    },
  }

  /** A wait has run out or was aborted: it ends as soon as it has the lock. */
  override post(session: Session, _object: number, _method: string, args: readonly unknown[]): void {
    const key = keyOf(session, (args as [number])[0])
    const call = this.#line.get(key)
    if (call === undefined) return
    this.#line.delete(key)
    this.#lock?.stand(call, (token) => [token, false])
  }

  override check(spec: unknown): void {
    const { lock, of } = spec as ConditionSpec
    if (lock === this.#spec.lock && of === this.#spec.of) return
    const [there, asked] = [lockOf(this.#spec), lockOf({ lock, of })]
    throw new ConflictError(`${this.label} exists with ${there}, ${asked} was asked for; use one lock or another name`)
  }

  override leave(): void {
    // Its waits have been taken back, and its lock knows what else is to be done.
  }

  override inspect(): ObjectSnapshot {
    const waiting = [...this.#line.values()].map(({ session }) => partyOf(session))
    const own = this.#spec.lock === 'condition' ? this.#findLock() : null
    return conditionSnapshot(this.name, waiting, own?.view() ?? null)
  }

  override end(reason: Error): void {
    this.#lock?.conditions.delete(this)
    for (const call of this.#line.values()) call.fail(reason)
    this.#line.clear()
    // Its own, that nobody else has.
    if (this.#spec.lock === 'condition') this.#findLock()?.remove?.(reason)
  }

  /** `false`: nobody waits. */
  #notifyFirst(lock: Permits): boolean {
    for (const [key, call] of this.#line) {
      this.#line.delete(key)
      lock.stand(
        call,
        (token) => [token, true],
        () => this.#notifyFirst(lock),
      )
      return true
    }
    return false
  }

  /** Its lock; `null`: the caller does not hold it, and is told so. */
  #heldBy(call: Call, token: number): Permits | null {
    if (this.#lock === null) {
      this.#lock = this.#findLock()
      this.#lock?.conditions.add(this)
    }
    if (this.#lock?.holds(call.session, token) === true) return this.#lock
    call.fail(new NotHeldError(`the lock of ${this.label} is not held by who called, or no longer`))
    return null
  }
}

function keyOf({ serial }: Session, id: number): string {
  return `${serial} ${id}`
}

function lockOf({ lock, of }: ConditionSpec): string {
  return lock === 'condition' ? 'a lock of its own' : describe(lock, of)
}
