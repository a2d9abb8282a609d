/** What lock, rlock and semaphore share on the local adapter: asking the broker for permits, and the leases that come of it. */
import { NotHeldError } from '../errors.ts'
import type { HolderInfo, Lease } from '../contract/lock.ts'
import type { WaitOptions } from '../contract/wait.ts'
import { timedOut } from '../util/wait.ts'
import { LocalLease } from './local-lease.ts'
import { LocalObject, type Place } from './local-object.ts'
import { Presence } from './presence.ts'

/** The leases of one object in this process: they are lost together when the object goes. */
class Leases extends Presence {
  readonly #leases = new Set<LocalLease>()

  add(lease: LocalLease): void {
    this.#leases.add(lease)
  }

  delete(lease: LocalLease): void {
    this.#leases.delete(lease)
  }

  protected override lost(reason: Error): void {
    for (const lease of this.#leases) lease.lose(reason)
  }
}

export abstract class LocalPermits extends LocalObject<Leases> {
  /** Those that this handle took, oldest first. */
  readonly #taken = new Set<LocalLease>()

  constructor(place: Place) {
    super(place, () => new Leases())
  }

  async release(): Promise<void> {
    for (const lease of this.#taken) {
      if (await lease.release()) return
    }
    throw new NotHeldError(`this handle holds no lease on ${this.label}; only who acquired it can release it`)
  }

  value(): Promise<number> {
    return this.call<number>('value')
  }

  async locked(): Promise<boolean> {
    return (await this.value()) === 0
  }

  holder(): Promise<HolderInfo | null> {
    return this.call<HolderInfo | null>('holder')
  }

  /** Waits for permits; their token. The options are checked. */
  protected async grant(permits: number, wait: WaitOptions): Promise<number> {
    const what = `${this.label} was not granted`
    const token = await this.callOrPoll<number | null>('acquire', [permits], wait, what, {
      late: (late) => this.giveBack(late as number),
    })
    if (token === null) throw timedOut(what, wait)
    return this.#usable(token)
  }

  protected async tryGrant(permits: number): Promise<number | null> {
    const token = await this.call<number | null>('acquire', [permits, true])
    return token === null ? null : this.#usable(token)
  }

  /** The grant may have crossed the close of the context, whose leases have been given back by then. */
  #usable(token: number): number {
    if (!this.home.open) this.giveBack(token)
    this.checked()
    return token
  }

  protected giveBack(token: number): void {
    this.broker.post(this.number, 'release', token)
  }

  /** A lease on what was granted. */
  protected lease(token: number, giveBack: () => void = () => this.giveBack(token)): LocalLease {
    const lease = new LocalLease(token, this.label, {
      over: (one) => {
        this.presence.delete(one)
        this.#taken.delete(one)
        this.home.leases.delete(one)
      },
      giveBack: () => {
        giveBack()
        return this.broker.flushed()
      },
    })
    this.presence.add(lease)
    this.#taken.add(lease)
    this.home.leases.add(lease)
    return lease
  }

  /** Runs a body and releases the lease whatever the body does. */
  protected async hold<R>(lease: LocalLease, body: (lease: Lease) => R | PromiseLike<R>): Promise<R> {
    try {
      return await body(lease)
    } finally {
      await lease.release()
    }
  }
}
