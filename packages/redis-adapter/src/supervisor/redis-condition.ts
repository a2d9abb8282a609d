/**
 * Condition on one Redis. Who waits in it stands under the keys of its lock, so that one script gives the lock back and enters the line, and
 * one moves who is notified into the line for the lock. From its first step on a wait is a request for the lock, and so in the hands of
 * `RedisPermits`: through losses, stops and deaths, too.
 */
import { NotHeldError, StateError } from '@skein/core'
import { BrokerObject, type Call, type Methods, type Session } from '@skein/core/adapter'
import { answer } from './answer.ts'
import { ConditionName, type ConditionSpec, keyOfWait } from './condition-name.ts'
import { Errands } from './errands.ts'
import type { Ask } from './permits-requests.ts'
import { PermitScripts } from './permits-scripts.ts'
import type { RedisPermits } from './redis-permits.ts'
import { type Surround, tagOf } from './surround.ts'

/** What a condition needs of its lock. */
export type ConditionLock = Pick<RedisPermits, 'conditions' | 'grants' | 'enter' | 'withdraw' | 'again'>

/** The lock as this program knows it. */
export interface ConditionHome {
  /** Who waits or notifies holds it, so it is there. */
  find(): ConditionLock | null
  /** A lock that nothing else has ends with its condition. */
  endOwn(reason: Error): void
}

export class RedisCondition extends BrokerObject {
  readonly #spec: ConditionSpec
  readonly #around: Surround
  readonly #tag: string
  readonly #scripts: PermitScripts
  readonly #naming: ConditionName
  readonly #home: ConditionHome
  readonly #stop: () => void
  readonly #waits = new Map<string, Ask>()
  #lock: ConditionLock | null = null

  constructor(name: string, spec: ConditionSpec, around: Surround, home: ConditionHome) {
    super('condition', name)
    this.#spec = spec
    this.#around = around
    this.#tag = tagOf('condition', name)
    this.#scripts = new PermitScripts(spec.lock as 'lock', spec.of, 1, around)
    this.#naming = new ConditionName(name, spec, around)
    this.#home = home
    this.#stop = around.wakes.on(this.#tag, (letter, rest) => this.#woken(letter, rest))
  }

  protected override readonly methods: Methods = {
    wait: (call) => this.#naming.inTurn(call, () => this.#wait(call)),
    notify: (call) => this.#naming.inTurn(call, () => this.#notify(call)),
  }

  /** A wait has run out or was aborted: it ends as soon as it has the lock. */
  override post(session: Session, _object: number, _method: string, args: readonly unknown[]): void {
    this.#naming.behind(() => {
      const ask = this.#waits.get(keyOfWait(session, (args as [number])[0]))
      if (ask?.waiting == null) return
      ask.waiting.leaving = true
      this.#lock?.again(ask)
    })
  }

  override check(spec: unknown): void {
    this.#naming.check(spec as ConditionSpec)
  }

  override leave(): void {
    // Its waits have been taken back, and its lock knows what else is to be done.
  }

  override end(reason: Error): void {
    this.#stop()
    this.#lock?.conditions.delete(this)
    for (const ask of this.#waits.values()) {
      this.#lock?.withdraw(ask)
      ask.call.fail(reason)
    }
    this.#waits.clear()
    if (this.#around.owned.has(this.kind, this.name)) new Errands().insist(() => this.#endOwned())
    if (this.#hasOwnLock) this.#home.endOwn(reason)
  }

  get #hasOwnLock(): boolean {
    return this.#spec.lock === 'condition'
  }

  /** The process of this program that made it has ended. */
  async #endOwned(): Promise<void> {
    await this.erase('')
    this.#around.owned.remove(this.kind, this.name)
  }

  /** @param by who destroys it; '': nobody */
  protected override async erase(by: string): Promise<void> {
    if (this.#hasOwnLock) await this.#scripts.destroy(by)
    else await this.#scripts.endCondition(this.name, this.#tag, by)
    await this.#naming.forget()
  }

  #wait(call: Call): void {
    const [token, id] = call.args as [number, number]
    const lock = this.#knownLock()
    const held = lock?.grants.take(call.session, token) ?? null
    if (lock === null || held === null) {
      call.fail(this.#notHeld())
      return
    }
    const key = keyOfWait(call.session, id)
    const over = (): void => {
      this.#waits.delete(key)
    }
    const ask = lock.enter({
      call,
      permits: 1,
      poll: false,
      waiting: { condition: this.name, held, leaving: false },
      granted: (next, notified) => {
        over()
        call.ok([next, notified])
      },
      failed: (error) => {
        over()
        call.fail(error)
      },
    })
    this.#waits.set(key, ask)
    call.waits(() => {
      over()
      lock.withdraw(ask)
    })
  }

  #notify(call: Call): void {
    const [token, count] = call.args as [number, number]
    const held = this.#knownLock()?.grants.ridOf(call.session, token) ?? null
    if (held === null) {
      call.fail(this.#notHeld())
      return
    }
    void answer(
      call,
      () => this.#scripts.notify(this.name, count, held, this.#around.session.rid(call.session)),
      (done) => (done ? call.ok() : call.fail(this.#notHeld())),
    )
  }

  #knownLock(): ConditionLock | null {
    if (this.#lock !== null) return this.#lock
    this.#lock = this.#home.find()
    this.#lock?.conditions.add(this)
    // One with a name is nobody's.
    if (this.name.startsWith('~')) this.#around.owned.add(this.kind, this.name)
    return this.#lock
  }

  #woken(letter: string, rest: string): void {
    const [sid, ...by] = rest.split(' ')
    // This program's own destroying has told everybody here.
    if (letter !== 'x' || sid === this.#around.session.sid) return
    const how = by.join('') === '' ? 'ended with its creator' : `was destroyed by ${by.join(' ')}`
    this.remove?.(new StateError(`${this.label} ${how}`))
  }

  #notHeld(): NotHeldError {
    return new NotHeldError(`the lock of ${this.label} is not held by who called, or no longer`)
  }
}
