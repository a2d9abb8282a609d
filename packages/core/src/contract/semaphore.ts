/** A number of permits. */
import type { Handle } from './handle.ts'
import type { HolderInfo, Lease } from './lock.ts'
import type { WaitOptions } from './wait.ts'

export interface SemaphoreOptions {
  readonly name?: string | undefined
  /**
   * `false`: permits belong to nobody, as in Python. They are only counted: anybody may `release()` one, more than there were at first, too;
   * what a process took or gave stays so when it dies. Default `true`.
   */
  readonly owned?: boolean | undefined
}

export interface PermitOptions extends WaitOptions {
  /** How many permits to take at once; 1 … all, and with `owned: false` as many as one likes. Default 1. */
  readonly permits?: number | undefined
}

/**
 * Permits are leases: granted in the order of asking (a large request is not overtaken by small ones), given back by their
 * holder, and given back at once when the holder dies.
 *
 * With `owned: false` a lease belongs to nobody, so that it is never lost: its `signal` never aborts, `expiresIn` is `Infinity`, and neither
 * a death nor the close of a context gives anything back. It remembers how much was taken: leaving its scope or `release()` returns that,
 * once. Who uses the semaphore as a signal lets go of the lease and has somebody else call `semaphore.release()`.
 */
export interface Semaphore extends Handle {
  /** How many permits there are in all; with `owned: false`, how many there were at first. */
  readonly permits: number
  /** Waits for permits. Running out of time or an abort takes none. */
  acquire(wait?: PermitOptions): Promise<Lease>
  /** Permits now, or `null`. Never waits. */
  tryAcquire(options?: { readonly permits?: number | undefined }): Promise<Lease | null>
  with<R>(body: (lease: Lease) => R | PromiseLike<R>, wait?: PermitOptions): Promise<R>
  /**
   * Gives back the oldest lease that this handle took; with `owned: false`, adds one permit.
   * @throws NotHeldError if it holds none; RangeError if it is a bounded one
   */
  release(): Promise<void>
  /** How many permits are free now. */
  value(): Promise<number>
  /** Whether no permit is free now. */
  locked(): Promise<boolean>
  /** Who of those that hold permits now was granted first, or `null`; with `owned: false` nobody does. */
  holder(): Promise<HolderInfo | null>
}
