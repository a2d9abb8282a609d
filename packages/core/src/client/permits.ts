/** What lock, rlock and semaphore share: asking the broker for permits, and the leases that come of it. */
import { NotHeldError } from '../errors.ts'
import type { HolderInfo, Lease } from '../contract/lock.ts'
import type { WaitOptions } from '../contract/wait.ts'
import { isPoll, timedOut } from '../util/wait.ts'
import { op } from '../wire/frame.ts'
import { acquireHead, numberHead } from '../wire/number-frames.ts'
import type { Grant, Hold } from './hold.ts'
import { LinkedLease } from './lease.ts'
import { RemoteObject, type Place } from './remote-object.ts'
import { Presence } from './presence.ts'
import { Holding, type Tenure } from './tenure.ts'

/** The leases of one object in this process: they are lost together when the object goes. */
class Leases extends Presence {
  /** What they depend on. */
  readonly tenure: Tenure
  /** Of a lock: the last hold of this process, which may be over. */
  current: Hold | null = null
  /** Of a lock: somebody has to know which flow holds it. */
  watched: boolean = false
  readonly #leases = new Set<LinkedLease>()

  constructor(tenure: Tenure) {
    super()
    this.tenure = tenure
  }

  add(lease: LinkedLease): void {
    this.#leases.add(lease)
  }

  delete(lease: LinkedLease): void {
    this.#leases.delete(lease)
  }

  protected override lost(reason: Error): void {
    for (const lease of this.#leases) lease.lose(reason)
  }

  override retired(reason: Error, tenure: Tenure): void {
    if (tenure === this.tenure) for (const lease of this.#leases) lease.retire(reason)
  }
}

const noWaiting: WaitOptions = { timeout: 0 }

/** The epoch of an answer: when its promise is heard, news of a loss may have come behind it. */
class Noted {
  epoch = 0
  readonly note: () => void

  constructor(tenure: Tenure) {
    this.note = () => void (this.epoch = tenure.epoch)
  }
}

export abstract class LinkedPermits extends RemoteObject<Leases> {
  /** Those that this handle took, oldest first. */
  readonly #taken = new Set<LinkedLease>()

  constructor(place: Place) {
    const { kind, home } = place
    const majority = home.nature.quorum === true && (kind === 'lock' || kind === 'rlock' || kind === 'election')
    super(place, (client) => new Leases(majority ? client.quorumTenure : client.tenure))
  }

  async release(): Promise<void> {
    for (const lease of this.#taken) {
      if (await lease.release()) return
    }
    throw this.noneTaken()
  }

  /** What a release rejects with where this handle holds nothing. */
  protected noneTaken(): Error {
    return new NotHeldError(`this handle holds no lease on ${this.label}; only who acquired it can release it`)
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

  /** Waits for permits. The options are checked. */
  protected async grant(permits: number, wait: WaitOptions): Promise<Grant> {
    const what = `${this.label} was not granted`
    const start = performance.now()
    let own = wait
    for (;;) {
      const noted = new Noted(this.presence.tenure)
      const token = await this.#acquire(permits, own, what, noted)
      if (token === null) throw timedOut(what, wait)
      const grant = { token, epoch: noted.epoch }
      if (this.usable(grant)) return grant
      // It came while this process stood still, and is lost; the next one is not.
      const { timeout } = wait
      if (timeout !== undefined) own = { ...wait, timeout: Math.max(0, timeout - (performance.now() - start)) }
    }
  }

  protected async tryGrant(permits: number): Promise<Grant | null> {
    const noted = new Noted(this.presence.tenure)
    const token = await this.#acquire(permits, noWaiting, '', noted)
    if (token === null) return null
    const grant = { token, epoch: noted.epoch }
    return this.usable(grant) ? grant : null
  }

  /** As `callOrPoll`. */
  #acquire(permits: number, wait: WaitOptions, what: string, noted: Noted): Promise<number | null> {
    const poll = isPoll(wait)
    return this.request((request) => this.broker.send(op.acquire, this.number, request, acquireHead(permits, poll)), {
      wait: poll ? { signal: wait.signal } : wait,
      what,
      owner: this.home,
      answered: noted.note,
      late: (token) => {
        if (token !== null) this.giveBack(token as number)
      },
    })
  }

  /** The grant may have crossed the close of the context, whose leases have been given back by then, or a loss. */
  protected usable({ token, epoch }: Grant): boolean {
    const lasts = this.presence.tenure.remaining(epoch) > 0
    if (!this.home.open || !lasts) this.giveBack(token)
    this.home.checkOpen()
    return lasts
  }

  protected giveBack(token: number): void {
    this.broker.send(op.release, this.number, 0, numberHead(token))
  }

  /** As if its holder had died: who was notified by it is not here any more. */
  protected giveBackUnheard(token: number): void {
    this.broker.send(op.release, this.number, 1, numberHead(token))
  }

  /** One more lease on what was granted; the last one to end gives it back. */
  protected lease(hold: Hold): LinkedLease {
    const { token, epoch } = hold.grant
    const lease = new LinkedLease(token, this.label, new Holding(this.presence.tenure, epoch), {
      over: (one) => {
        hold.leases.delete(one)
        this.presence.delete(one)
        this.#taken.delete(one)
        this.home.leases.delete(one)
      },
      giveBack: (cause) => {
        const grant = hold.left(cause)
        if (grant === null) return this.broker.flushed()
        return this.broker.sendNow(op.release, this.number, 0, numberHead(grant.token))
      },
    })
    hold.leases.add(lease)
    this.presence.add(lease)
    this.#taken.add(lease)
    this.home.leases.add(lease)
    return lease
  }

  /** Runs a body and releases the lease whatever the body does. */
  protected async hold<R>(lease: LinkedLease, body: (lease: Lease) => R | PromiseLike<R>): Promise<R> {
    try {
      return await body(lease)
    } finally {
      await lease.release()
    }
  }
}
