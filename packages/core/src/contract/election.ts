/** One of many processes leads; when it goes, another one does. */
import type { Handle } from './handle.ts'
import type { HolderInfo, Lease } from './lock.ts'
import type { WaitOptions } from './wait.ts'

/**
 * Those that run for it stand in line, and lead in the order of asking. A leader that dies, is stopped or loses its way to Redis is
 * followed by the next, as the holder of a lock is. It belongs to the election's name: whoever uses that runs for the same post.
 */
export interface Election extends Handle {
  /**
   * Waits to be elected, and leads for as long as `body` runs. What it leads with is a lease: `lease.signal` aborts before anybody else can be
   * elected, `lease.assertHeld()` is right even after a long block, and `lease.token` rises from leader to leader, for whoever has to tell an
   * old one from a new one. Running out of time or an abort leaves no place in line.
   *
   * @returns what `body` returned
   */
  run<R>(body: (lease: Lease) => R | PromiseLike<R>, wait?: WaitOptions): Promise<R>
  /** Who leads now, or `null`. */
  leader(): Promise<HolderInfo | null>
}
