/** Semaphore, as a process has it: permits at the broker. */
import type { Lease } from '../contract/lock.ts'
import type { PermitOptions, Semaphore } from '../contract/semaphore.ts'
import { checkOptions } from '../util/options.ts'
import { checkPermits } from '../util/permits.ts'
import { checkWait } from '../util/wait.ts'
import { Hold } from './hold.ts'
import type { LinkedLease } from './lease.ts'
import type { Place } from './remote-object.ts'
import { LinkedPermits } from './permits.ts'

export class LinkedSemaphore extends LinkedPermits implements Semaphore {
  readonly permits: number

  constructor(place: Place, permits: number) {
    super(place)
    this.permits = permits
  }

  async acquire(wait?: PermitOptions): Promise<Lease> {
    return this.#take(wait)
  }

  async #take(wait: PermitOptions | undefined): Promise<LinkedLease> {
    const own: PermitOptions = wait === undefined ? {} : checkWait(wait, ['permits'])
    const permits = checkPermits(own.permits, this)
    return this.lease(new Hold(await this.grant(permits, { timeout: own.timeout, signal: own.signal })))
  }

  async tryAcquire(options?: { readonly permits?: number | undefined }): Promise<Lease | null> {
    const { permits } = checkOptions(options, ['permits'], 'semaphore.tryAcquire()')
    const grant = await this.tryGrant(checkPermits(permits, this))
    return grant === null ? null : this.lease(new Hold(grant))
  }

  async with<R>(body: (lease: Lease) => R | PromiseLike<R>, wait?: PermitOptions): Promise<R> {
    this.checkBody(body)
    return this.hold(await this.#take(wait), body)
  }
}

export class LinkedBoundedSemaphore extends LinkedSemaphore {
  protected override noneTaken(): Error {
    const { label, permits } = this
    return new RangeError(`one release too many: this handle holds none of the ${permits} permits of ${label}`)
  }
}
