/**
 * RLock on the local adapter: to the broker a lock, entered again by the async flow that holds it without asking.
 *
 * A flow is what runs under the body of a `with`. A bare `acquire()` cannot open one: until its first `await` a function runs
 * in its caller's flow, and two of them started side by side could not be told apart.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { Lease, RLock } from '../contract/lock.ts'
import type { WaitOptions } from '../contract/wait.ts'
import type { LocalLease } from './local-lease.ts'
import { LocalPermits } from './local-permits.ts'

/** One hold of one lock by one flow; over when its depth is 0. */
interface Hold {
  readonly token: number
  depth: number
}

/** By the object as this process knows it, not by its name, under which another one may have been made since. */
const flow = new AsyncLocalStorage<ReadonlyMap<object, Hold>>()

export class LocalRLock extends LocalPermits implements RLock {
  async acquire(wait?: WaitOptions): Promise<Lease> {
    const own = this.checked(wait)
    own.signal?.throwIfAborted()
    return this.#enter(this.#entered() ?? { token: await this.grant(1, own), depth: 0 })
  }

  async tryAcquire(): Promise<Lease | null> {
    const entered = this.#entered()
    if (entered !== null) return this.#enter(entered)
    const token = await this.tryGrant(1)
    return token === null ? null : this.#enter({ token, depth: 0 })
  }

  async with<R>(body: (lease: Lease) => R | PromiseLike<R>, wait?: WaitOptions): Promise<R> {
    const own = this.checked(wait)
    own.signal?.throwIfAborted()
    const entered = this.#entered()
    if (entered !== null) return this.hold(this.#enter(entered), body)
    const hold: Hold = { token: await this.grant(1, own), depth: 0 }
    const lease = this.#enter(hold)
    return flow.run(new Map([...(flow.getStore() ?? []), [this.presence, hold]]), () => this.hold(lease, body))
  }

  /** The hold of the flow that asks. It is over with the body that opened it, even for what that body left running. */
  #entered(): Hold | null {
    const hold = flow.getStore()?.get(this.presence)
    return hold !== undefined && hold.depth > 0 && this.presence.gone === null ? hold : null
  }

  #enter(hold: Hold): LocalLease {
    hold.depth += 1
    return this.lease(hold.token, () => {
      hold.depth -= 1
      if (hold.depth === 0) this.giveBack(hold.token)
    })
  }
}
