/**
 * The items of a queue that nobody has: those without a priority in one line, the others in a line for each priority, and those whose
 * time has not come.
 */
import { monotonic } from '../util/clock.ts'
import { Fifo } from '../util/fifo.ts'
import type { Item } from './deliveries.ts'

/** Node's timers count no further (2³¹ − 1 ms); whoever waits longer is looked at again then. */
const LONGEST_TIMER = 2 ** 31 - 1

interface Level {
  readonly priority: number
  readonly items: Fifo<Item>
}

interface Delayed {
  readonly due: number
  readonly item: Item
}

export class WaitingItems {
  readonly #came: () => void
  readonly #plain = new Fifo<Item>()
  /** The most urgent first; none is empty. */
  #levels: Level[] = []
  #ranked = 0
  /** The next one first. */
  readonly #delayed: Delayed[] = []
  #timer: NodeJS.Timeout | undefined

  /** @param came told when the time of delayed items has come: they wait now */
  constructor(came: () => void) {
    this.#came = came
  }

  /** How many may be taken. */
  get length(): number {
    return this.#plain.length + this.#ranked
  }

  /** How many of these have no priority. */
  get plain(): number {
    return this.#plain.length
  }

  get delayed(): number {
    return this.#delayed.length
  }

  push(item: Item): void {
    if (item.priority === 0) this.#plain.push(item)
    else this.#level(item.priority).push(item)
  }

  /** Before all others of its priority. */
  unshift(item: Item): void {
    if (item.priority === 0) this.#plain.unshift(item)
    else this.#level(item.priority).unshift(item)
  }

  shift(): Item | undefined {
    const item = this.#plain.shift()
    if (item !== undefined || this.#ranked === 0) return item
    const [first] = this.#levels as [Level]
    this.#ranked -= 1
    const next = first.items.shift()
    if (first.items.length === 0) this.#levels.shift()
    return next
  }

  /** These were taken and not touched, the oldest first: they come before what was put after them. */
  restore(items: readonly Item[]): void {
    const [plain, ranked] = [
      items.filter(({ priority }) => priority === 0),
      items.filter((item) => item.priority !== 0),
    ]
    for (const item of ranked.toReversed()) this.unshift(item)
    const last = plain.at(-1)
    if (last === undefined) return
    // Others may have returned older or newer ones before.
    for (let next = this.#plain.peek(); next !== undefined && next.number < last.number; next = this.#plain.peek()) {
      plain.push(next)
      this.#plain.shift()
    }
    for (const item of plain.toSorted((a, b) => b.number - a.number)) this.#plain.unshift(item)
  }

  /** At the end of its line after so many milliseconds; those of the same time keep their order. */
  delay(item: Item, milliseconds: number): void {
    const due = monotonic() + milliseconds
    let [low, high] = [0, this.#delayed.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#delayed[middle] as Delayed).due <= due) low = middle + 1
      else high = middle
    }
    this.#delayed.splice(low, 0, { due, item })
    if (low === 0) this.#schedule()
  }

  /** Takes out all, delayed ones too. */
  drain(): Item[] {
    clearTimeout(this.#timer)
    const all = [...this]
    this.#plain.drain()
    this.#levels = []
    this.#ranked = 0
    this.#delayed.length = 0
    return all
  }

  *[Symbol.iterator](): IterableIterator<Item> {
    yield* this.#plain
    for (const { items } of this.#levels) yield* items
    for (const { item } of this.#delayed) yield item
  }

  /** The line of a priority, for one item more. */
  #level(priority: number): Fifo<Item> {
    this.#ranked += 1
    const at = this.#levels.findIndex((level) => level.priority >= priority)
    const known = this.#levels[at]
    if (known?.priority === priority) return known.items
    const items = new Fifo<Item>()
    this.#levels.splice(at < 0 ? this.#levels.length : at, 0, { priority, items })
    return items
  }

  #schedule(): void {
    clearTimeout(this.#timer)
    const [first] = this.#delayed
    if (first === undefined) return
    const left = Math.ceil(first.due - monotonic())
    this.#timer = setTimeout(() => this.#promote(), Math.min(LONGEST_TIMER, Math.max(0, left)))
    // It keeps no program alive.
    this.#timer.unref()
  }

  #promote(): void {
    const now = monotonic()
    const until = this.#delayed.findIndex(({ due }) => due > now)
    const ripe = this.#delayed.splice(0, until < 0 ? this.#delayed.length : until)
    for (const { item } of ripe) this.push(item)
    this.#schedule()
    if (ripe.length > 0) this.#came()
  }
}
