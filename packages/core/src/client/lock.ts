/** Lock, as a process has it: one permit at the broker, or a fixed number of them. */
import type { Lease, Lock } from '../contract/lock.ts'
import type { WaitOptions } from '../contract/wait.ts'
import { LinkedPermits } from './permits.ts'
import type { Place } from './remote-object.ts'

export class LinkedLock extends LinkedPermits implements Lock {
  protected readonly permits: number

  constructor(place: Place, permits = 1) {
    super(place)
    this.permits = permits
  }

  async acquire(wait?: WaitOptions): Promise<Lease> {
    return this.lease(await this.grant(this.permits, this.checked(wait)))
  }

  async tryAcquire(): Promise<Lease | null> {
    const grant = await this.tryGrant(this.permits)
    return grant === null ? null : this.lease(grant)
  }

  async with<R>(body: (lease: Lease) => R | PromiseLike<R>, wait?: WaitOptions): Promise<R> {
    return this.hold(this.lease(await this.grant(this.permits, this.checked(wait))), body)
  }
}
