/** Lock on the local adapter. */
import type { Lease, Lock } from '../contract/lock.ts'
import type { WaitOptions } from '../contract/wait.ts'
import { LocalPermits } from './local-permits.ts'

export class LocalLock extends LocalPermits implements Lock {
  async acquire(wait?: WaitOptions): Promise<Lease> {
    return this.lease(await this.grant(1, this.checked(wait)))
  }

  async tryAcquire(): Promise<Lease | null> {
    const token = await this.tryGrant(1)
    return token === null ? null : this.lease(token)
  }

  async with<R>(body: (lease: Lease) => R | PromiseLike<R>, wait?: WaitOptions): Promise<R> {
    return this.hold(this.lease(await this.grant(1, this.checked(wait))), body)
  }
}
