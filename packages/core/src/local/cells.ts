/** Value, dict and array on one machine: encoded values by key, each with the number of the write that put it there. */
import { decode, encode } from '../codec/index.ts'
import { ScopeError } from '../errors.ts'
import { type Cell, PageSize } from '../wire/shared.ts'
import type { Content, Operations } from './shared.ts'

interface Kept {
  version: number
  /** Number of the write that made it: they stand in this order. */
  readonly made: number
  bytes: Uint8Array
}

/** What a page has that goes on after another one. */
interface Rest {
  readonly after: number
  readonly entries: IterableIterator<[string, Kept]>
}

/** The longest encoded number: what is longer need not be looked into. */
const NUMBER_BYTES = 10

function noHandle(): never {
  throw new ScopeError('no handle is as short as a number')
}

function numberOf(bytes: Uint8Array): number | null {
  if (bytes.length > NUMBER_BYTES) return null
  const value = decode(bytes, noHandle)
  return typeof value === 'number' ? value : null
}

export class Cells implements Content {
  readonly #cells = new Map<string, Kept>()
  #written = 0
  /** What is where nothing was set. */
  #filling: Cell<Uint8Array> = [0]
  /** Of the page that was read last: whoever reads all pages goes on there. */
  #rest: Rest | null = null

  init(one: Uint8Array | null, items: readonly Uint8Array[] | null, length: number | undefined): void {
    if (length === undefined) {
      if (one !== null) this.#set('v', one)
    } else {
      if (one !== null) this.#filling = [0, one]
      for (const [at, item] of (items ?? []).entries()) this.#set(String(at), item)
    }
  }

  get size(): number {
    return this.#cells.size
  }

  readonly reads: Operations = {
    get: ([key]) => this.#get(key as string),
    look: () => 1,
    /** A page of the items from one position to before another one. */
    range: ([from, to]) => {
      const items: Uint8Array[] = []
      const size = new PageSize()
      for (let at = from as number; at < (to as number); at += 1) {
        const [, bytes] = this.#get(String(at))
        items.push(bytes as Uint8Array)
        if (size.full((bytes as Uint8Array).length)) break
      }
      return items
    },
    has: ([key]) => Number(this.#cells.has(key as string)),
    size: () => this.size,
    keys: ([after]) => this.#page(after as number, (key) => [key]),
    entries: ([after]) => this.#page(after as number, (key, bytes) => [key, bytes]),
  }

  readonly writes: Operations = {
    set: (args) => {
      const [key, bytes] = args as [string, Uint8Array]
      this.#set(key, bytes)
      return null
    },
    /** Gives null, or what is there instead of what was expected. */
    replace: (args) => {
      const [key, version, bytes] = args as [string, number, Uint8Array]
      const cell = this.#get(key)
      if (cell[0] !== version) return cell
      this.#set(key, bytes)
      return null
    },
    /** Gives the sum, or null if there is no number. */
    add: (args) => {
      const [key, more] = args as [string, Uint8Array]
      const [, bytes] = this.#get(key)
      const [a, b] = [bytes === undefined ? null : numberOf(bytes), numberOf(more)]
      if (a === null || b === null) return null
      const sum = encode(a + b)
      this.#set(key, sum)
      return sum
    },
    /** Gives what is there then. */
    settle: (args) => {
      const [key, bytes] = args as [string, Uint8Array]
      const kept = this.#cells.get(key)
      if (kept !== undefined) return kept.bytes
      this.#set(key, bytes)
      return bytes
    },
    delete: ([key]) => Number(this.#cells.delete(key as string)),
    /** Gives what was there, or null. */
    pop: ([key]) => {
      const kept = this.#cells.get(key as string)
      this.#cells.delete(key as string)
      return kept?.bytes ?? null
    },
    clear: () => {
      this.#cells.clear()
      return null
    },
  }

  #get(key: string): Cell<Uint8Array> {
    const kept = this.#cells.get(key)
    return kept === undefined ? this.#filling : [kept.version, kept.bytes]
  }

  #set(key: string, bytes: Uint8Array): void {
    this.#written += 1
    const version = this.#written
    const kept = this.#cells.get(key)
    if (kept === undefined) this.#cells.set(key, { version, made: version, bytes })
    else Object.assign(kept, { version, bytes })
  }

  /** What was made after that write: the number to go on after, or 0 at the end, and what `of` makes of each. */
  #page(after: number, of: (key: string, bytes: Uint8Array) => (string | Uint8Array)[]): unknown[] {
    const entries = this.#rest?.after === after ? this.#rest.entries : this.#cells.entries()
    const page: unknown[] = []
    const size = new PageSize()
    for (const [key, { made, bytes }] of entries) {
      if (made <= after) continue
      const parts = of(key, bytes)
      page.push(...parts)
      if (!size.full(parts.reduce((sum, { length }) => sum + length, 0))) continue
      this.#rest = { after: made, entries }
      return [made, ...page]
    }
    return [0, ...page]
  }
}
