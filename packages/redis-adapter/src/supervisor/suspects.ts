/** Programs that hold what somebody of this one waits for: asked after now and then, and taken from when they are dead. */
import { monotonic } from '@skein/core/adapter'
import type { Surround } from './surround.ts'

export class Suspects {
  readonly #around: Surround
  readonly #reap: (dead: readonly string[]) => void
  /** When each was last asked after. */
  readonly #asked = new Map<string, number>()

  /** @param reap takes back what these hold, all of them dead */
  constructor(around: Surround, reap: (dead: readonly string[]) => void) {
    this.#around = around
    this.#reap = reap
  }

  look(sids: readonly string[]): void {
    const now = monotonic()
    const { beat, deaths, session } = this.#around
    const worth = sids.filter(
      (sid) => sid !== session.sid && (this.#asked.get(sid) ?? Number.NEGATIVE_INFINITY) < now - beat / 2,
    )
    if (worth.length === 0) return
    for (const sid of worth) this.#asked.set(sid, now)
    deaths.deadOf(worth).then(
      (dead) => {
        for (const sid of dead) this.#asked.delete(sid)
        if (dead.length > 0) this.#reap(dead)
      },
      () => {
        // The next look asks again.
      },
    )
  }
}
