/**
 * Condition of a lock that is on several masters. Who waits in it stands in a line on the first master, for permits of which there are enough
 * for everybody: to be notified is to be granted one. Who has one asks for the lock as others do, and keeps it until it gives the lock back
 * by its own will; whatever else takes it away sends the notification on to the next, as in `RedisPermits`.
 */
import { NotHeldError } from '@skein/core'
import { BrokerObject, type Call, describeObject, type Methods, type Session } from '@skein/core/adapter'
import { answer } from '../answer.ts'
import { type ConditionSpec, ConditionName, keyOfWait } from '../condition-name.ts'
import { RedisPermits } from '../redis-permits.ts'
import type { Surround } from '../surround.ts'
import type { RedlockPermits } from './redlock-permits.ts'
import { RedlockWait } from './redlock-wait.ts'

/** More than can ever wait. */
const ENOUGH = 2 ** 31

/** Its line, under the condition's name for people. */
class Line extends RedisPermits {
  readonly #condition: string

  constructor(condition: string, around: Surround) {
    super('condition', `${condition}/line`, { permits: ENOUGH }, around)
    this.#condition = condition
  }

  override get label(): string {
    return describeObject('condition', this.#condition)
  }
}

export class RedlockCondition extends BrokerObject {
  readonly #around: Surround
  readonly #naming: ConditionName
  readonly #line: Line
  readonly #findLock: () => RedlockPermits | null
  readonly #waits = new Map<string, RedlockWait>()
  #lock: RedlockPermits | null = null

  /** @param findLock who waits or notifies holds it, so it is there */
  constructor(name: string, spec: ConditionSpec, around: Surround, findLock: () => RedlockPermits | null) {
    super('condition', name)
    this.#around = around
    this.#naming = new ConditionName(name, spec, around)
    this.#line = new Line(name, around)
    this.#line.remove = (reason) => this.remove?.(reason)
    this.#findLock = findLock
  }

  protected override readonly methods: Methods = {
    wait: (call) => this.#naming.inTurn(call, () => this.#wait(call)),
    notify: (call) => this.#naming.inTurn(call, () => this.#notify(call)),
  }

  /** A wait has run out or was aborted: it ends as soon as it has the lock. */
  override post(session: Session, _object: number, _method: string, args: readonly unknown[]): void {
    const [id] = args as [number]
    this.#naming.behind(() => this.#waits.get(keyOfWait(session, id))?.leave())
  }

  override check(spec: unknown): void {
    this.#naming.check(spec as ConditionSpec)
  }

  override leave(session: Session): void {
    this.#line.leave(session)
  }

  override suspend(session: Session): void {
    this.#line.suspend(session)
  }

  override resume(session: Session): void {
    this.#line.resume(session)
  }

  override end(reason: Error): void {
    this.#lock?.conditions.delete(this)
    for (const wait of this.#waits.values()) wait.fail(reason)
    this.#line.end(reason)
  }

  /** Other programs hear of the end of a lock on several masters by that of its conditions. */
  lockEnded(reason: Error): void {
    this.erase('who destroyed its lock').catch(() => {
      // What is left is taken away with those who wait.
    })
    this.remove?.(reason)
  }

  /** @param by who destroys it */
  protected override async erase(by: string): Promise<void> {
    await this.#line.scripts.destroy(by)
    await this.#naming.forget()
  }

  #wait(call: Call): void {
    const [token, id] = call.args as [number, number]
    const lock = this.#heldBy(call, token)
    if (lock === null) return
    const key = keyOfWait(call.session, id)
    const wait = new RedlockWait(this.name, call, token, {
      line: this.#line,
      lock,
      over: () => this.#waits.delete(key),
    })
    this.#waits.set(key, wait)
    wait.begin()
  }

  #notify(call: Call): void {
    const [token, count] = call.args as [number, number]
    if (this.#heldBy(call, token) === null) return
    const { session } = this.#around
    void answer(
      call,
      () =>
        this.#line.scripts.notify(this.name, count, `-${session.processOf(call.session)}`, session.rid(call.session)),
      () => call.ok(),
    )
  }

  /** Its lock; `null`: the caller does not hold it, and is told so. */
  #heldBy(call: Call, token: number): RedlockPermits | null {
    if (this.#lock === null) {
      this.#lock = this.#findLock()
      this.#lock?.conditions.add(this)
    }
    if (this.#lock?.holds(call.session, token) === true) return this.#lock
    call.fail(new NotHeldError(`the lock of ${this.label} is not held by who called, or no longer`))
    return null
  }
}
