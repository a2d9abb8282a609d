/** Does for dead programs, and for this program's own lost sessions, what they cannot do themselves: give way. */
import type { PermitScripts } from './permits-scripts.ts'
import type { Surround } from './surround.ts'

export class Undertaker {
  readonly #scripts: Pick<PermitScripts, 'reap'>
  readonly #around: Surround
  /** Sessions of this program that were lost, until what they had here is surely gone. */
  readonly #own = new Set<string>()
  #askedAt = Number.NEGATIVE_INFINITY

  constructor(scripts: Pick<PermitScripts, 'reap'>, around: Surround) {
    this.#scripts = scripts
    this.#around = around
  }

  /** Whether something of this program's past is left to give back. */
  get busy(): boolean {
    return this.#own.size > 0
  }

  /** A session of this program is lost, and may have left something here. */
  note(sid: string): void {
    this.#own.add(sid)
  }

  /** Gives back what this program's lost sessions had: else the line would be served for nobody. */
  async bury(): Promise<void> {
    const own = [...this.#own]
    if (own.length === 0 || (await this.#reap(own)) === null) return
    for (const sid of own) this.#own.delete(sid)
  }

  /** These are known to be dead. Whether they had something here. */
  async take(sids: readonly string[]): Promise<boolean> {
    return ((await this.#reap(sids)) ?? 0) > 0
  }

  /** Whether some of those in the way were dead, and are in the way no longer. Asks at most twice in a beat. */
  async clear(sids: readonly string[]): Promise<boolean> {
    const { session, beat, deaths } = this.#around
    const others = sids.filter((sid) => sid !== session.sid)
    const now = performance.now()
    if (others.length === 0 || now - this.#askedAt < beat / 2) return false
    this.#askedAt = now
    try {
      const dead = await deaths.deadOf(others)
      return dead.length > 0 && (await this.take(dead))
    } catch {
      // No connection: asked again when there is one.
      return false
    }
  }

  /** How many holdings and places in line went; null if Redis did not say. */
  async #reap(sids: readonly string[]): Promise<number | null> {
    try {
      return await this.#scripts.reap(sids)
    } catch {
      // Whoever waits finds them in the way again, and the next look buries the rest.
      return null
    }
  }
}
