/** A grant to this process, and the leases on it: one, or as many as an RLock was entered deep. */
import type { LinkedLease } from './lease.ts'
import { Holding, type Tenure } from './tenure.ts'

/** What the broker granted, and in which epoch of this process's tenure. */
export interface Grant {
  readonly token: number
  readonly epoch: number
}

export class Hold {
  /** The last one. */
  grant: Grant
  /** It is given up, for the time of a wait in a condition. */
  lent: boolean = false
  /** Those that are not over. */
  readonly leases: Set<LinkedLease> = new Set()
  /** It is what one flow has, and no other. */
  flow: boolean = false
  #abandoned: ((cause: unknown) => void) | null = null

  constructor(grant: Grant) {
    this.grant = grant
  }

  /** Gives up the grant until `restore` or `lose`. @param abandoned told if the last lease ends before */
  lend(abandoned: (cause: unknown) => void): void {
    this.lent = true
    this.#abandoned = abandoned
    for (const lease of this.leases) lease.lend()
  }

  restore(grant: Grant, tenure: Tenure): void {
    this.grant = grant
    this.lent = false
    this.#abandoned = null
    for (const lease of this.leases) lease.restore(grant.token, new Holding(tenure, grant.epoch))
  }

  lose(cause: unknown): void {
    this.#abandoned = null
    for (const lease of this.leases) lease.lose(cause)
  }

  /** Called after each lease that was given back: what goes to the broker now. */
  left(cause: unknown): Grant | null {
    if (this.leases.size > 0) return null
    if (!this.lent) return this.grant
    this.#abandoned?.(cause)
    return null
  }
}
