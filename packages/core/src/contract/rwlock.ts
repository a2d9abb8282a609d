/** A lock that many may hold to read, and one alone to write. */
import type { Handle } from './handle.ts'
import type { Lock } from './lock.ts'

/**
 * Granted in the order of asking, readers and writers in one line: readers that stand next to each other read together, and who asks to
 * read behind a waiting writer waits for it. So neither starves. What a process held, reading or writing, is free when it dies.
 *
 * Not re-entrant, and reading never turns into writing: who reads and then waits to write, or to read again behind a writer, waits
 * for itself.
 */
export interface RWLock extends Handle {
  /**
   * To read, together with others. `locked()` is whether somebody reads, `holder()` who of the readers was granted first. Tokens of readers and
   * writers rise in one row, so a later writer has a larger one than all who read before. As a handle it crosses alone: who gets it may read.
   */
  readonly read: Lock
  /** To write, alone. `locked()` is whether somebody writes, `holder()` who. */
  readonly write: Lock
}
