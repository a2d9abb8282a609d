/** Dead letters of a queue, as a process reads them. */
import type { DeadLetter, DeadLetters } from '../contract/queue.ts'
import { ArgumentError, StateError } from '../errors.ts'
import { describe } from '../util/describe.ts'

/** As the broker gives it. */
type Raw = readonly [id: string, attempts: number, reason: string, at: number, bytes: Uint8Array]

export interface DeadLettersOptions<T> {
  readonly label: string
  call<R>(method: string, args?: readonly unknown[]): Promise<R>
  decode(bytes: Uint8Array): T
}

export class LinkedDeadLetters<T> implements DeadLetters<T> {
  readonly #options: DeadLettersOptions<T>

  constructor(options: DeadLettersOptions<T>) {
    this.#options = options
  }

  async list(): Promise<DeadLetter<T>[]> {
    const all = await this.#options.call<Raw[]>('dead')
    return all.map((raw) => this.#letter(raw))
  }

  async retry(id: string): Promise<void> {
    const { label } = this.#options
    if (typeof id !== 'string')
      throw new ArgumentError(`deadLetters.retry() takes the id of a dead letter, a string, got ${describe(id)}`)
    if (await this.#options.call<boolean>('retry', [id])) return
    throw new StateError(
      `${label} has no dead letter ${describe(id)}: it was retried or cleared before; list() says which there are`,
    )
  }

  async clear(): Promise<number> {
    return this.#options.call<number>('clear')
  }

  #letter([id, attempts, reason, at, bytes]: Raw): DeadLetter<T> {
    const about = { id, attempts, reason, at }
    try {
      return { ...about, value: this.#options.decode(bytes) }
    } catch (error) {
      // Often the very reason why it is dead; the others can be read.
      return Object.defineProperty(about, 'value', {
        enumerable: true,
        get: (): T => {
          throw error
        },
      }) as unknown as DeadLetter<T>
    }
  }
}
