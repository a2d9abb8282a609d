/** Declares dead the programs that have been silent for too long: after each beat, by the server's clock, all programs alike. */
import { monotonic } from '@skein/core/adapter'
import type { SessionKeys } from './program-session.ts'
import type { GatedStore, Script } from './surround.ts'

export interface SweeperOptions {
  readonly scripts: GatedStore
  readonly keys: SessionKeys
  readonly namespace: string
  readonly ttl: number
  /** See `ServerFacts`. */
  readonly keeps: boolean
  readonly self: () => string
  readonly found: (sids: readonly string[]) => void
}

export class Sweeper {
  readonly #options: SweeperOptions
  readonly #sweep: Script<readonly (string | number)[], string[]>
  /** Since when the connection has had no gap, on the monotonic clock; null without one. */
  #since: number | null = monotonic()

  constructor(options: SweeperOptions) {
    this.#options = options
    const { scripts } = options
    this.#sweep = scripts.urgent('session-sweep', { prelude: '_server', allowOom: true })
    scripts.onLost(() => (this.#since = null))
    scripts.onReady(() => (this.#since = monotonic()))
  }

  /** Who could not hear the others for a while must not judge them: their beats may have been lost on the same way. */
  async look(): Promise<void> {
    const { keys, ttl, keeps, namespace, self, found } = this.#options
    if (this.#since === null || monotonic() - this.#since < ttl) return
    const names = [keys.live, keys.info, keys.dead, keys.run]
    try {
      const dead = await this.#sweep.call(names, [ttl, `${namespace}:all`, self(), keeps ? 1 : 0])
      if (dead.length > 0) found(dead)
    } catch {
      // After the next beat again.
    }
  }
}
