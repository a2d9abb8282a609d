/**
 * Lock, as a process has it: one permit at the broker, or a fixed number of them.
 *
 * A flow is what runs under the body of a `with`. A bare `acquire()` cannot open one: until its first `await` a function runs
 * in its caller's flow, and two of them started side by side could not be told apart.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { Lease, Lock } from '../contract/lock.ts'
import type { WaitOptions } from '../contract/wait.ts'
import { NotHeldError } from '../errors.ts'
import type { CallOptions } from './broker-requests.ts'
import { Hold } from './hold.ts'
import type { LinkedLease } from './lease.ts'
import { LinkedPermits } from './permits.ts'
import type { Place } from './remote-object.ts'

/** By the object as this process knows it, not by its name, under which another one may have been made since. */
const flow = new AsyncLocalStorage<ReadonlyMap<object, Hold>>()

export class LinkedLock extends LinkedPermits implements Lock {
  protected readonly permits: number

  constructor(place: Place, permits = 1) {
    super(place)
    this.permits = permits
  }

  async acquire(wait?: WaitOptions): Promise<Lease> {
    const own = this.#unaborted(wait)
    return this.#enter(this.entered() ?? new Hold(await this.grant(this.permits, own)))
  }

  async tryAcquire(): Promise<Lease | null> {
    const entered = this.entered()
    if (entered !== null) return this.#enter(entered)
    const grant = await this.tryGrant(this.permits)
    return grant === null ? null : this.#enter(new Hold(grant))
  }

  async with<R>(body: (lease: Lease) => R | PromiseLike<R>, wait?: WaitOptions): Promise<R> {
    this.checkBody(body)
    const own = this.#unaborted(wait)
    const entered = this.entered()
    if (entered !== null) return this.hold(this.#enter(entered), body)
    const hold = new Hold(await this.grant(this.permits, own))
    hold.flow = this.opensFlows
    const lease = this.#enter(hold)
    if (!hold.flow) return this.hold(lease, body)
    return flow.run(new Map([...(flow.getStore() ?? []), [this.presence, hold]]), () => this.hold(lease, body))
  }

  /** A condition of this lock is in use here: it has to know which flow holds the lock. */
  watch(): void {
    this.presence.watched = true
  }

  /** The hold of whoever asks. @throws NotHeldError if the lock is not theirs */
  own(): Hold {
    const { current, gone } = this.presence
    if (gone !== null) throw gone
    if (!this.#lasts(current)) throw new NotHeldError(`${this.label} is not held here, or no longer; acquire it first`)
    if (!current.flow || this.inFlow() === current) return current
    throw new NotHeldError(`${this.label} is held by another flow of this process; acquire it in this one first`)
  }

  /**
   * Gives the lock up for as long as `wait` takes at the broker, all levels of it, and has it again when this resolves. When it rejects,
   * the lock is lost for the same reason.
   *
   * @param wait asks the broker, which takes the token back in the same step; it answers with a new one
   */
  async lend<T>(
    hold: Hold,
    wait: (token: number, options: CallOptions) => Promise<readonly [token: number, T]>,
  ): Promise<T> {
    const { tenure } = this.presence
    const withdrawn = new AbortController()
    let epoch = 0
    const waiting = wait(hold.grant.token, {
      wait: { signal: withdrawn.signal },
      owner: this.home,
      answered: () => {
        epoch = tenure.epoch
      },
      late: (value) => this.giveBackUnheard((value as [number])[0]),
    })
    const released = (): NotHeldError => new NotHeldError(`${this.label} was released during wait()`)
    hold.lend((cause) => withdrawn.abort(cause ?? released()))
    try {
      const [token, value] = await waiting
      const grant = { token, epoch }
      hold.restore(this.usable(grant) ? grant : await this.grant(this.permits, {}), tenure)
      this.presence.current = hold
      if (hold.leases.size > 0) return value
      // Released between the answer and now.
      this.giveBackUnheard(hold.grant.token)
      throw released()
    } catch (error) {
      hold.lose(error)
      throw error
    }
  }

  /** What whoever asks may enter again. */
  protected entered(): Hold | null {
    return null
  }

  /** Whether a `with` opens a flow: the process follows its promises from then on, which slows all of them. */
  protected get opensFlows(): boolean {
    return this.presence.watched
  }

  /** The hold of the flow that asks. It is over with the body that opened it, even for what that body left running. */
  protected inFlow(): Hold | null {
    const hold = flow.getStore()?.get(this.presence)
    return this.presence.gone === null && this.#lasts(hold) ? hold : null
  }

  #lasts(hold: Hold | null | undefined): hold is Hold {
    if (hold == null || hold.lent || hold.leases.size === 0) return false
    return this.presence.tenure.remaining(hold.grant.epoch) > 0
  }

  #unaborted(wait: WaitOptions | undefined): WaitOptions {
    const own = this.checked(wait)
    own.signal?.throwIfAborted()
    return own
  }

  #enter(hold: Hold): LinkedLease {
    this.presence.current = hold
    return this.lease(hold)
  }
}
