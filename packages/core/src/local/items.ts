/** A list on one machine: encoded items, in order. */
import { PageSize } from '../wire/shared.ts'
import type { Content, Operations } from './shared.ts'

export class Items implements Content {
  #items: Uint8Array[] = []

  init(): void {
    // It begins empty.
  }

  get size(): number {
    return this.#items.length
  }

  readonly reads: Operations = {
    length: () => this.size,
    /** Gives the item, or the length if there is none. */
    at: ([index]) => this.#items.at(index as number) ?? this.#items.length,
    /** Gives a page, after where it begins and where the whole ends. */
    slice: ([start, end]) => {
      const { length } = this.#items
      const within = (position: number): number =>
        Math.min(Math.max(position < 0 ? position + length : position, 0), length)
      const from = within(start as number)
      const to = end === '' ? length : within(end as number)
      const size = new PageSize()
      let at = from
      while (at < to && !size.full((this.#items[at] as Uint8Array).length)) at += 1
      // The one that made it full belongs to it.
      return [from, to, ...this.#items.slice(from, Math.min(at + 1, to))]
    },
  }

  readonly writes: Operations = {
    push: ([items]) => {
      for (const item of items as Uint8Array[]) this.#items.push(item)
      return this.#items.length
    },
    last: () => this.#items.pop() ?? null,
    first: () => this.#items.shift() ?? null,
    /** Gives null, or the length if there is no such position. */
    put: (args) => {
      const [index, item] = args as [number, Uint8Array]
      const { length } = this.#items
      const at = index < 0 ? index + length : index
      if (at < 0 || at >= length) return length
      this.#items[at] = item
      return null
    },
    /** As `put`. */
    insert: (args) => {
      const [index, item] = args as [number, Uint8Array]
      const { length } = this.#items
      const at = index < 0 ? index + length : index
      if (at < 0 || at > length) return length
      this.#items.splice(at, 0, item)
      return null
    },
    remove: ([item]) => {
      const at = this.#items.findIndex((one) => Buffer.compare(one, item as Uint8Array) === 0)
      if (at >= 0) this.#items.splice(at, 1)
      return Number(at >= 0)
    },
    clear: () => {
      this.#items = []
      return null
    },
  }
}
