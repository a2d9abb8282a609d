/** Value, dict and array on one machine: encoded values by key, each with the number of the write that put it there. */
import { decode, encode } from '../codec/index.ts'
import { ScopeError } from '../errors.ts'
import type { Cell } from '../wire/shared.ts'
import type { Content, Operations } from './shared.ts'

interface Kept {
  version: number
  bytes: Uint8Array
}

const none: Cell = [0]

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

  init(one: Uint8Array | null): void {
    if (one !== null) this.#set('v', one)
  }

  readonly reads: Operations = {
    get: ([key]) => this.#get(key as string),
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
  }

  #get(key: string): Cell {
    const kept = this.#cells.get(key)
    return kept === undefined ? none : [kept.version, kept.bytes]
  }

  #set(key: string, bytes: Uint8Array): void {
    this.#written += 1
    const kept = this.#cells.get(key)
    if (kept === undefined) this.#cells.set(key, { version: this.#written, bytes })
    else Object.assign(kept, { version: this.#written, bytes })
  }
}
