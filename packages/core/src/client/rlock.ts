/**
 * RLock: to the broker a lock, entered again by the async flow that holds it without asking.
 *
 * A flow is what runs under the body of a `with`. A bare `acquire()` cannot open one: until its first `await` a function runs
 * in its caller's flow, and two of them started side by side could not be told apart.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { Lease, RLock } from '../contract/lock.ts'
import type { WaitOptions } from '../contract/wait.ts'
import type { LinkedLease } from './lease.ts'
import { type Grant, LinkedPermits } from './permits.ts'

/** One hold of one lock by one flow; over when its depth is 0. */
interface Hold {
  readonly grant: Grant
  depth: number
}

/** By the object as this process knows it, not by its name, under which another one may have been made since. */
const flow = new AsyncLocalStorage<ReadonlyMap<object, Hold>>()

export class LinkedRLock extends LinkedPermits implements RLock {
  async acquire(wait?: WaitOptions): Promise<Lease> {
    const own = this.checked(wait)
    own.signal?.throwIfAborted()
    return this.#enter(this.#entered() ?? { grant: await this.grant(1, own), depth: 0 })
  }

  async tryAcquire(): Promise<Lease | null> {
    const entered = this.#entered()
    if (entered !== null) return this.#enter(entered)
    const grant = await this.tryGrant(1)
    return grant === null ? null : this.#enter({ grant, depth: 0 })
  }

  async with<R>(body: (lease: Lease) => R | PromiseLike<R>, wait?: WaitOptions): Promise<R> {
    const own = this.checked(wait)
    own.signal?.throwIfAborted()
    const entered = this.#entered()
    if (entered !== null) return this.hold(this.#enter(entered), body)
    const hold: Hold = { grant: await this.grant(1, own), depth: 0 }
    const lease = this.#enter(hold)
    return flow.run(new Map([...(flow.getStore() ?? []), [this.presence, hold]]), () => this.hold(lease, body))
  }

  /** The hold of the flow that asks. It is over with the body that opened it, even for what that body left running. */
  #entered(): Hold | null {
    const hold = flow.getStore()?.get(this.presence)
    if (hold === undefined || hold.depth === 0 || this.presence.gone !== null) return null
    return this.presence.tenure.remaining(hold.grant.epoch) > 0 ? hold : null
  }

  #enter(hold: Hold): LinkedLease {
    hold.depth += 1
    return this.lease(hold.grant, () => {
      hold.depth -= 1
      if (hold.depth === 0) this.giveBack(hold.grant.token)
    })
  }
}
