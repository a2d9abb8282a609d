/** SharedDict, as a process has it: cells by key. A key travels as text that tells its type. */
import type { DictKey, SharedDict } from '../contract/state.ts'
import type { WaitOptions } from '../contract/wait.ts'
import { ArgumentError } from '../errors.ts'
import { describe } from '../util/describe.ts'
import type { Cell, Stored } from '../wire/shared.ts'
import { LinkedShared } from './shared.ts'

/** JSON for all but bigints, which are digits and an `n`. */
function keyOf(text: string): DictKey {
  return text.endsWith('n') ? BigInt(text.slice(0, -1)) : (JSON.parse(text) as DictKey)
}

export class LinkedDict<V, K extends DictKey> extends LinkedShared implements SharedDict<V, K> {
  async get(key: K): Promise<V | undefined> {
    const [, stored] = await this.read<Cell>('get', this.#text(key))
    return this.#value(stored)
  }

  async set(key: K, value: V): Promise<void> {
    await this.write('set', this.#text(key), this.encode(value))
  }

  async delete(key: K): Promise<boolean> {
    return (await this.write<number>('delete', this.#text(key))) === 1
  }

  async has(key: K): Promise<boolean> {
    return (await this.read<number>('has', this.#text(key))) === 1
  }

  async keys(): Promise<K[]> {
    const all: K[] = []
    let after = 0
    do {
      const [next, ...texts] = await this.read<[number, ...string[]]>('keys', after)
      for (const text of texts) all.push(keyOf(text) as K)
      after = next
    } while (after !== 0)
    return all
  }

  async entries(): Promise<[K, V][]> {
    const all: [K, V][] = []
    for await (const entry of this) all.push(entry)
    return all
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<[K, V], void, undefined> {
    let after = 0
    do {
      const [next, ...page] = await this.read<[number, ...unknown[]]>('entries', after)
      for (let at = 0; at < page.length; at += 2) {
        yield [keyOf(page[at] as string) as K, this.decode(page[at + 1] as Stored) as V]
      }
      after = next
    } while (after !== 0)
  }

  size(): Promise<number> {
    return this.read<number>('size')
  }

  async update(key: K, fn: (current: V | undefined) => V | PromiseLike<V>, wait?: WaitOptions): Promise<V> {
    return this.change(this.#text(key), fn as (current: unknown) => V | PromiseLike<V>, wait)
  }

  async setDefault(key: K, value: V): Promise<V> {
    return this.decode(await this.write<Stored>('settle', this.#text(key), this.encode(value))) as V
  }

  async pop(key: K): Promise<V | undefined> {
    return this.#value(await this.write<Stored | null>('pop', this.#text(key)))
  }

  async clear(): Promise<void> {
    await this.write('clear')
  }

  #value(stored: Stored | null | undefined): V | undefined {
    return stored == null ? undefined : (this.decode(stored) as V)
  }

  #text(key: K): string {
    if (typeof key === 'bigint') return `${key}n`
    if (typeof key === 'string' || typeof key === 'boolean' || Number.isFinite(key)) return JSON.stringify(key)
    throw new ArgumentError(
      `${this.label}: a key is a string, a finite number, a boolean or a bigint, got ${describe(key)}; make a string of it`,
    )
  }
}
