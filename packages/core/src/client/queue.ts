/** Queue, as a process has it: values in and out of its channel to the broker. */
import { encode, encodeJson } from '../codec/index.ts'
import type { QueueSpec } from '../contract/adapter.ts'
import type { ConsumeOptions, DeadLetters, Delivery, NackOptions, PutOptions, Queue } from '../contract/queue.ts'
import type { WaitOptions } from '../contract/wait.ts'
import { consume } from '../queue/consume.ts'
import { iterate } from '../queue/iterate.ts'
import { putMany } from '../queue/put-many.ts'
import { type BackoffSpec, checkDelay, delayAfter, putHow } from '../queue/put-options.ts'
import { checkInteger, checkOptions } from '../util/options.ts'
import { checkWait, timedOut } from '../util/wait.ts'
import { LinkedDeadLetters } from './dead-letters.ts'
import type { HeldItem } from './held-items.ts'
import { labelOf, RemoteObject, type Place } from './remote-object.ts'
import { QueueChannel, type Taken } from './queue-channel.ts'

/** How many puts of one `putMany()` are on their way at once, and how many items one `getMany()` asks for at once. */
const AHEAD = 64
const AT_ONCE = 32

const now: WaitOptions = { timeout: 0 }

/** What travels with a handle. */
export function queueShape({ maxSize, maxDeliveries, backoff }: QueueSpec): Place['shape'] {
  const delays = backoff === undefined ? {} : { backoff: backoff.base, backoffMax: backoff.max }
  return { maxSize, maxDeliveries, ...delays }
}

export class LinkedQueue<T> extends RemoteObject<QueueChannel> implements Queue<T> {
  constructor(place: Place) {
    super(place, (client, number) => new QueueChannel(client, number, labelOf(place), place.home.nature.confirmed))
  }

  put(item: T, options?: PutOptions): Promise<void> {
    try {
      const bytes = this.#encode(item)
      if (options === undefined) return this.presence.put(this.home, bytes, this.checked())
      this.checked()
      const own = checkWait(options, ['delay', 'priority', 'id'])
      return this.presence.put(this.home, bytes, own, putHow(own))
    } catch (error) {
      return Promise.reject(error)
    }
  }

  async tryPut(item: T): Promise<boolean> {
    const bytes = this.#encode(item)
    this.checked()
    return this.presence.tryPut(bytes)
  }

  async putMany(items: Iterable<T> | AsyncIterable<T>, wait?: WaitOptions): Promise<void> {
    const own = this.checked(wait)
    own.signal?.throwIfAborted()
    // Where a put may run out of time, the next one must not be there already.
    const strict = this.#bounded && (own.timeout !== undefined || own.signal !== undefined)
    return putMany<T>(
      items,
      own,
      (item, index, left) => this.#putOne(item, `items[${index}]`, left),
      strict ? 1 : AHEAD,
    )
  }

