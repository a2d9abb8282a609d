/**
 * Items of a queue that were handed out for good, until the broker is told. In a burst of gets it is told of some together; meanwhile only
 * this process's death can bring them back, as items that were got in that instant. The last of a burst is told of before the user sees
 * it, since a long computation may follow, and so is whatever comes later than `LINGER` after the last telling.
 */
import { op } from '../wire/frame.ts'
import type { BrokerClient } from './broker-client.ts'

/** How many items are told of together, and how many milliseconds after the last telling that is over. */
const BUNCH = 16
const LINGER = 0.1

export class Claims {
  readonly #client: BrokerClient
  readonly #queue: number
  /** The newest one that was not told of; all before it go with it. */
  #newest = 0
  #count = 0
  #lastTold = 0
  readonly #settle = (): void => this.tell()

  /** @param queue its number */
  constructor(client: BrokerClient, queue: number) {
    this.#client = client
    this.#queue = queue
  }

  /** @param last whether no other item is here */
  add(item: number, last: boolean): void {
    const now = performance.now()
    if (this.#count === 0) this.#client.linger(this.#settle)
    this.#newest = item
    this.#count += 1
    if (this.#count >= BUNCH || last || now - this.#lastTold > LINGER) this.tell()
  }

  tell(): void {
    if (this.#count === 0) return
    this.#count = 0
    this.#lastTold = performance.now()
    // An error of the link ends it, and everybody who waits on it is told then.
    void this.#client.sendNow(op.taken, this.#queue, this.#newest)
  }

  /** Nobody wants to know any more. */
  drop(): void {
    this.#count = 0
  }
}
