/** Semaphore with `owned: false`, as a process has it: a number at the broker, whose permits belong to nobody. */
import type { HolderInfo, Lease } from '../contract/lock.ts'
import type { PermitOptions, Semaphore } from '../contract/semaphore.ts'
import { LeaseLostError } from '../errors.ts'
import { checkInteger, checkOptions } from '../util/options.ts'
import { checkWait, timedOut } from '../util/wait.ts'
import { Presence } from './presence.ts'
import { type Place, RemoteObject } from './remote-object.ts'

export class LinkedCounter extends RemoteObject<Presence> implements Semaphore {
  readonly permits: number

  constructor(place: Place) {
    super(place, () => new Presence())
    this.permits = Number(place.shape['permits'])
  }

  async acquire(wait?: PermitOptions): Promise<Lease> {
    const own: PermitOptions = wait === undefined ? {} : checkWait(wait, ['permits'])
    const permits = checkCount(own.permits)
    const what = `${this.label} was not granted`
    const token = await this.callOrPoll<number | null>('acquire', [permits], own, what, {
      late: (late) => {
        if (late !== null) this.#giveBack(permits)
      },
    })
    if (token === null) throw timedOut(what, own)
    return this.#lease(token, permits)
  }

  async tryAcquire(options?: { readonly permits?: number | undefined }): Promise<Lease | null> {
    const own = checkOptions(options, ['permits'], 'semaphore.tryAcquire()')
    const permits = checkCount(own.permits)
    const token = await this.call<number | null>('acquire', [permits, true])
    return token === null ? null : this.#lease(token, permits)
  }

  async with<R>(body: (lease: Lease) => R | PromiseLike<R>, wait?: PermitOptions): Promise<R> {
    this.checkBody(body)
    const lease = await this.acquire(wait)
    try {
      return await body(lease)
    } finally {
      await lease.release()
    }
  }

  release(): Promise<void> {
    return this.call('release', [1])
  }

  value(): Promise<number> {
    return this.call<number>('value')
  }

  async locked(): Promise<boolean> {
    return (await this.value()) === 0
  }

  async holder(): Promise<HolderInfo | null> {
    await this.value()
    return null
  }

  #giveBack(permits: number): void {
    this.broker.post(this.number, 'release', permits)
  }

  #lease(token: number, permits: number): Lease {
    return new CountedLease(token, this.label, async () => {
      if (this.presence.gone !== null) return false
      this.#giveBack(permits)
      await this.broker.flushed()
      return true
    })
  }
}

function checkCount(permits = 1): number {
  return checkInteger(permits, { min: 1, what: 'permits' })
}

/** What was taken is nobody's, so nothing can be lost of it: only given back, once. */
class CountedLease implements Lease {
  readonly token: number
  readonly signal: AbortSignal = new AbortController().signal
  readonly #label: string
  readonly #giveBack: () => Promise<boolean>
  #released = false

  constructor(token: number, label: string, giveBack: () => Promise<boolean>) {
    this.token = token
    this.#label = label
    this.#giveBack = giveBack
  }

  get expiresIn(): number {
    return this.#released ? 0 : Number.POSITIVE_INFINITY
  }

  assertHeld(): void {
    if (this.#released) throw new LeaseLostError(`the lease on ${this.#label} was released`)
  }

  async release(): Promise<boolean> {
    if (this.#released) return false
    this.#released = true
    return this.#giveBack()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.release()
  }
}
