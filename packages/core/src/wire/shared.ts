/** What the process's half of shared state and the state behind it agree on, besides the methods `read`, `write` and `acquire`. */

/** A value as it is kept: bytes of the local wire, or JSON where a store shows it to people. */
export type Stored = Uint8Array | string

/** A value with the number of the write that put it there; 0 and nothing: there is none. */
export type Cell<S extends Stored = Stored> = readonly [version: number, stored?: S]

/** The answer to a write while somebody else has the turn: it has not been made, and is to be made again in a turn of its own. No stored text is like it. */
export const busy = 'busy'

/** Milliseconds for which a turn keeps others from writing. */
export const TURN = 1_000

/** The most that one answer holds: so many items, or as many as it takes to make up so many bytes. */
export const PAGE_ITEMS = 1_000
export const PAGE_BYTES = 1_048_576

/** The most that one call sends. */
export const CALL_ITEMS = 100_000
export const CALL_BYTES = 67_108_864

/** Measures a page while it is gathered. */
export class PageSize {
  #items = 0
  #bytes = 0

  /** With one more of so many bytes: whether that was the last. */
  full(bytes: number): boolean {
    this.#items += 1
    this.#bytes += bytes
    return this.#items >= PAGE_ITEMS || this.#bytes >= PAGE_BYTES
  }
}
