/** Mutual exclusion: a lock, its re-entrant form, and the lease that both hand out. */
import type { Handle } from './handle.ts'
import type { WaitOptions } from './wait.ts'

/** Who holds something. */
export interface HolderInfo {
  /** Process id of Skein (not of the operating system). */
  readonly process: string
  /** Process name, such as `Process-3` or `main`. */
  readonly name: string
  readonly pid: number
  readonly host: string
  /** Fencing token of the grant. */
  readonly token: number
}

/** One grant of a lock or of permits. Leaving its scope releases it. */
export interface Lease extends AsyncDisposable {
  /** Fencing token: a safe integer, larger for every later grant of the same name. */
  readonly token: number
  /** Aborts with `LeaseLostError` before anybody else can be granted. A blocked event loop cannot hear it; ask `assertHeld()`. */
  readonly signal: AbortSignal
  /** Milliseconds until the lease ends unless it is renewed; `Infinity` on the local adapter. */
  readonly expiresIn: number
  /** @throws LeaseLostError if the lease is no longer held; synchronous, right even after a long block. */
  assertHeld(): void
  /** Gives it back; `false`: it was already released or lost. Never throws for that, so it never masks a body's error. */
  release(): Promise<boolean>
}

/**
 * Granted in the order of asking. Only the holder releases. A holder that dies gives way to the next waiter at once.
 * Not re-entrant: see {@link RLock}.
 */
export interface Lock extends Handle {
  /** Waits for the lock. Running out of time or an abort leaves no place in the queue. */
  acquire(wait?: WaitOptions): Promise<Lease>
  /** The lock now, or `null`. Never waits. */
  tryAcquire(): Promise<Lease | null>
  /** Runs `body` while holding the lock, and releases it whatever `body` does. */
  with<R>(body: (lease: Lease) => R | PromiseLike<R>, wait?: WaitOptions): Promise<R>
  /** Releases the oldest lease that this handle took. @throws NotHeldError if it holds none. */
  release(): Promise<void>
  locked(): Promise<boolean>
  /** Who holds it now, or `null`. */
  holder(): Promise<HolderInfo | null>
}

/**
 * A lock that the same async flow may take again: `acquire` or `with` inside the body of `with`, at any depth.
 * Another flow, of the same process or not, waits. A bare `acquire()` opens no flow, since a function that was called and
 * its caller cannot be told apart before the first `await`: re-enter through `with`.
 */
export interface RLock extends Lock {}
