/** Cuts the items of a map into encoded chunks. */
import { ArgumentError } from '../errors.ts'
import { describe } from '../util/describe.ts'

/** Chunks for each worker: enough that workers that finish early find more, few enough that small tasks share the cost of a message. As in Python's `Pool.map`. */
const CHUNKS_PER_WORKER = 4

export function defaultChunkSize(items: number, workers: number): number {
  return Math.max(1, Math.ceil(items / (workers * CHUNKS_PER_WORKER)))
}

/** All items as a plain array. What the iterable throws is thrown here. */
export function collectItems(items: unknown): readonly unknown[] {
  if (Array.isArray(items) && Object.getPrototypeOf(items) === Array.prototype) return items
  if (isIterable(items)) return Array.from(items)
  const asynchronous = typeof items === 'object' && items !== null && Symbol.asyncIterator in items
  throw new ArgumentError(
    asynchronous
      ? 'map() takes an iterable, got an async iterable; collect its items into an array first'
      : `map() takes an iterable of items, got ${describe(items)}`,
  )
}

/** Encodes all chunks, so that either every item can be sent or none is. @throws EncodeError naming `items[index]` */
export function encodeChunks(
  items: readonly unknown[],
  size: number,
  encode: (value: unknown, path: string) => Uint8Array,
): Uint8Array[] {
  const payloads: Uint8Array[] = []
  for (let at = 0; at < items.length; at += size) {
    const slice = items.slice(at, at + size)
    try {
      payloads.push(encode(slice, 'items'))
    } catch (error) {
      // The codec counted within the slice. One by one, the item at fault says its index among all.
      slice.forEach((item, index) => encode(item, `items[${at + index}]`))
      throw error
    }
  }
  return payloads
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
