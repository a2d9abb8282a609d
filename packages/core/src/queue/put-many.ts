/** `putMany`: items one after the other, several on their way at once, the same on every adapter. */
import type { WaitOptions } from '../contract/wait.ts'
import { ArgumentError } from '../errors.ts'
import { monotonic } from '../util/clock.ts'
import { describe } from '../util/describe.ts'
import { Fifo } from '../util/fifo.ts'
import { waitFor } from '../util/wait.ts'

type Source<T> = Iterable<T> | AsyncIterable<T>

/**
 * @param wait checked; for all of it together
 * @param put puts one item; the puts keep the order of the calls. It throws at once for an item that cannot be put: were it told later, the
 *   next ones would be there by then
 * @param ahead how many may be on their way at once
 */
export async function putMany<T>(
  items: Source<T>,
  wait: WaitOptions,
  put: (item: T, index: number, wait: WaitOptions) => Promise<void>,
  ahead: number,
): Promise<void> {
  const left = remaining(wait)
  const failures: unknown[] = []
  const sent = new Fifo<Promise<unknown>>()
  let index = 0
  try {
    for await (const item of sourceOf(items, wait, left)) {
      const one = put(item, index, left())
      sent.push(one.catch((error: unknown) => failures.push(error)))
      index += 1
      if (sent.length >= ahead) await sent.shift()
      if (failures.length > 0) break
    }
  } finally {
    await Promise.all(sent.drain())
  }
  if (failures.length > 0) throw failures[0]
}

/** The options for what comes next: the timeout counts from the beginning. */
function remaining(wait: WaitOptions): () => WaitOptions {
  const { timeout, signal } = wait
  if (timeout === undefined) return () => wait
  const until = monotonic() + timeout
  return () => ({ signal, timeout: Math.ceil(until - monotonic()) })
}

function sourceOf<T>(items: Source<T>, wait: WaitOptions, left: () => WaitOptions): Source<T> {
  if (items === null || (typeof items !== 'object' && typeof items !== 'string')) throw noSource(items)
  if (Symbol.asyncIterator in Object(items)) {
    const patient = wait.timeout === undefined && wait.signal === undefined
    return patient ? items : watched(items as AsyncIterable<T>, left)
  }
  if (!(Symbol.iterator in Object(items))) throw noSource(items)
  return items
}

function noSource(items: unknown): ArgumentError {
  return new ArgumentError(`queue.putMany() takes an iterable of items, or an async one, got ${describe(items)}`)
}

/** The same items; a wait that ends does not wait for the next one either, nor for the end of a source that is stuck. */
async function* watched<T>(items: AsyncIterable<T>, left: () => WaitOptions): AsyncGenerator<T, void, undefined> {
  const source = items[Symbol.asyncIterator]()
  let over = false
  try {
    for (;;) {
      const next = await waitFor(source.next(), left(), 'putMany() had no next item')
      over = next.done === true
      if (next.done === true) return
      yield next.value
    }
  } finally {
    if (!over) {
      source.return?.().catch(() => {
        // It was told that nobody wants more; what it makes of that is no concern of the queue.
      })
    }
  }
}
