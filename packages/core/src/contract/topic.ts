/** Messages to everybody who listens. */
import type { Handle } from './handle.ts'

/**
 * A loop hears what is published from when it begins (from the call of `[Symbol.asyncIterator]()`) until it is left, and nothing of before;
 * each loop hears all of it, in the order in which it was published. Nothing is kept for who is not there: that is a queue.
 *
 * A loop that falls too far behind (10,000 messages or 64 MB that it has not taken), or that a store cannot give all it has missed after an
 * outage, hears what it has, then ends with `CapacityError`: what was missed is never skipped in silence. Begin another loop to go on.
 */
export interface Topic<T> extends Handle, AsyncIterable<T> {
  /** The message is encoded inside the call. Resolves when all who listen will hear it; if nobody listens, at once. @throws EncodeError */
  publish(message: T): Promise<void>
  [Symbol.asyncIterator](): AsyncIterableIterator<T>
}
