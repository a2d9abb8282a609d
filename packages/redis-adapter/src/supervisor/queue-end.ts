/** Which processes of this program know that a queue is closed, and which of them must hear that theirs is over when it opens again. */
import { QueueClosedError } from '@skein/core'
import type { Deliveries, QueueUser } from './deliveries.ts'

export class QueueEnd {
  readonly #label: string
  readonly #deliveries: Deliveries
  /** null: nobody here has heard of a close. */
  #told: Set<QueueUser> | null = null

  constructor(label: string, deliveries: Deliveries) {
    this.#label = label
    this.#deliveries = deliveries
  }

  get known(): boolean {
    return this.#told !== null
  }

  get error(): QueueClosedError {
    return new QueueClosedError(`${this.#label} is closed`)
  }

  /** Tells each user once, so that the next mention of the name asks for a fresh queue. */
  heard(): QueueClosedError {
    this.#told ??= new Set()
    for (const user of this.#deliveries.users) {
      if (this.#told.has(user)) continue
      this.#told.add(user)
      user.session.event(user.number, 'closed')
    }
    return this.error
  }

  /** It was closed and drained, and somebody named it again: those who knew it before hear that theirs is over. */
  reopened(): void {
    const before = this.#told ?? new Set()
    this.#told = null
    for (const user of before) {
      this.#deliveries.forget(user)
      user.session.event(user.number, 'gone', this.error)
    }
  }

  forget(user: QueueUser): void {
    this.#told?.delete(user)
  }
}
