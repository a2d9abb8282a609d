/** Items handed from producers to consumers, each to exactly one. */
import type { Handle } from './handle.ts'
import type { WaitOptions } from './wait.ts'

export interface QueueOptions {
  readonly name?: string | undefined
  /** Bound on items that wait, are delayed or unacknowledged; `<= 0` or absent: none. */
  readonly maxSize?: number | undefined
  /** How often an item is delivered before it is set aside as a dead letter; 1 or more. Default 5. */
  readonly maxDeliveries?: number | undefined
  /**
   * Milliseconds before an item that was given back by `nack()` is delivered again, or how they grow. Default 0. What a consumer had
   * when it died is delivered again at once. Of who gives it back, not of the queue: handles of one queue may differ.
   */
  readonly backoff?: number | Backoff | undefined
}

/** Doubles with each delivery: `base` after the first, twice that after the second. */
export interface Backoff {
  /** Milliseconds. */
  readonly base: number
  /** Milliseconds; default a year. */
  readonly max?: number | undefined
}

export interface PutOptions extends WaitOptions {
  /** Milliseconds before it may be taken, by the clock of the broker or of Redis; at most a year. Then it stands at the end of the line. */
  readonly delay?: number | undefined
  /** Items without one (0) come first, then 1, 2, …, up to 2,097,151. */
  readonly priority?: number | undefined
  /** A put is ignored while an item of the same id waits or is being handled. A name, as of an object. */
  readonly id?: string | undefined
}

export interface NackOptions {
  /** Milliseconds before it may be taken again; default by `backoff`. */
  readonly delay?: number | undefined
  /** Why; its message is kept with a dead letter. */
  readonly error?: unknown
}

/** An item that was delivered `maxDeliveries` times and never acknowledged. */
export interface DeadLetter<T> {
  /** For `retry()`. */
  readonly id: string
  /** Reading it throws if this process cannot decode it. */
  readonly value: T
  /** How often it was delivered. */
  readonly attempts: number
  /** Of the last delivery: the message of the error that `nack()` was given, or what happened. */
  readonly reason: string
  /** When it was set aside: milliseconds since 1970. */
  readonly at: number
}

/** They are kept until they are retried or cleared, also when the queue was closed and opened again. */
export interface DeadLetters<T> {
  /** The oldest first. */
  list(): Promise<DeadLetter<T>[]>
  /** Back into the queue as if newly put, room or not. @throws StateError if there is none with that id; QueueClosedError */
  retry(id: string): Promise<void>
  /** @returns how many were dropped */
  clear(): Promise<number>
}

/** An item taken by `receive()`: it is delivered again if its consumer dies or calls `nack()`. Leaving the scope without `ack()` gives it back. */
export interface Delivery<T> extends AsyncDisposable {
  readonly value: T
  /** 1 for the first delivery. */
  readonly attempt: number
  /** Aborts with `LeaseLostError` when the delivery is no longer this consumer's. */
  readonly signal: AbortSignal
  /** Done: the item is gone for good. @throws LeaseLostError if the delivery is no longer this consumer's. */
  ack(): Promise<void>
  /** Not done: the item goes to the next consumer, now or after a delay, `attempt` counted. @throws LeaseLostError as `ack` does. */
  nack(options?: NackOptions): Promise<void>
}

export interface ConsumeOptions {
  /** How many bodies run at once. Default 1. */
  readonly concurrency?: number | undefined
  /** Stops taking items; `consume` resolves when the running bodies are done. */
  readonly signal?: AbortSignal | undefined
}

/**
 * First in, first out per producer, among first deliveries of equal priority that were not delayed.
 * `for await` acknowledges an item when the next is asked for; leaving the loop gives the current item back, attempt counted;
 * the loop ends when the queue is closed and drained.
 */
export interface Queue<T> extends Handle, AsyncIterable<T> {
  /** The value is encoded inside the call. Waits for room. @throws QueueClosedError, EncodeError */
  put(item: T, options?: PutOptions): Promise<void>
  /** `false`: no room now. Never waits. */
  tryPut(item: T): Promise<boolean>
  /** Takes an item for good. @throws QueueClosedError when the queue is closed and drained. */
  get(wait?: WaitOptions): Promise<T>
  /**
   * Puts the items in their order, several on their way at once; an async source is pulled no further ahead than that.
   * `wait` is for all together. Rejected, the items before the failed one are in the queue; none is skipped.
   */
  putMany(items: Iterable<T> | AsyncIterable<T>, wait?: WaitOptions): Promise<void>
  /** Takes an item for good, or `null`. Never waits. */
  tryGet(): Promise<{ readonly value: T } | null>
  /** Waits for one item, then takes what else is there, up to `max` (1 or more) in all. */
  getMany(max: number, wait?: WaitOptions): Promise<T[]>
  /** Takes an item until it is acknowledged. */
  receive(wait?: WaitOptions): Promise<Delivery<T>>
  /**
   * Receives and runs `body` for each item until the queue is closed and drained or `signal` aborts.
   * A body that returns acknowledges; one that throws gives the item back, attempt counted, and consuming goes on.
   */
  consume(body: (item: T, delivery: Delivery<T>) => unknown, options?: ConsumeOptions): Promise<void>
  readonly deadLetters: DeadLetters<T>
  /** Items that wait, delayed ones included, not counting those delivered and unacknowledged. */
  size(): Promise<number>
  empty(): Promise<boolean>
  full(): Promise<boolean>
  /** Drops all items that wait, delayed ones included, not those that somebody has received and not acknowledged. @returns how many */
  purge(): Promise<number>
  /** Resolves when every item put so far is taken for good, acknowledged or set aside. */
  join(wait?: WaitOptions): Promise<void>
  /** For everyone: no more puts; what is there may be taken. Resolves when no producer can put any more. Again: no-op. */
  close(): Promise<void>
}

/**
 * A queue whose consumers say when they are done. `mp.queue()` of the same name is the same queue, without this way of taking.
 * A consumer that dies or closes its context gives back what it got and had not called done, so that `join()` still ends.
 */
export interface JoinableQueue<T> extends Queue<T> {
  /** Takes an item, which stays this context's until `taskDone()`; likewise `tryGet()` and `getMany()`. */
  get(wait?: WaitOptions): Promise<T>
  /**
   * The oldest item that this process got through this context is done.
   *
   * @throws RangeError if it has got none that is not done; LeaseLostError if that item was lost meanwhile and goes to somebody else
   */
  taskDone(): Promise<void>
}

/** A queue with the least there is to know: no bound, an item is got for good. `mp.queue()` of the same name is the same queue. */
export interface SimpleQueue<T> extends Handle {
  put(item: T, wait?: WaitOptions): Promise<void>
  get(wait?: WaitOptions): Promise<T>
  empty(): Promise<boolean>
  close(): Promise<void>
}
