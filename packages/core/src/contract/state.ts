/**
 * Shared state: what Python's Manager serves. What is stored is a copy, made within the call; what is read is another one, so
 * changing it changes nothing but itself. Handles that are stored stay shared: a lock in a dict is the same lock for whoever reads it.
 *
 * Every call is one step for everybody, on one machine and on many. Reads ask the store: what a write has answered, every later read
 * sees. A nameless object ends with its creator; one with a name stays until `destroy()`, and then everybody's handles reject with
 * `StateError`, as they do when a store has come back without its content. One call sends 64 MiB at most, and 100,000 items; more
 * rejects with `CapacityError`, as does a write to a store that is full. Nothing here waits but an `update` that others come before.
 */
import type { Handle } from './handle.ts'
import type { WaitOptions } from './wait.ts'

/**
 * One value.
 *
 * The first creator of a name gives the initial value; that of everybody after is not looked at.
 */
export interface Value<T> extends Handle {
  get(): Promise<T>
  set(value: T): Promise<void>
  /**
   * Replaces the value by what `fn` makes of it, if it is still the same then; else `fn` is called again with what is there now
   * (compare and set). So `fn` may be called more than once and should do nothing else. What it throws is thrown here, and nothing
   * has changed. It may be asynchronous.
   *
   * One that has lost three times stands in a line, and when its turn comes nobody else can write for a second: so each gets its
   * change in, unless its `fn` takes longer than that. For longer work hold a lock. Running out of time or an abort changes nothing.
   *
   * @returns what `fn` returned
   */
  update(fn: (current: T) => T | PromiseLike<T>, wait?: WaitOptions): Promise<T>
  /**
   * Adds to a number, as `+` does: exact as long as everything is an integer up to 2⁵³, rounded as a double otherwise; past the largest
   * double it is `Infinity`. Both adapters give the same bits.
   *
   * @param n finite
   * @returns the sum
   * @throws StateError if the value is no number
   */
  add(this: Value<number>, n: number): Promise<number>
}

/** `1`, `'1'`, `true` and `1n` are four keys; `-0` is `0`. */
export type DictKey = string | number | boolean | bigint

/**
 * Values by key, in the order in which the keys came, as in a `Map`.
 *
 * `keys()`, `entries()` and `for await` read it in pages of 1,000 entries or about 1 MB, each of which is one step. What is there from the
 * first page to the last is given once; of what comes, goes or changes meanwhile, what there is when its page is read. `entries()`
 * keeps all of it in memory, `for await` one page.
 *
 * @typeParam K which keys the program uses; finite numbers only. Others reject with `ArgumentError`.
 */
export interface SharedDict<V, K extends DictKey = DictKey> extends Handle, AsyncIterable<[K, V]> {
  /** `undefined`: there is none (or that is its value; `has()` tells). */
  get(key: K): Promise<V | undefined>
  set(key: K, value: V): Promise<void>
  /** Whether there was one. */
  delete(key: K): Promise<boolean>
  has(key: K): Promise<boolean>
  keys(): Promise<K[]>
  entries(): Promise<[K, V][]>
  size(): Promise<number>
  /** As `Value.update`, of one key; other keys do not disturb it. What `fn` returns is stored, `undefined` too. */
  update(key: K, fn: (current: V | undefined) => V | PromiseLike<V>, wait?: WaitOptions): Promise<V>
  /** What is there; if nothing is, `value`, which is there from then on. */
  setDefault(key: K, value: V): Promise<V>
  /** Takes it out; `undefined`: there was none. */
  pop(key: K): Promise<V | undefined>
  clear(): Promise<void>
}

/**
 * Items by position, from 0; a negative position counts from the end, as in Python (-1 is the last). A position that is not there is a
 * `RangeError`, and so are `pop()` and `shift()` of an empty list; one that is no integer is an `ArgumentError`.
 *
 * `for await` is live, as in Python and as with arrays: it asks for the item at 0, at 1, … until there is none, so what is pushed meanwhile
 * is visited. It reads ahead, but what it gives was read at most 10 ms before, and after every change by this process.
 */
export interface SharedList<T> extends Handle, AsyncIterable<T> {
  /** Appends them side by side. @returns the new length */
  push(...items: T[]): Promise<number>
  /** Takes the last. */
  pop(): Promise<T>
  /** Takes the first. */
  shift(): Promise<T>
  get(index: number): Promise<T>
  set(index: number, item: T): Promise<void>
  /** Puts the item before the one at `index`; `index` may be the length, for the end. */
  insert(index: number, item: T): Promise<void>
  length(): Promise<number>
  /** The items from `start` to before `end`, as `Array.slice`. More than 1,000, or than about 1 MB, are read in pages, each of which is one step. */
  slice(start?: number, end?: number): Promise<T[]>
  /** Takes out the first item that is the same: whose stored form is. `false`: there is none. */
  remove(item: T): Promise<boolean>
  clear(): Promise<void>
}

/**
 * A fixed number of items. Positions are as in a `SharedList`. The same name with another length is a `ConflictError`; what the items
 * begin with is what the first creator said.
 */
export interface SharedArray<T> extends Handle {
  get(index: number): Promise<T>
  set(index: number, item: T): Promise<void>
  length(): Promise<number>
  /** As `SharedList.slice`. */
  slice(start?: number, end?: number): Promise<T[]>
}
