/** SharedList, as a process has it. */
import type { SharedList } from '../contract/state.ts'
import { checkPosition, outOfRange } from '../util/positions.ts'
import { PAGE_ITEMS, type Stored } from '../wire/shared.ts'
import { LinkedShared } from './shared.ts'

/** Milliseconds after which what a loop has read ahead is read again. */
const FRESH = 10

/** Where a page of a slice begins and where the slice ends, from the front, and the items. */
type Page = readonly [start: number, end: number, ...items: Stored[]]

export class LinkedList<T> extends LinkedShared implements SharedList<T> {
  async push(...items: T[]): Promise<number> {
    return this.write<number>('push', this.encodeAll(items))
  }

  pop(): Promise<T> {
    return this.#take('last')
  }

  shift(): Promise<T> {
    return this.#take('first')
  }

  async get(index: number): Promise<T> {
    const got = await this.read<Stored | number>('at', checkPosition(index, this.label))
    if (typeof got === 'number') throw outOfRange(this.label, index, got)
    return this.decode(got) as T
  }

  async set(index: number, item: T): Promise<void> {
    await this.#put('put', index, item)
  }

  async insert(index: number, item: T): Promise<void> {
    await this.#put('insert', index, item)
  }

  length(): Promise<number> {
    return this.read<number>('length')
  }

  async slice(start = 0, end?: number): Promise<T[]> {
    checkPosition(start, this.label)
    if (end !== undefined) checkPosition(end, this.label)
    const all: T[] = []
    for (let [at, to]: [number, number | null] = [start, end ?? null]; ;) {
      const page = await this.#page(at, to)
      for (const item of page.items) all.push(this.decode(item) as T)
      at = page.start + page.items.length
      to = page.end
      if (page.items.length === 0 || at >= to) return all
    }
  }

  async remove(item: T): Promise<boolean> {
    return (await this.write<number>('remove', this.encode(item, 'item'))) === 1
  }

  async clear(): Promise<void> {
    await this.write('clear')
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    for (let [index, ahead] = [0, 1]; ;) {
      const { changes } = this
      const asked = performance.now()
      const { items } = await this.#page(index, index + ahead)
      if (items.length === 0) return
      let given = 0
      for (const item of items) {
        if (given > 0 && (changes !== this.changes || performance.now() - asked > FRESH)) break
        yield this.decode(item) as T
        given += 1
      }
      index += given
      // A loop that makes use of all of it gets twice as much the next time.
      ahead = given === items.length ? Math.min(2 * ahead, PAGE_ITEMS) : 1
    }
  }

  async #page(start: number, end: number | null): Promise<{ start: number; end: number; items: Stored[] }> {
    const [from, to, ...items] = await this.read<Page>('slice', start, end ?? '')
    return { start: from, end: to, items }
  }

  async #take(end: 'last' | 'first'): Promise<T> {
    const item = await this.write<Stored | null>(end)
    if (item === null)
      throw new RangeError(
        `${this.label} is empty, so there is no ${end} item to take; catch this, or look at length()`,
      )
    return this.decode(item) as T
  }

  async #put(operation: 'put' | 'insert', index: number, item: T): Promise<void> {
    const stored = this.encode(item, 'item')
    const length = await this.write<number | null>(operation, checkPosition(index, this.label), stored)
    if (length !== null) throw outOfRange(this.label, index, length)
  }
}
