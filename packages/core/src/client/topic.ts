/** Topic, as a process has it: each loop is a subscription of its own at the broker, with what has come for it and was not taken. */
import { encode, encodeJson } from '../codec/index.ts'
import type { Topic } from '../contract/topic.ts'
import { CapacityError } from '../errors.ts'
import { Fifo } from '../util/fifo.ts'
import type { BrokerClient } from './broker-client.ts'
import { Presence } from './presence.ts'
import { labelOf, type Place, RemoteObject } from './remote-object.ts'

/** After so many messages or bytes the broker is told that they were taken. */
const MESSAGES = 64
const BYTES = 1_000_000

interface Waiter {
  resolve(bytes: Uint8Array | null): void
  reject(error: unknown): void
}

/** Of one loop. */
class Subscription {
  readonly owner: object
  readonly #client: BrokerClient
  readonly #tell: (method: string, ...args: readonly unknown[]) => void
  readonly #come = new Fifo<Uint8Array>()
  readonly #waiters = new Fifo<Waiter>()
  #messages = 0
  #bytes = 0
  #end: { readonly error: Error | null } | null = null

  constructor(owner: object, client: BrokerClient, tell: (method: string, ...args: readonly unknown[]) => void) {
    this.owner = owner
    this.#client = client
    this.#tell = tell
  }

  /** The next message; null: the loop is over. */
  next(): Promise<Uint8Array | null> {
    const bytes = this.#come.shift()
    if (bytes !== undefined) {
      this.#taken(bytes)
      return Promise.resolve(bytes)
    }
    if (this.#end !== null) {
      const failed = this.#failure()
      return failed === null ? Promise.resolve(null) : Promise.reject(failed)
    }
    return new Promise((resolve, reject) => {
      this.#client.hold()
      this.#waiters.push({ resolve, reject })
    })
  }

  heard(bytes: Uint8Array): void {
    if (this.#end !== null) return
    const waiter = this.#waiters.shift()
    if (waiter === undefined) {
      this.#come.push(bytes)
      return
    }
    this.#taken(bytes)
    this.#client.release()
    waiter.resolve(bytes)
  }

  /** @param error null: its loop was left */
  end(error: Error | null): void {
    if (this.#end !== null) return
    this.#end = { error }
    if (error === null) this.#come.drain()
    for (const waiter of this.#waiters.drain()) {
      this.#client.release()
      const failed = this.#failure()
      if (failed === null) waiter.resolve(null)
      else waiter.reject(failed)
    }
  }

  /** It is thrown once, as a generator's. */
  #failure(): Error | null {
    const error = this.#end?.error ?? null
    this.#end = { error: null }
    return error
  }

  #taken(bytes: Uint8Array): void {
    this.#messages += 1
    this.#bytes += bytes.length
    if (this.#messages < MESSAGES && this.#bytes < BYTES) return
    this.#tell('taken', this.#messages, this.#bytes)
    this.#messages = 0
    this.#bytes = 0
  }
}

class TopicPresence extends Presence {
  readonly #client: BrokerClient
  readonly #number: number
  readonly #label: string
  readonly #subscriptions = new Map<number, Subscription>()
  #count = 0

  constructor(client: BrokerClient, number: number, label: string) {
    super()
    this.#client = client
    this.#number = number
    this.#label = label
  }

  /**
   * @param owner the context whose loop it is
   * @returns its number, and itself
   */
  subscribe(owner: object): [number, Subscription] {
    this.#count += 1
    const id = this.#count
    const tell = (method: string, ...args: readonly unknown[]): void =>
      this.#client.post(this.#number, method, id, ...args)
    const one = new Subscription(owner, this.#client, tell)
    if (this.gone === null) {
      this.#subscriptions.set(id, one)
      tell('subscribe')
    } else one.end(this.gone)
    return [id, one]
  }

  /** @param error why, where that was not the loop's own will */
  leave(id: number, error: Error | null = null): void {
    const one = this.#subscriptions.get(id)
    if (one === undefined) return
    this.#subscriptions.delete(id)
    this.#client.post(this.#number, 'unsubscribe', id)
    one.end(error)
  }

  abandoned(owner: object, reason: Error): void {
    for (const [id, one] of this.#subscriptions) if (one.owner === owner) this.leave(id, reason)
  }

  override event(name: string, args: readonly unknown[]): void {
    const [id, bytes] = args as [number, Uint8Array | string]
    if (name === 'message') this.#subscriptions.get(id)?.heard(bytes as Uint8Array)
    else if (name === 'missed') {
      this.#subscriptions
        .get(id)
        ?.end(new CapacityError(`${this.#label}: ${String(bytes)}; begin another loop to go on`))
      this.#subscriptions.delete(id)
    } else super.event(name, args)
  }

  protected override lost(reason: Error): void {
    for (const one of this.#subscriptions.values()) one.end(reason)
    this.#subscriptions.clear()
  }
}

export class LinkedTopic<T> extends RemoteObject<TopicPresence> implements Topic<T> {
  constructor(place: Place) {
    super(place, (client, number) => new TopicPresence(client, number, labelOf(place)))
  }

  async publish(message: T): Promise<void> {
    const { nature, admit } = this.home
    const bytes = nature.json ? Buffer.from(encodeJson(message, 'message', admit)) : encode(message, 'message', admit)
    await this.call('publish', [bytes])
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<T, undefined> {
    this.checked()
    const { presence, home } = this
    const [id, subscription] = presence.subscribe(home)
    const iterator: AsyncIterableIterator<T, undefined> = {
      next: async () => {
        const bytes = await subscription.next()
        if (bytes === null) return { done: true, value: undefined }
        return { done: false, value: (home.nature.json ? home.decodeJson(bytes) : home.decode(bytes)) as T }
      },
      return: async () => {
        presence.leave(id)
        return { done: true, value: undefined }
      },
      [Symbol.asyncIterator]: () => iterator,
    }
    return iterator
  }
}
