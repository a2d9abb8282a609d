/** Calls on a queue that came before Redis had said whether it is as this program thinks: they wait for that. */
import type { Call } from '@skein/core/adapter'

interface Early {
  readonly method: string
  readonly call: Call
}

export class EarlyCalls {
  /** null: Redis has said so. */
  #calls: Early[] | null = []

  /** Whether calls wait here. */
  get awaited(): boolean {
    return this.#calls !== null
  }

  /** Redis is asked again. */
  await(): void {
    this.#calls = []
  }

  keep(method: string, call: Call): void {
    const early = { method, call }
    this.#calls?.push(early)
    call.waits(() => {
      this.#calls = this.#calls?.filter((one) => one !== early) ?? null
    })
  }

  /** Those that have waited, in the order of calling; from now on none do. */
  release(): readonly Early[] {
    const calls = this.#calls ?? []
    this.#calls = null
    return calls
  }
}
