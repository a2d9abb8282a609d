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

interface Grant {
  readonly session: Session
  readonly permits: number
}

interface Waiter {
  readonly call: Call
  readonly permits: number
}

export interface PermitsSpec {
  readonly permits: number
  /** `false`: they belong to nobody; see `Counter`. */
  readonly owned?: boolean
}

export class Permits extends BrokerObject {
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
      else {
        const waiter: Waiter = { call, permits }
        this.#waiters.add(waiter)
        call.waits(() => {
          this.#waiters.delete(waiter)
          // It may have been the large request that held up the small ones behind it.
          this.#serve()
        })
      }
    },
    release: (call) => {
      const [token] = call.args as [number]
      call.ok(this.#giveBack(call.session, token))
    },
    value: (call) => call.ok(this.#free),
    holder: (call) => {
      const [permits] = call.args as [number | undefined]
      call.ok(this.#holder(permits))
    },
  }

  override post(session: Session, _object: number, _method: string, args: readonly unknown[]): void {
    this.#giveBack(session, (args as [number])[0])
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
    for (const [token, grant] of this.#grants) if (grant.session === session) this.#free += this.#drop(token, grant)
    this.#serve()
  }

  override inspect(): ObjectSnapshot {
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
  }

  #grant(session: Session, permits: number): number {
    this.#free -= permits
    this.#lastToken = Math.max(this.#lastToken + 1, wallMicroseconds())
    this.#grants.set(this.#lastToken, { session, permits })
    return this.#lastToken
  }

  #giveBack(session: Session, token: number): boolean {
    const grant = this.#grants.get(token)
    if (grant === undefined || grant.session !== session) return false
    this.#free += this.#drop(token, grant)
    this.#serve()
    return true
  }

  #drop(token: number, grant: Grant): number {
    this.#grants.delete(token)
    return grant.permits
  }

  #serve(): void {
    for (const waiter of this.#waiters) {
      if (waiter.permits > this.#free) return
      this.#waiters.delete(waiter)
      waiter.call.ok(this.#grant(waiter.call.session, waiter.permits))
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
