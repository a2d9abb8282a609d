/** What one process puts into one queue, and its pass to put without an answer. The other half is `local/passes.ts`. */
import type { WaitOptions } from '../contract/wait.ts'
import type { PutHow } from '../queue/put-options.ts'
import { monotonic } from '../util/clock.ts'
import { isPoll, timedOut } from '../util/wait.ts'
import { op } from '../wire/frame.ts'
import type { BrokerClient } from './broker-client.ts'

export class QueuePuts {
  readonly #client: BrokerClient
  readonly #number: number
  readonly #label: string
  #passUntil = 0
  #count = 0
  /** Those that may wait for room, and have not been answered. */
  #asking = 0

  /** @param number the queue's */
  constructor(client: BrokerClient, number: number, label: string) {
    this.#client = client
    this.#number = number
    this.#label = label
  }

  /**
   * @param owner the context that waits for room; null: there is always room
   * @param how null: nothing is said of the item
   */
  put(owner: object | null, bytes: Uint8Array, wait: WaitOptions, how: PutHow | null): Promise<void> {
    const asks = this.#passUntil === 0 || how !== null || wait.signal?.aborted === true
    if (asks) return this.#ask(owner, bytes, wait, how)
    this.#count = (this.#count % 0xffff_ffff) + 1
    const sequence = this.#count
    const until = this.#passUntil
    const sent = this.#client.sendNow(op.put, this.#number, sequence, undefined, bytes)
    // What has left while the pass held counts. Otherwise the queue may have been closed meanwhile: ask.
    if (!this.#client.writing) return monotonic() < until ? sent : this.#confirm(sequence)
    return sent.then(() => (monotonic() < until ? undefined : this.#confirm(sequence)))
  }

  async tryPut(bytes: Uint8Array): Promise<boolean> {
    return (await this.#client.call<number | false>(this.#number, 'put', [bytes, true])) !== false
  }

  /** Until then a put needs no answer. */
  pass(until: number): void {
    this.#passUntil = until
  }

  revoke(): void {
    this.#passUntil = 0
  }

  /** Resolves when those that need not wait have been answered: what is put already must not be given up as if it waited. */
  async answered(): Promise<void> {
    // What the queue is asked after them it answers after them.
    if (this.#asking > 0) await this.#client.call(this.#number, 'size')
  }

  async #ask(owner: object | null, bytes: Uint8Array, wait: WaitOptions, how: PutHow | null): Promise<void> {
    const what = `${this.#label} had no room`
    const poll = isPoll(wait)
    const counted = owner === null ? 0 : 1
    this.#asking += counted
    try {
      const pass = await this.#client.call<number | false>(this.#number, 'put', [bytes, poll, ...(how ? [how] : [])], {
        wait: poll ? { signal: wait.signal } : wait,
        what,
        owner,
      })
      if (pass === false) throw timedOut(what, wait)
      this.#passUntil = pass
    } finally {
      this.#asking -= counted
    }
  }

  /** Asks whether a put counted that left after the pass had run out. */
  async #confirm(sequence: number): Promise<void> {
    this.#passUntil = await this.#client.call<number>(this.#number, 'confirm', [sequence])
  }
}
