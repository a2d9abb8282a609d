/** Condition, as a process has it: its lock, and calls that lend it. */
import type { Condition, Falsy } from '../contract/condition.ts'
import type { HolderInfo, Lease } from '../contract/lock.ts'
import type { WaitOptions } from '../contract/wait.ts'
import { TimeoutError } from '../errors.ts'
import { checkFunction, checkInteger } from '../util/options.ts'
import { isPoll, timedOut, watchWait } from '../util/wait.ts'
import type { LinkedLock } from './lock.ts'
import { Presence } from './presence.ts'
import { type Place, RemoteObject } from './remote-object.ts'

/** Names the waits of this process, for the one that is to end. */
let waits = 0

export class LinkedCondition extends RemoteObject<Presence> implements Condition {
  readonly #lock: LinkedLock

  constructor(place: Place, lock: LinkedLock) {
    super(place, () => new Presence())
    this.#lock = lock
    lock.watch()
  }

  acquire(wait?: WaitOptions): Promise<Lease> {
    return this.#lock.acquire(wait)
  }

  tryAcquire(): Promise<Lease | null> {
    return this.#lock.tryAcquire()
  }

  with<R>(body: (lease: Lease) => R | PromiseLike<R>, wait?: WaitOptions): Promise<R> {
    return this.#lock.with(body, wait)
  }

  release(): Promise<void> {
    return this.#lock.release()
  }

  locked(): Promise<boolean> {
    return this.#lock.locked()
  }

  holder(): Promise<HolderInfo | null> {
    return this.#lock.holder()
  }

  async wait(wait?: WaitOptions): Promise<void> {
    const own = this.checked(wait)
    own.signal?.throwIfAborted()
    await this.#wait(own)
  }

  async waitFor<T>(predicate: () => T | PromiseLike<T>, wait?: WaitOptions): Promise<Exclude<T, Falsy>> {
    const own = this.checked(wait)
    checkFunction(predicate, 'waitFor(): predicate')
    own.signal?.throwIfAborted()
    this.#lock.own()
    const start = performance.now()
    const { signal, timeout = Number.POSITIVE_INFINITY } = own
    let last = false
    for (;;) {
      const value = await predicate()
      if (value) return value as Exclude<T, Falsy>
      const left = timeout - (performance.now() - start)
      if (last || left <= 0) throw timedOut(`what ${this.label} was waited for did not come about`, own)
      try {
        await this.#wait({ signal, timeout: left })
      } catch (error) {
        if (!(error instanceof TimeoutError)) throw error
        // One more look, and no further wait: a timer may end a part of a millisecond before its time.
        last = true
      }
    }
  }

  async notify(count = 1): Promise<void> {
    checkInteger(count, { min: 1, what: 'notify(): count' })
    await this.#notify(count)
  }

  async notifyAll(): Promise<void> {
    await this.#notify(Number.MAX_SAFE_INTEGER)
  }

  async #notify(count: number): Promise<void> {
    void this.client
    await this.call('notify', [this.#lock.own().grant.token, count])
  }

  async #wait(wait: WaitOptions): Promise<void> {
    const what = `${this.label} was not notified`
    const hold = this.#lock.own()
    if (isPoll(wait)) throw timedOut(what, wait)
    waits += 1
    const id = waits
    let over: { readonly error: unknown } | null = null
    const end = watchWait(wait, what, (error) => {
      over = { error }
      this.broker.post(this.number, 'leave', id)
    })
    try {
      const notified = await this.#lock.lend(hold, (token, options) =>
        this.call<readonly [number, boolean]>('wait', [token, id], options),
      )
      // Time ran out, and nobody was faster: a notification must not be lost on who says that it had none.
      if (over !== null && !notified) throw (over as { readonly error: unknown }).error
    } finally {
      end()
    }
  }
}
