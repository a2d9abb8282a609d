/** The items of a queue that were delivered too often: kept until somebody retries or clears them. */
import type { Item } from './deliveries.ts'

interface Letter {
  readonly item: Item
  readonly reason: string
  /** Milliseconds since 1970. */
  readonly at: number
}

export class DeadLetters {
  /** By id, the oldest first. */
  readonly #letters = new Map<string, Letter>()
  #count = 0

  get length(): number {
    return this.#letters.size
  }

  add(item: Item, reason: string): void {
    this.#count += 1
    this.#letters.set(String(this.#count), { item, reason, at: Date.now() })
  }

  /** As they travel: id, attempts, reason, when, bytes. */
  list(): readonly (readonly [string, number, string, number, Uint8Array])[] {
    return [...this.#letters].map(([id, { item, reason, at }]) => [id, item.attempt, reason, at, item.bytes])
  }

  take(id: string): Item | undefined {
    const letter = this.#letters.get(id)
    this.#letters.delete(id)
    return letter?.item
  }

  /** @returns how many there were */
  clear(): number {
    const { size } = this.#letters
    this.#letters.clear()
    return size
  }
}