  /** @throws EncodeError, ClosedError at once */
  #putOne(item: T, label: string, wait: WaitOptions): Promise<void> {
    const bytes = this.#encode(item, label)
    this.checked()
    return this.presence.put(this.home, bytes, wait)
  }

  get(wait?: WaitOptions): Promise<T> {
    // What has come ahead needs no waiting: most of the time a busy consumer spends is spent here.
    const taken = wait === undefined && this.home.open ? this.presence.takeAhead(this.home) : null
    return taken === null ? this.#get(wait) : this.#decoded(taken)
  }

  async #get(wait: WaitOptions | undefined): Promise<T> {
    const own = this.checked(wait)
    const taken = await this.presence.take(this.home, 'taken', own)
    if (taken === null) throw timedOut(`${this.label} had no item`, own)
    return this.#decode(taken.bytes)
  }

  async #decoded(taken: Taken): Promise<T> {
    return this.#decode(taken.bytes)
  }

  async tryGet(): Promise<{ readonly value: T } | null> {
    this.checked()
    const taken = await this.presence.take(this.home, 'taken', now)
    return taken === null ? null : { value: this.#decode(taken.bytes) }
  }

  async getMany(max: number, wait?: WaitOptions): Promise<T[]> {
    checkInteger(max, { min: 1, what: 'queue.getMany(): max' })
    const items: T[] = [await this.get(wait)]
    while (items.length < max) {
      const count = Math.min(AT_ONCE, max - items.length)
      // What goes wrong from here on must not cost what is taken already.
      const more = await Promise.allSettled(Array.from({ length: count }, () => this.takeNow()))
      const found = more.flatMap((one) => (one.status === 'fulfilled' ? (one.value ?? []) : []))
      for (const { value } of found) items.push(value)
      if (found.length < count) break
    }
    return items
  }

  /** The next item if there is one; what cannot be read stays where it is. */
  protected async takeNow(): Promise<{ readonly value: T } | null> {
    this.checked()
    let read: { readonly value: T } | null = null
    const taken = await this.presence.take(this.home, 'taken', now, (bytes) => {
      try {
        read = { value: this.#decode(bytes) }
        return null
      } catch (error) {
        return error as Error
      }
    })
    return taken === null ? null : read
  }

  async receive(wait?: WaitOptions): Promise<Delivery<T>> {
    const own = this.checked(wait)
    const delivery = await this.#receive(own)
    if (delivery === null) throw timedOut(`${this.label} had no item`, own)
    return delivery
  }

  protected tryReceive(): Promise<Delivery<T> | null> {
    this.checked()
    return this.#receive(now)
  }

  async #receive(wait: WaitOptions): Promise<Delivery<T> | null> {
    const taken = await this.presence.take(this.home, 'held', wait)
    if (taken === null) return null
    try {
      return new LinkedDelivery(this.presence, taken, taken.held as HeldItem, {
        value: this.#decode(taken.bytes),
        backoff: this.#backoff,
      })
    } catch (error) {
      // What cannot be read here may be readable elsewhere; delivered too often, it is set aside.
      await this.presence.held.nack(taken.number, 0, error)
      throw error
    }
  }

  async consume(body: (item: T, delivery: Delivery<T>) => unknown, options?: ConsumeOptions): Promise<void> {
    this.checked()
    return consume(this, body, options)
  }

  [Symbol.asyncIterator](): AsyncIterator<T> {
    return iterate(this)
  }

  get deadLetters(): DeadLetters<T> {
    const { label } = this
    return new LinkedDeadLetters({
      label,
      call: (method, args) => this.call(method, args),
      decode: (bytes) => this.#decode(bytes),
    })
  }

  async size(): Promise<number> {
    return this.call<number>('size')
  }

  async empty(): Promise<boolean> {
    return (await this.size()) === 0
  }

  async full(): Promise<boolean> {
    return this.call<boolean>('full')
  }

  async purge(): Promise<number> {
    return this.call<number>('purge')
  }

  async join(wait?: WaitOptions): Promise<void> {
    const own = this.checked(wait)
    const what = `${this.label} was not worked off`
    if (!(await this.callOrPoll<boolean>('join', [], own, what))) throw timedOut(what, own)
  }

  async close(): Promise<void> {
    return this.call('close')
  }

  get #bounded(): boolean {
    return Number.isFinite(this.ref.shape?.['maxSize'])
  }

  get #backoff(): BackoffSpec | null {
    const { backoff, backoffMax } = this.ref.shape ?? {}
    return backoff === undefined ? null : { base: Number(backoff), max: Number(backoffMax) }
  }

  #encode(item: T, label = 'item'): Uint8Array {
    const { nature, admit } = this.home
    return nature.json ? Buffer.from(encodeJson(item, label, admit)) : encode(item, label, admit)
  }

  #decode(bytes: Uint8Array): T {
    return (this.home.nature.json ? this.home.decodeJson(bytes) : this.home.decode(bytes)) as T
  }
}

class LinkedDelivery<T> implements Delivery<T> {
  readonly value: T
  readonly attempt: number
  readonly #channel: QueueChannel
  readonly #number: number
  readonly #held: HeldItem
  readonly #backoff: BackoffSpec | null
  #settled = false

  constructor(
    channel: QueueChannel,
    { number, attempt }: Taken,
    held: HeldItem,
    { value, backoff }: { readonly value: T; readonly backoff: BackoffSpec | null },
  ) {
    this.#backoff = backoff
    this.#channel = channel
    this.#number = number
    this.#held = held
    this.attempt = attempt
    this.value = value
  }

  get signal(): AbortSignal {
    return this.#held.signal
  }

  async ack(): Promise<void> {
    this.#settled = true
    return this.#channel.held.ack(this.#number)
  }

  async nack(options?: NackOptions): Promise<void> {
    const { delay, error } = checkOptions(options, ['delay', 'error'], 'delivery.nack()')
    const after = delay === undefined ? this.#usualDelay : checkDelay(delay, 'delivery.nack(): delay')
    this.#settled = true
    return this.#channel.held.nack(this.#number, after, error)
  }

  get #usualDelay(): number {
    return this.#backoff === null ? 0 : delayAfter(this.#backoff, this.attempt)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#settled && !this.signal.aborted) await this.nack()
  }
}
