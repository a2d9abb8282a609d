/** JoinableQueue, as a process has it: what it got and has not called done, oldest first, for all handles of the queue in one context. */
import type { JoinableQueue, Delivery } from '../contract/queue.ts'
import type { WaitOptions } from '../contract/wait.ts'
import { Fifo } from '../util/fifo.ts'
import { LinkedQueue } from './queue.ts'
import type { Home, Place } from './remote-object.ts'
import type { QueueChannel } from './queue-channel.ts'

/** By context, with which its items go back, and by queue. */
const got = new WeakMap<Home, WeakMap<QueueChannel, Fifo<Delivery<unknown>>>>()

export class LinkedJoinableQueue<T> extends LinkedQueue<T> implements JoinableQueue<T> {
  readonly #got: Fifo<Delivery<unknown>>

  constructor(place: Place) {
    super(place)
    const here = got.get(place.home) ?? new WeakMap()
    got.set(place.home, here)
    this.#got = here.get(this.presence) ?? new Fifo()
    here.set(this.presence, this.#got)
  }

  override async get(wait?: WaitOptions): Promise<T> {
    return this.#begun(await this.receive(wait))
  }

  override async tryGet(): Promise<{ readonly value: T } | null> {
    const delivery = await this.tryReceive()
    return delivery === null ? null : { value: this.#begun(delivery) }
  }

  protected override takeNow(): Promise<{ readonly value: T } | null> {
    return this.tryGet()
  }

  async taskDone(): Promise<void> {
    const delivery = this.#got.shift()
    if (delivery === undefined) {
      throw new RangeError(
        `taskDone() was called more often than this process got items from ${this.label}; call it once for each get()`,
      )
    }
    return delivery.ack()
  }

  #begun(delivery: Delivery<T>): T {
    this.#got.push(delivery)
    return delivery.value
  }
}
