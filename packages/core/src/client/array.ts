/** SharedArray, as a process has it: cells by position, of which there are so many. */
import type { SharedArray } from '../contract/state.ts'
import { checkPosition, outOfRange } from '../util/positions.ts'
import type { Cell, Stored } from '../wire/shared.ts'
import type { Place } from './remote-object.ts'
import { LinkedShared, type Seed } from './shared.ts'

export class LinkedArray<T> extends LinkedShared implements SharedArray<T> {
  readonly #length: number

  /** @param place with the shape `{ length }` */
  constructor(place: Place, seed: Seed | null) {
    super(place, seed)
    this.#length = Number(place.shape['length'])
  }

  async get(index: number): Promise<T> {
    const [, stored] = await this.read<Cell>('get', this.#key(index))
    return this.decode(stored as Stored) as T
  }

  async set(index: number, item: T): Promise<void> {
    await this.write('set', this.#key(index), this.encode(item, 'item'))
  }

  /** What it says is known here; that the array is there is not. */
  async length(): Promise<number> {
    await this.read('look')
    return this.#length
  }

  async slice(start = 0, end: number = this.#length): Promise<T[]> {
    const to = this.#within(end)
    const all: T[] = []
    for (let at = this.#within(start); at < to;) {
      const items = await this.read<Stored[]>('range', at, to)
      for (const item of items) all.push(this.decode(item) as T)
      at += items.length
    }
    return all
  }

  /** From the front, and not beyond the ends. */
  #within(position: number): number {
    const from = checkPosition(position, this.label)
    return Math.min(Math.max(from < 0 ? from + this.#length : from, 0), this.#length)
  }

  #key(index: number): string {
    const from = checkPosition(index, this.label)
    const at = from < 0 ? from + this.#length : from
    if (at < 0 || at >= this.#length) throw outOfRange(this.label, index, this.#length)
    return String(at)
  }
}
