/** The items of a queue in the hands of this process: each is its own until it is settled, or until its tenure is over. */
import { LeaseLostError } from '../errors.ts'
import { describe } from '../util/describe.ts'
import { op } from '../wire/frame.ts'
import type { BrokerClient } from './broker-client.ts'
import { expired, Holding } from './tenure.ts'

/** One of them, as its consumer sees it. */
export class HeldItem {
  /** The context of its consumer. */
  readonly owner: object
  readonly #holding: Holding
  readonly #expire: () => void
  #abort: AbortController | null = null
  #lost: Error | null = null

  /** @param expire called when the time is over and somebody listens */
  constructor(owner: object, holding: Holding, expire: () => void) {
    this.owner = owner
    this.#holding = holding
    this.#expire = expire
  }

  /** Milliseconds. */
  get remaining(): number {
    return this.#holding.remaining
  }

  /** Aborts when it is lost. */
  get signal(): AbortSignal {
    if (this.#abort === null) {
      this.#abort = new AbortController()
      if (this.#lost === null) this.#holding.watch(this.#expire)
      else this.#abort.abort(this.#lost)
    }
    return this.#abort.signal
  }

  /** It is settled. */
  end(): void {
    this.#holding.end()
  }

  lose(error: Error): void {
    this.#lost ??= error
    this.end()
    this.#abort?.abort(this.#lost)
  }
}

export class HeldItems {
  readonly #client: BrokerClient
  readonly #queue: number
  readonly #label: string
  readonly #confirmed: boolean
  readonly #items = new Map<number, HeldItem>()
  /** Why no item is this process's any more. */
  #cause: Error | null = null

  /**
   * @param queue its number at the broker
   * @param confirmed whether `ack` and `nack` are calls; see `Nature`
   */
  constructor(client: BrokerClient, queue: number, label: string, confirmed: boolean) {
    this.#client = client
    this.#queue = queue
    this.#label = label
    this.#confirmed = confirmed
  }

  /**
   * @param owner the context of its consumer
   * @param epoch of this process's tenure when the item came
   */
  add(number: number, owner: object, epoch: number): HeldItem {
    const item = new HeldItem(owner, new Holding(this.#client.tenure, epoch), () => this.#expire(number))
    this.#items.set(number, item)
    this.#client.send(op.held, this.#queue, number)
    return item
  }

  ack(number: number): Promise<void> {
    return this.#settle(number, 'ack', [], () => this.#client.send(op.ack, this.#queue, number))
  }

  /**
   * @param delay milliseconds
   * @param error why, kept with what was delivered too often
   */
  nack(number: number, delay: number, error?: unknown): Promise<void> {
    const why = error === undefined ? '' : error instanceof Error ? error.message : describe(error)
    const more = why === '' ? [delay] : [delay, why]
    return this.#settle(number, 'nack', more, () => this.#client.post(this.#queue, 'nack', number, ...more))
  }

  /** All are lost. @param forGood the queue is gone */
  lose(cause: Error, forGood: boolean): void {
    if (forGood) this.#cause = cause
    for (const item of this.#items.values()) item.lose(this.#lost(cause))
    this.#items.clear()
  }

  /** A context closes: what its consumers hold goes back, the last to the front first, so that the order stays. */
  abandoned(owner: object, reason: Error): void {
    for (const [number, item] of [...this.#items].toReversed()) {
      if (item.owner !== owner) continue
      this.#items.delete(number)
      this.#client.post(this.#queue, 'nack', number, 0, 'the context of its consumer was closed')
      item.lose(this.#lost(reason))
    }
  }

  async #settle(number: number, how: string, more: readonly unknown[], tell: () => void): Promise<void> {
    const item = this.#items.get(number)
    if (item !== undefined && item.remaining <= 0) this.#expire(number)
    if (!this.#items.delete(number)) throw this.#lost(this.#cause)
    item?.end()
    if (this.#confirmed) {
      await this.#client.call(this.#queue, how, [number, ...more])
      return
    }
    tell()
    await this.#client.flushed()
  }

  /** Its time was over before anybody said so: who holds it is told, and so is the broker, which may not have noticed. */
  #expire(number: number): void {
    const item = this.#items.get(number)
    if (!this.#items.delete(number)) return
    this.#client.post(this.#queue, 'return', [number])
    item?.lose(this.#lost(expired()))
  }

  #lost(cause: Error | null): LeaseLostError {
    return new LeaseLostError(
      `this delivery from ${this.#label} was acknowledged, given back or lost before`,
      cause === null ? {} : { cause },
    )
  }
}
