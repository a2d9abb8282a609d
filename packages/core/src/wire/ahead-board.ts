/**
 * Which items that travelled ahead of demand to the main program are still there for the taking: in memory that both threads share,
 * because the main program may be in the middle of a long computation when another consumer asks for them. Whoever swaps
 * an item's tag for 0 first has it.
 */

const SLOTS = 2048

/** An item's place on the board. */
export interface Place {
  readonly slot: number
  readonly tag: number
}

/** The place of an item that is not on the board: with a child, or when the board is full. */
export const off: Place = { slot: 0, tag: 0 }

export class AheadBoard {
  readonly memory: SharedArrayBuffer
  readonly #tags: Int32Array
  readonly #free: number[] = []
  #lastTag = 0

  /** @param memory of the board of the other thread; without it a new one */
  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer(SLOTS * 4)) {
    this.memory = memory
    this.#tags = new Int32Array(memory)
    // Slot 0 means none.
    for (let slot = SLOTS - 1; slot > 0; slot -= 1) this.#free.push(slot)
  }

  /** The sender's side: a place for an item, or null while all are taken. Tags differ, so that a place used again is told from its former item. */
  put(): Place | null {
    const slot = this.#free.pop()
    if (slot === undefined) return null
    this.#lastTag = (this.#lastTag % 0x7fff_ffff) + 1
    Atomics.store(this.#tags, slot, this.#lastTag)
    return { slot, tag: this.#lastTag }
  }

  /** Takes the item; `false`: the other side was first. */
  take({ slot, tag }: Place): boolean {
    return slot === 0 || Atomics.compareExchange(this.#tags, slot, tag, 0) === tag
  }

  /** The sender's side: the place is free for another item. */
  free({ slot }: Place): void {
    if (slot !== 0) this.#free.push(slot)
  }
}
