/** How items come into a queue: numbered, and each id once at a time. */
import type { PutHow } from '../queue/put-options.ts'
import { off } from '../wire/ahead-board.ts'
import type { Deliveries, Item } from './deliveries.ts'

/** Of an item of which nothing is said. */
export const plainly: PutHow = [0, 0, '']

export class Intake {
  /** Of items that are not over. */
  readonly #ids = new Set<string>()
  #count = 0

  /** The number of the newest item. */
  get count(): number {
    return this.#count
  }

  has(id: string): boolean {
    return this.#ids.has(id)
  }

  /** An item whose id is there already is that item. */
  add(items: Deliveries, bytes: Uint8Array, [delay, priority, id]: PutHow): void {
    if (id !== '') {
      if (this.#ids.has(id)) return
      this.#ids.add(id)
    }
    this.#count += 1
    items.add({ number: this.#count, bytes, priority, id, attempt: 1, place: off }, delay)
  }

  /** The item is over. */
  finished({ id }: Item): void {
    if (id !== '') this.#ids.delete(id)
  }

  /** How a dead letter comes back. Its id may belong to another item by now. */
  again({ priority, id }: Item): PutHow {
    return [0, priority, this.#ids.has(id) ? '' : id]
  }
}
