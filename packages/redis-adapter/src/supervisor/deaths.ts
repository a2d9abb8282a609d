/** Which programs are dead: heard by message, told by each beat, asked when neither has said it. */
import type { Deaths, Script } from './surround.ts'

/** How many dead programs are remembered; of others Redis is asked again. */
const REMEMBERED = 10_000

export class DeathRegister implements Deaths {
  readonly #ask: Script<readonly string[], string[]>
  readonly #keys: readonly string[]
  readonly #known = new Set<string>()
  readonly #listeners = new Set<(sids: readonly string[]) => void>()

  /** @param keys of `session-dead` */
  constructor(ask: Script<readonly string[], string[]>, keys: readonly string[]) {
    this.#ask = ask
    this.#keys = keys
  }

  async isDead(sid: string): Promise<boolean> {
    return (await this.deadOf([sid])).length > 0
  }

  async deadOf(sids: readonly string[]): Promise<string[]> {
    const unknown = sids.filter((sid) => !this.#known.has(sid))
    if (unknown.length > 0) this.#remember(await this.#ask.call(this.#keys, unknown))
    return sids.filter((sid) => this.#known.has(sid))
  }

  onDeath(told: (sids: readonly string[]) => void): () => void {
    this.#listeners.add(told)
    return () => this.#listeners.delete(told)
  }

  /** Some of them may have been told before. */
  learn(sids: readonly string[]): void {
    const fresh = sids.filter((sid) => !this.#known.has(sid))
    if (fresh.length === 0) return
    this.#remember(fresh)
    for (const told of this.#listeners) told(fresh)
  }

  #remember(sids: readonly string[]): void {
    for (const sid of sids) this.#known.add(sid)
    for (const sid of this.#known) {
      if (this.#known.size <= REMEMBERED) break
      this.#known.delete(sid)
    }
  }
}
