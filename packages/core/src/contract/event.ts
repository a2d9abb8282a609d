/** A flag on which processes wait. */
import type { Handle } from './handle.ts'
import type { WaitOptions } from './wait.ts'

/**
 * Down at first. It belongs to nobody: it stays as it is when the process that set it ends, and the death of one that waits disturbs
 * nobody.
 */
export interface Event extends Handle {
  /** Raises it, and wakes everybody who waits: also those who will not look before it is cleared again. Set already: no-op. */
  set(): Promise<void>
  /** Lowers it: who waits from now on waits for the next `set()`. */
  clear(): Promise<void>
  isSet(): Promise<boolean>
  /** Resolves when it is set; at once if it is. Running out of time or an abort changes nothing. */
  wait(wait?: WaitOptions): Promise<void>
}
