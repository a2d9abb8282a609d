/** Waiting, under a lock, until another holder of it says that something has changed. */
import type { Lock, RLock } from './lock.ts'
import type { WaitOptions } from './wait.ts'

/** The name itself, or: */
export interface ConditionOptions {
  readonly name?: string | undefined
  /** The lock that it belongs to; several conditions may share one. Default: an RLock of its own, that nothing else has. */
  readonly lock?: Lock | RLock | undefined
}

/** What `waitFor` takes for "not yet". */
export type Falsy = false | null | undefined | 0 | 0n | ''

/**
 * Its lock, and a line of those who wait to be notified. Each of the methods below is for who holds the lock, else it rejects with
 * `NotHeldError`: for what runs in the body of a `with`, nothing else; after a bare `acquire()`, which opens no flow, for anything in the
 * process.
 *
 * - To wait gives the lock up, all levels of an RLock, in the same step in which it enters the line: no notification falls in between.
 * - Who is notified moves to the line for the lock, and is not woken before it has the lock.
 * - It holds the lock again when its wait settles, under a new fencing token that its leases show then. Meanwhile their `assertHeld()`
 *   throws. This is also so when time runs out or the signal aborts, as in Python: the wait then takes as long as others hold the lock. Only a
 *   wait that nobody can bring to an end properly (the lock or the condition was destroyed, the connection stayed away) leaves its leases lost.
 * - A notification to a process that dies, before or while it holds the lock for it, goes on to the next in line.
 * - After a loss (on Redis: of the session, or because the process was stopped) a wait ends as if it had been notified, since it may have
 *   been. So look at what you wait for again, or let `waitFor` do it.
 * - Where a majority of several servers keeps the lock, who waits stands on the first of them: while that is away `notify` rejects with
 *   `ConnectionError`, and waits go on; they end as if notified when it is back and knows nothing of them.
 *
 * It ends with its lock.
 */
export interface Condition extends Lock {
  /** Waits to be notified. `timeout <= 0`: rejects at once, without giving the lock up. @throws TimeoutError */
  wait(wait?: WaitOptions): Promise<void>
  /**
   * Waits until `predicate` gives something truthy, and resolves to that. It is called under the lock: now, whenever this has been notified, and
   * once more when the time has run out. If it throws, this rejects with that. @throws TimeoutError
   */
  waitFor<T>(predicate: () => T | PromiseLike<T>, wait?: WaitOptions): Promise<Exclude<T, Falsy>>
  /**
   * Notifies the first `count` that wait, or all there are. It is not kept for those who wait later. Default 1.
   *
   * @throws ConnectionError after 5 s without the server that has the line, which of several is the first: nobody has been notified, unless it is
   *   `indeterminate`; the lock is held as before
   */
  notify(count?: number): Promise<void>
  notifyAll(): Promise<void>
}
