/**
 * Pulls items from an input that may never end, and cuts them into chunks. At most a window's worth of what was pulled is on its way; the
 * next chunk is begun when there is room for all of it. An item counts from the moment it is asked for, so the bound is exact.
 */
import { ArgumentError } from '../errors.ts'
import { describe } from '../util/describe.ts'

type Step = IteratorResult<unknown>

/** An iterator, synchronous or not. */
export interface Input {
  next(): Step | PromiseLike<Step>
  return?(): unknown
}

/** What stands in the place of an item or of a result. */
export interface Failure {
  readonly error: unknown
}

export interface FeedEvents {
  /** The next items: as many as a chunk has, fewer where the input ends or makes wait. */
  chunk(items: readonly unknown[]): void
  /** No more will come. Not called after `close`. @param failure what the input threw */
  over(failure: Failure | null): void
}

/**
 * How to begin with the items.
 *
 * @param where the call, as in `imap()`
 */
export function inputOf(items: unknown, where: string): () => Input {
  const method = methodOf(items, Symbol.asyncIterator) ?? methodOf(items, Symbol.iterator)
  if (method !== undefined) return () => method.call(items) as Input
  throw new ArgumentError(`${where} takes an iterable or an async iterable of items, got ${describe(items)}`)
}

function methodOf(value: unknown, name: symbol): ((this: unknown) => unknown) | undefined {
  if (value === null || value === undefined) return undefined
  const method: unknown = Reflect.get(Object(value) as object, name)
  return typeof method === 'function' ? (method as (this: unknown) => unknown) : undefined
}

export class Feed {
  readonly #begin: () => Input
  #input: Input | null = null
  readonly #size: number
  readonly #events: FeedEvents
  /** How many more items may be asked for. */
  #room: number
  #chunk: unknown[] = []
  /** `entered`: the input's own code is below on the stack. `awaited`: it has promised the next item. */
  #asking: 'entered' | 'awaited' | null = null
  #open = true

  /**
   * @param window in items, 1 or more
   * @param chunkSize the window bounds it
   */
  constructor(begin: () => Input, window: number, chunkSize: number, events: FeedEvents) {
    this.#begin = begin
    this.#size = Math.min(chunkSize, window)
    this.#room = window
    this.#events = events
  }

  /** Whether more may come. */
  get open(): boolean {
    return this.#open
  }

  /** So many items are not on their way any more. */
  release(count: number): void {
    this.#room += count
    this.pull()
  }

  /** Asks for as much as there is room for. */
  pull(): void {
    while (this.#open && this.#asking === null && this.#room >= (this.#chunk.length > 0 ? 1 : this.#size)) this.#ask()
  }

  /** Asks for nothing more. Resolves when the input is closed, or makes wait; rejects with what it throws. */
  async close(): Promise<void> {
    if (!this.#open) return
    this.#open = false
    this.#chunk = []
    if (this.#asking === 'entered') return
    const told = this.#tell()
    if (this.#asking === 'awaited') {
      told.catch(() => undefined)
      await turn()
    }
    // Else it waits for what may never come, and would be closed after that.
    if (this.#asking === null) await told
  }

  #ask(): void {
    this.#room -= 1
    this.#asking = 'entered'
    let step: Step | PromiseLike<Step>
    try {
      this.#input ??= this.#begin()
      step = checkStep(this.#input.next())
    } catch (error) {
      this.#asking = null
      this.#end({ error })
      return
    }
    this.#asking = null
    if (!this.#open) {
      // Closed by its own code, which no generator bears while it runs.
      this.#tell().catch(() => undefined)
    } else if (isPromise(step)) void this.#await(step)
    else this.#take(step)
  }

  async #await(promise: PromiseLike<Step>): Promise<void> {
    this.#asking = 'awaited'
    // Items that come within a turn of the event loop are gathered, and none waits for a later one, which may depend on its result.
    const stalled = this.#chunk.length > 0 ? setImmediate(() => this.#flush()) : undefined
    try {
      const step = checkStep(await promise)
      this.#asking = null
      if (this.#open) this.#take(step)
    } catch (error) {
      this.#asking = null
      this.#end({ error })
    }
    clearImmediate(stalled)
    this.pull()
  }

  #take(step: Step): void {
    if (step.done === true) this.#end(null)
    else if (this.#chunk.push(step.value) === this.#size) this.#flush()
  }

  #flush(): void {
    if (this.#chunk.length === 0) return
    const items = this.#chunk
    this.#chunk = []
    this.#events.chunk(items)
  }

  #end(failure: Failure | null): void {
    if (!this.#open) return
    this.#open = false
    this.#flush()
    this.#events.over(failure)
  }

  async #tell(): Promise<void> {
    await this.#input?.return?.()
  }
}

/** Whatever is at hand comes in a turn of the event loop. */
async function turn(): Promise<void> {
  await new Promise((resume) => {
    setImmediate(resume)
  })
}

function checkStep<T>(step: T): T {
  if (typeof step === 'object' && step !== null) return step
  throw new TypeError(`the iterator of the items gave ${describe(step)} in place of a result`)
}

function isPromise(step: Step | PromiseLike<Step>): step is PromiseLike<Step> {
  return 'then' in step && typeof step.then === 'function'
}
