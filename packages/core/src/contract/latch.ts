/** A count that only goes down, on whose end processes wait. */
import type { Handle } from './handle.ts'
import type { WaitOptions } from './wait.ts'

/**
 * Open once it has been counted down to 0, and for good: a further start needs a further latch. It belongs to nobody. What a process has
 * counted stays counted when it ends, what it has not counted nobody counts for it, and the death of one that waits disturbs nobody.
 */
export interface Latch extends Handle {
  /**
   * Counts down; at 0 everybody who waits is woken. Never below 0.
   *
   * @param n how much, a whole number from 1 on; default 1
   * @returns what is left
   */
  countDown(n?: number): Promise<number>
  /** What is left. */
  count(): Promise<number>
  /** Resolves when nothing is left; at once if so. Running out of time or an abort changes nothing. */
  wait(wait?: WaitOptions): Promise<void>
}
