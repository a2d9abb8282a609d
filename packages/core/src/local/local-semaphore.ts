/** Semaphore on the local adapter. */
import type { Lease } from '../contract/lock.ts'
import type { PermitOptions, Semaphore } from '../contract/semaphore.ts'
import { checkPermits } from '../util/permits.ts'
import type { Place } from './local-object.ts'
import { LocalPermits } from './local-permits.ts'

export class LocalSemaphore extends LocalPermits implements Semaphore {
  readonly permits: number

  constructor(place: Place, permits: number) {
    super(place)
    this.permits = permits
  }

  async acquire(wait?: PermitOptions): Promise<Lease> {
    return this.lease(await this.grant(checkPermits(wait?.permits, this), wait))
  }

  async tryAcquire(options?: { readonly permits?: number | undefined }): Promise<Lease | null> {
    const token = await this.tryGrant(checkPermits(options?.permits, this))
    return token === null ? null : this.lease(token)
  }

  async with<R>(body: (lease: Lease) => R | PromiseLike<R>, wait?: PermitOptions): Promise<R> {
    return this.hold(this.lease(await this.grant(checkPermits(wait?.permits, this), wait)), body)
  }
}
