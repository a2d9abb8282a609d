/** Lock, as a process has it: one permit at the broker. */
import type { Lease, Lock } from '../contract/lock.ts'
import type { WaitOptions } from '../contract/wait.ts'
import { LinkedPermits } from './permits.ts'

export class LinkedLock extends LinkedPermits implements Lock {
  async acquire(wait?: WaitOptions): Promise<Lease> {
    return this.lease(await this.grant(1, this.checked(wait)))
  }

  async tryAcquire(): Promise<Lease | null> {
    const grant = await this.tryGrant(1)
    return grant === null ? null : this.lease(grant)
  }

  async with<R>(body: (lease: Lease) => R | PromiseLike<R>, wait?: WaitOptions): Promise<R> {
    return this.hold(this.lease(await this.grant(1, this.checked(wait))), body)
  }
}
