/** A number of permits. */
import type { Handle } from './handle.ts'
import type { HolderInfo, Lease } from './lock.ts'
import type { WaitOptions } from './wait.ts'

export interface PermitOptions extends WaitOptions {
  /** How many permits to take at once; 1 … all. Default 1. */
  readonly permits?: number | undefined
}

/**
 * Permits are leases: granted in the order of asking (a large request is not overtaken by small ones), given back by their
 * holder, and given back at once when the holder dies.
 */
export interface Semaphore extends Handle {
  /** How many permits there are in all. */
  readonly permits: number
  /** Waits for permits. Running out of time or an abort takes none. */
  acquire(wait?: PermitOptions): Promise<Lease>
  /** Permits now, or `null`. Never waits. */
  tryAcquire(options?: { readonly permits?: number | undefined }): Promise<Lease | null>
  with<R>(body: (lease: Lease) => R | PromiseLike<R>, wait?: PermitOptions): Promise<R>
  /** Gives back the oldest lease that this handle took. @throws NotHeldError if it holds none; RangeError if it is a bounded one. */
  release(): Promise<void>
  /** How many permits are free now. */
  value(): Promise<number>
  /** Whether no permit is free now. */
  locked(): Promise<boolean>
  /** Who of those that hold permits now was granted first, or `null`. */
  holder(): Promise<HolderInfo | null>
}
