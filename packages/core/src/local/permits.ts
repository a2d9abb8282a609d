/**
 * Lock, RLock, RWLock and Semaphore at the broker: a number of permits, one FIFO of waiters. A lock has one permit; that an RLock is
 * entered again is known to its holder alone; who writes takes all permits of an RWLock. The grant order is that of golang.org/x/sync's semaphore: a waiter for many
 * permits is not overtaken by those behind it.
 */
import { ConflictError } from '../errors.ts'
import { wallMicroseconds } from '../util/clock.ts'
import { BrokerObject, type Methods, type ObjectKind } from '../supervisor/broker/broker-object.ts'
import type { ProcessInfo } from '../supervisor/boot.ts'
import type { ObjectSnapshot } from '../contract/snapshot.ts'
import type { Call, Session } from '../supervisor/broker/session.ts'
import { partyOf, permitsSnapshot } from '../supervisor/broker/snapshots.ts'
import { type Frame, op } from '../wire/frame.ts'
import type { ConditionObject } from './condition.ts'

interface Grant {
  readonly session: Session
  readonly permits: number
  /** What is to be done if its holder dies. */
  readonly died: (() => void) | undefined
}

interface Waiter {
  readonly call: Call
  readonly permits: number
  /** What the call is answered. */
  readonly answer: (token: number) => unknown
  /** What is to be done if its caller gives up or dies, also later while it holds the grant. */
  readonly died: (() => void) | undefined
}

export interface PermitsSpec {
  readonly permits: number
  /** `false`: they belong to nobody; see `Counter`. */
  readonly owned?: boolean
}

export class Permits extends BrokerObject {
  /** Those whose lock it is: they end with it. */
  readonly conditions: Set<ConditionObject> = new Set()
  readonly #total: number
  readonly #waiters = new Set<Waiter>()
  readonly #grants = new Map<number, Grant>()
  #free: number
  #lastToken = 0

  constructor(kind: ObjectKind, name: string, spec: PermitsSpec) {
    super(kind, name)
    this.#total = spec.permits
    this.#free = spec.permits
  }

  /** The token of the oldest grant, or null. */
  get holding(): number | null {
    const [token = null] = this.#grants.keys()
    return token
  }

  protected override readonly methods: Methods = {
    acquire: (call) => {
      const [permits, poll] = call.args as [number, boolean]
      if (this.#waiters.size === 0 && permits <= this.#free) call.ok(this.#grant(call.session, permits))
      else if (poll) call.ok(null)
      else this.#stand({ call, permits, answer: (token) => token, died: undefined })
    },
    value: (call) => call.ok(this.#free),
    holder: (call) => {
      const [permits] = call.args as [number | undefined]
      call.ok(this.#holder(permits))
    },
  }

  override frame(session: Session, frame: Frame): void {
    if (frame.op === op.release) this.giveBack(session, frame.f64(0), frame.b === 1)
    else super.frame(session, frame)
  }

  override check(spec: unknown): void {
    const { permits, owned } = spec as PermitsSpec
    if (owned === false) {
      throw new ConflictError(
        `${this.label} exists with permits that belong to who took them, and was asked for with owned: false; use the same options or another name`,
      )
    }
    if (permits !== this.#total) {
      throw new ConflictError(
        `${this.label} exists with ${this.#total} permits, ${permits} were asked for; use one number or another name`,
      )
    }
  }

  override leave(session: Session): void {
    const held = [...this.#grants].filter(([, grant]) => grant.session === session)
    for (const [token, grant] of held) this.#free += this.#drop(token, grant)
    for (const [, { died }] of held) died?.()
    this.#serve()
  }

  override inspect(): ObjectSnapshot | null {
    // A condition shows its own lock as a part of itself.
    return this.kind === 'condition' ? null : this.view()
  }

  view(): ObjectSnapshot {
    const holders = [...this.#grants].map(([token, { session, permits }]) => ({
      party: partyOf(session),
      permits,
      token,
    }))
    const waiters = [...this.#waiters].map(({ call, permits }) => ({ party: partyOf(call.session), permits }))
    return permitsSnapshot(this, { total: this.#total, free: this.#free }, holders, waiters)
  }

  override end(reason: Error): void {
    for (const { call } of this.#waiters) call.fail(reason)
    this.#waiters.clear()
    for (const condition of this.conditions) condition.remove?.(reason)
  }

  holds(session: Session, token: number): boolean {
    return this.#grants.get(token)?.session === session
  }

  /**
   * Puts the call of a condition into the line for its lock.
   *
   * @param answer what it is answered when it has the lock
   * @param died told if it dies before it gives the lock back
   */
  stand(call: Call, answer: (token: number) => unknown, died?: () => void): void {
    this.#stand({ call, permits: this.#total, answer, died })
    this.#serve()
  }

  /** @param unheard its holder has never heard of it: as if it had died */
  giveBack(session: Session, token: number, unheard = false): boolean {
    const grant = this.#grants.get(token)
    if (grant === undefined || grant.session !== session) return false
    this.#free += this.#drop(token, grant)
    if (unheard) grant.died?.()
    this.#serve()
    return true
  }

  #stand(waiter: Waiter): void {
    this.#waiters.add(waiter)
    waiter.call.waits(() => {
      this.#waiters.delete(waiter)
      waiter.died?.()
      // It may have been the large request that held up the small ones behind it.
      this.#serve()
    })
  }

  #grant(session: Session, permits: number, died?: () => void): number {
    this.#free -= permits
    this.#lastToken = Math.max(this.#lastToken + 1, wallMicroseconds())
    this.#grants.set(this.#lastToken, { session, permits, died })
    return this.#lastToken
  }

  #drop(token: number, grant: Grant): number {
    this.#grants.delete(token)
    return grant.permits
  }

  #serve(): void {
    for (const waiter of this.#waiters) {
      if (waiter.permits > this.#free) return
      this.#waiters.delete(waiter)
      const { call, permits, answer, died } = waiter
      call.ok(answer(this.#grant(call.session, permits, died)))
    }
  }

  /** Who was granted first. @param asked null unless it was so many permits */
  #holder(asked?: number): (Omit<ProcessInfo, 'id'> & { process: string; token: number }) | null {
    for (const [token, { session, permits }] of this.#grants) {
      if (asked !== undefined && permits !== asked) return null
      const { id, name, pid, host } = session.process
      return { process: id, name, pid, host, token }
    }
    return null
  }
}
