/** What this program's processes were granted of one object, by token, until it is given back or lost. */
import type { Session } from '@skein/core/adapter'
import type { Drops } from './permits-drops.ts'

interface Grant {
  readonly session: Session
  readonly rid: string
}

export class Grants {
  readonly #grants = new Map<number, Grant>()
  readonly #drops: Drops

  constructor(drops: Drops) {
    this.#drops = drops
  }

  add(token: number, session: Session, rid: string): void {
    this.#grants.set(token, { session, rid })
  }

  /** Whether it is the grant of that request. */
  has(token: number, rid: string): boolean {
    return this.#grants.get(token)?.rid === rid
  }

  /** The id of what that process was granted, for scripts that follow; null if it does not hold it. */
  ridOf(session: Session, token: number): string | null {
    const grant = this.#grants.get(token)
    if (grant === undefined || grant.session !== session) return null
    this.#drops.flush()
    return grant.rid
  }

  /** As `ridOf`; to be given back by who has it now. */
  take(session: Session, token: number): string | null {
    const rid = this.ridOf(session, token)
    if (rid !== null) this.#grants.delete(token)
    return rid
  }

  /** @param unused as if its holder had died: what it was notified of in a condition, another one must be */
  giveBack(session: Session, token: number, unused: boolean): boolean {
    const grant = this.#grants.get(token)
    if (grant === undefined || grant.session !== session) return false
    this.#grants.delete(token)
    this.#drops.add(grant.rid, unused)
    return true
  }

  /** All that the process holds, which has died or is stopped. */
  takeFrom(session: Session): void {
    for (const [token, grant] of this.#grants) if (grant.session === session) this.giveBack(session, token, true)
  }

  /** All that is held here: nobody does any more. */
  takeAll(): void {
    for (const [token, { session }] of this.#grants) this.giveBack(session, token, true)
  }

  /** They are lost. */
  clear(): void {
    this.#grants.clear()
  }
}
