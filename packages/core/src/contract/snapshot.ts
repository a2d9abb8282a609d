/** Who holds what, who waits for what, and how deep it is: for people who look, and for what shows it to them. */
import type { HandleKind } from './handle.ts'

/** A process, as far as it is known: of programs elsewhere a store may keep only where they run. */
export interface PartySnapshot {
  /** Process id of Skein (not of the operating system). */
  readonly process: string | null
  /** Process name, such as `Process-3` or `main`. */
  readonly name: string | null
  readonly pid: number | null
  readonly host: string | null
}

export interface HolderSnapshot extends PartySnapshot {
  /** Of an rwlock: which side. */
  readonly side?: 'read' | 'write'
  /** Fencing token of the grant; `null` where there is none. */
  readonly token: number | null
  /** How many permits it holds; of a queue, how many items it has received and not acknowledged. */
  readonly count: number
}

export interface WaiterSnapshot extends PartySnapshot {
  readonly side?: 'read' | 'write'
  /** The call that waits: of shared state `update` is any that writes, of a topic `listen` is a loop over it. */
  readonly call: 'acquire' | 'get' | 'put' | 'join' | 'wait' | 'update' | 'listen'
  /** How many permits it wants; 1 where there are none. */
  readonly count: number
}

/**
 * One object.
 *
 * | kind            | depth                          | capacity                             | holders                       |
 * | --------------- | ------------------------------ | ------------------------------------ | ----------------------------- |
 * | lock, rlock     | 1 free, 0 held                 | 1                                    | who holds it                  |
 * | condition       | who wait to be notified        | `null`                               | who holds a lock of its own   |
 * | election        | 0 while somebody leads, or 1   | 1                                    | who leads                     |
 * | rwlock          | 0 while somebody writes, or 1  | 1                                    | who reads, or who writes      |
 * | semaphore       | permits that are free          | permits in all; `null` if unowned    | by grant                      |
 * | queue           | items that wait, as `size()`   | `maxSize`; `null` if unbounded       | of items not acknowledged     |
 * | event           | 1 set, 0 not                   | `null`                               | none                          |
 * | latch           | what is left                   | what it began with                   | none                          |
 * | barrier         | parties that have arrived      | parties                              | who runs the action           |
 * | value           | 1                              | 1                                    | whose turn it is to update    |
 * | dict, list      | entries or items               | `null`                               | the same                      |
 * | array           | its length                     | its length                           | the same                      |
 * | topic           | loops that listen              | `null`                               | none                          |
 */
export interface ObjectSnapshot {
  readonly kind: HandleKind
  /** `~…`: it has no name. */
  readonly name: string
  /** `closed`: a queue after `close()`; `broken`: a barrier until `reset()`. */
  readonly state: 'open' | 'closed' | 'broken'
  readonly depth: number
  readonly capacity: number | null
  /** Of a queue: how many of the items that wait are delayed. */
  readonly delayed?: number
  /** Of a queue: how many dead letters it has. */
  readonly dead?: number
  /** Oldest first. */
  readonly holders: readonly HolderSnapshot[]
  /** In the order in which they stand in line. */
  readonly waiters: readonly WaiterSnapshot[]
}

export interface Snapshot {
  /** When it was asked for: milliseconds since 1970, by this machine's clock. */
  readonly at: number
  readonly namespace: string
  /** By kind, then by name. Each is as it was at one moment, but not all at the same. */
  readonly objects: readonly ObjectSnapshot[]
}
