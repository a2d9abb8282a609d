/**
 * What imap gives: results in the order of their items, or as they come. `next()` may be called any number of times at once, and each call
 * gets a result of its own. The first error ends the iteration, as it does that of an async generator: what has not started never runs,
 * and the input is closed.
 */
import { PoolClosedError } from '../errors.ts'
import { deferred, type Deferred } from '../util/deferred.ts'
import { Fifo } from '../util/fifo.ts'
import { Feed, type FeedEvents, type Failure, type Input } from './feed.ts'
import type { Job, Order } from './job.ts'
import type { ProgressReport } from './progress.ts'

type Outcome = { readonly value: unknown } | Failure
type Step = IteratorResult<unknown, undefined>

export interface StreamSpec {
  readonly ordered: boolean
  /** In items. */
  readonly window: number
  readonly chunkSize: number
  readonly progress: ProgressReport | null
}

export interface StreamDeps {
  readonly encode: (value: unknown, path: string) => Uint8Array
  submit(stream: ResultStream, offset: number, count: number, payload: Uint8Array): void
  /** Drops what has not started of it. */
  leave(stream: ResultStream): void
  /** It will submit nothing more. */
  fed(stream: ResultStream): void
}

export class ResultStream implements AsyncIterableIterator<unknown, undefined>, Job, FeedEvents {
  readonly order: Order
  readonly chunks: Set<number> = new Set()
  onSettled: (() => void) | null = null
  readonly #deps: StreamDeps
  readonly #feed: Feed
  readonly #ordered: boolean
  readonly #progress: ProgressReport | null
  /** Of how many items the results have come. */
  #came = 0
  /** Outcomes whose turn has not come, by index. */
  readonly #early = new Map<number, Outcome>()
  /** The index of the outcome whose turn is next. */
  #turn = 0
  readonly #ready = new Fifo<Outcome>()
  readonly #waiting = new Fifo<Deferred<Step>>()
  #submitted = 0
  #handedOut = 0
  /** What comes when all that was submitted is handed out; `null`: not known yet. */
  #end: { readonly failure: Failure | null } | null = null
  #looped = false
  #over = false

  constructor(order: Order, input: () => Input, spec: StreamSpec, deps: StreamDeps) {
    const { ordered, window, chunkSize, progress } = spec
    this.order = order
    this.#progress = progress
    this.#ordered = ordered
    this.#deps = deps
    this.#feed = new Feed(input, window, chunkSize, this)
  }

  // The iterator

  [Symbol.asyncIterator](): this {
    // Whoever asks for it so is a loop or a stream, which goes on to the end or leaves.
    this.#looped = true
    return this
  }

  next(): Promise<Step> {
    if (this.#over) return Promise.resolve({ done: true, value: undefined })
    const waiting = deferred<Step>()
    this.#waiting.push(waiting)
    this.#serve()
    return waiting.promise
  }

  async return(): Promise<Step> {
    if (!this.#over) await this.#finish()
    return { done: true, value: undefined }
  }

  // What the pool does with it

  start(): void {
    this.#feed.pull()
  }

  /** The pool is joined. Unless a loop takes the results, nothing more is pulled: nobody may ever ask for it. */
  cut(): void {
    if (this.#looped || !this.#feed.open) return
    this.#close()
    this.over({
      error: new PoolClosedError(
        'the pool was joined while imap() had items left; take all results first, or take them in a for await loop, which join() waits for',
      ),
    })
  }

  // What the feed says

  chunk(items: readonly unknown[]): void {
    try {
      for (const [count, payload] of payloads(items, this.#submitted, this.#deps.encode)) {
        this.#deps.submit(this, this.#submitted, count, payload)
        this.#submitted += count
      }
    } catch (error) {
      this.#close()
      this.over({ error })
    }
  }

  over(failure: Failure | null): void {
    if (this.#end !== null) return
    this.#end = { failure }
    this.#deps.fed(this)
    // Known only now: the last news had no total.
    if (failure === null && this.#came > 0 && this.#came === this.#submitted) this.#report()
    this.#serve()
  }

  // What becomes of the tasks

  submitted(chunk: number): void {
    this.chunks.add(chunk)
  }

  left(chunk: number): void {
    this.chunks.delete(chunk)
  }

  fulfilled(index: number, value: unknown): void {
    this.#settled(index, { value })
  }

  rejected(index: number, error: unknown): void {
    this.#settled(index, { error })
  }

  abandon(error: unknown): void {
    if (this.#over) return
    this.#early.clear()
    this.#ready.drain()
    this.#ready.push({ error })
    this.#close()
    this.onSettled?.()
    // Not as if the input had ended: nobody knows how much of it there was.
    this.over({ error })
    this.#serve()
  }

  #settled(index: number, outcome: Outcome): void {
    if (this.#over) return
    this.#came += 1
    this.#report()
    if (this.#over) return
    if (!this.#ordered) this.#ready.push(outcome)
    else {
      this.#early.set(index, outcome)
      this.#moveUp()
    }
    this.#serve()
  }

  #report(): void {
    const total = this.#end === null || this.#end.failure !== null ? null : this.#submitted
    this.#progress?.(this, this.#came, total)
  }

  #moveUp(): void {
    for (;;) {
      const outcome = this.#early.get(this.#turn)
      if (outcome === undefined) return
      this.#early.delete(this.#turn)
      this.#turn += 1
      this.#ready.push(outcome)
    }
  }

  /** Hands out what is ready to those who wait, first to first. */
  #serve(): void {
    while (this.#waiting.length > 0) {
      const outcome = this.#ready.shift() ?? this.#atEnd
      if (outcome === undefined) return
      const waiting = this.#waiting.shift()
      if (outcome !== null && 'value' in outcome) {
        waiting?.resolve({ done: false, value: outcome.value })
        this.#handedOut += 1
        this.#feed.release(1)
      } else {
        if (outcome === null) waiting?.resolve({ done: true, value: undefined })
        else waiting?.reject(outcome.error)
        this.#finish().catch(() => undefined)
      }
    }
  }

  /** What comes after the last result: an error or, `null`, nothing. `undefined`: that one is not handed out yet. */
  get #atEnd(): Failure | null | undefined {
    return this.#end === null || this.#handedOut < this.#submitted ? undefined : this.#end.failure
  }

  /** Nothing more is handed out. Resolves when the input is closed, rejects with what it throws then. */
  #finish(): Promise<void> {
    this.#over = true
    this.#early.clear()
    this.#ready.drain()
    for (const waiting of this.#waiting.drain()) waiting.resolve({ done: true, value: undefined })
    const closed = this.#feed.close()
    this.#end ??= { failure: null }
    this.onSettled?.()
    this.#deps.leave(this)
    this.#deps.fed(this)
    return closed
  }

  /** The error at hand tells more than what the input may throw now. */
  #close(): void {
    this.#feed.close().catch(() => undefined)
  }
}

/** As one payload, or else one by one up to the item that cannot be sent, which says its index among all. */
function* payloads(
  items: readonly unknown[],
  offset: number,
  encode: StreamDeps['encode'],
): Generator<[count: number, payload: Uint8Array]> {
  try {
    yield [items.length, encode(items, 'items')]
    return
  } catch {
    // Which one it is shows below.
  }
  for (const [at, item] of items.entries()) {
    encode(item, `items[${offset + at}]`)
    yield [1, encode([item], 'items')]
  }
}
