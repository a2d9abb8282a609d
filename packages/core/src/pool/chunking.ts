/** Cuts the items of a map into encoded chunks. */
import { types } from 'node:util'
import { ArgumentError } from '../errors.ts'
import { describe } from '../util/describe.ts'

/** Chunks for each worker: enough that workers that finish early find more, few enough that small tasks share the cost of a message. As in Python's `Pool.map`. */
const CHUNKS_PER_WORKER = 4

/** More text than this, in UTF-16 code units, may be too long for one message. */
const MOST_TEXT = 1 << 24

export function defaultChunkSize(items: number, workers: number): number {
  return Math.max(1, Math.ceil(items / (workers * CHUNKS_PER_WORKER)))
}

/** Chunks of an imap that are on their way for each worker: so many that short tasks share messages, too. */
const WINDOW_PER_WORKER = 32

/** In items. */
export function defaultWindow(chunkSize: number, workers: number): number {
  return chunkSize * workers * WINDOW_PER_WORKER
}

/**
 * All items as a plain array. What the iterable throws is thrown here.
 *
 * @param where the call, as in `map()`
 */
export function collectItems(items: unknown, where: string): readonly unknown[] {
  if (Array.isArray(items) && Object.getPrototypeOf(items) === Array.prototype) return items
  if (isIterable(items)) return Array.from(items)
  const asynchronous = typeof items === 'object' && items !== null && Symbol.asyncIterator in items
  throw new ArgumentError(
    asynchronous
      ? `${where} takes an iterable, got an async iterable; imap() takes both`
      : `${where} takes an iterable of items, got ${describe(items)}`,
  )
}

/** Of a starmap. @throws ArgumentError */
export function checkEachIsArgs(items: readonly unknown[]): void {
  for (let at = 0; at < items.length; at += 1) {
    if (Array.isArray(items[at])) continue
    throw new ArgumentError(
      `items[${at}] must be an array of the function's arguments, got ${describe(items[at])}; map() takes a single argument for each task`,
    )
  }
}

/**
 * The encoded chunks, in order. Either every item can be sent or none is: one by one as they are asked for where nothing can go
 * wrong, so that workers begin with the first while the last is encoded; else all of them now.
 *
 * @throws EncodeError naming `items[index]`
 */
export function encodeChunks(
  items: readonly unknown[],
  size: number,
  encode: (value: unknown, path: string) => Uint8Array,
): Iterable<Uint8Array> {
  const chunks = cut(items, size, encode)
  return items.length > size && isPlain(items) ? chunks : [...chunks]
}

function* cut(
  items: readonly unknown[],
  size: number,
  encode: (value: unknown, path: string) => Uint8Array,
): Generator<Uint8Array> {
  for (let at = 0; at < items.length; at += size) {
    const slice = items.slice(at, at + size)
    let payload: Uint8Array
    try {
      payload = encode(slice, 'items')
    } catch (error) {
      // The codec counted within the slice. One by one, the item at fault says its index among all.
      slice.forEach((item, index) => encode(item, `items[${at + index}]`))
      throw error
    }
    yield payload
  }
}

/** Whether all items are such that encoding them cannot fail and runs nobody's code. */
function isPlain(items: readonly unknown[]): boolean {
  if (types.isProxy(items)) return false
  let text = 0
  for (let at = 0; at < items.length; at += 1) {
    const item = items[at]
    if (typeof item === 'number' || typeof item === 'boolean') continue
    if (typeof item !== 'string') return false
    text += item.length
    if (text > MOST_TEXT) return false
  }
  return true
}

function isIterable(value: unknown): value is Iterable<unknown> {
  if (typeof value === 'string') return true
  return (
    typeof value === 'object' &&
    value !== null &&
    Symbol.iterator in value &&
    typeof value[Symbol.iterator] === 'function'
  )
}
