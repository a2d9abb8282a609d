/**
 * What is given back: gathered while a turn of the event loop lasts, sent in one script, and sent again until Redis has answered.
 * A request id that was dropped is never used again, so a second sending finds nothing to do.
 */
import { ConnectionError } from '@skein/core'
import { soon } from '@skein/core/adapter'

export class Drops {
  readonly #send: (rids: readonly string[]) => Promise<unknown>
  readonly #onMicrotask = (): void => this.flush()
  #gathered: string[] = []
  /** Sent without an answer, with the connection gone since. */
  readonly #unsettled = new Set<string>()
  #sending = 0

  constructor(send: (rids: readonly string[]) => Promise<unknown>) {
    this.#send = send
  }

  /** Whether there is something for `again`. */
  get unsettled(): boolean {
    return this.#unsettled.size > 0
  }

  /** Whether Redis has not answered to all of it. */
  get pending(): boolean {
    return this.#gathered.length > 0 || this.#sending > 0 || this.unsettled
  }

  /** @param unused its process has not made use of it, or is not there to say so */
  add(rid: string, unused: boolean): void {
    if (this.#gathered.length === 0) soon(this.#onMicrotask)
    this.#gathered.push(unused ? `!${rid}` : rid)
  }

  /** Sends at once what was gathered: before a request that counts on it. */
  flush(): void {
    const rids = this.#gathered
    if (rids.length === 0) return
    this.#gathered = []
    void this.#drop(rids)
  }

  /** Sends again what got no answer. */
  again(): void {
    const rids = [...this.#unsettled]
    if (rids.length === 0) return
    this.#unsettled.clear()
    void this.#drop(rids)
  }

  /** Their session is lost, and all its holdings with it. */
  clear(): void {
    this.#gathered = []
    this.#unsettled.clear()
  }

  async #drop(rids: readonly string[]): Promise<void> {
    this.#sending += 1
    try {
      await this.#send(rids)
    } catch (error) {
      // Anything else would be refused again; the session's end gives these back.
      if (error instanceof ConnectionError) for (const rid of rids) this.#unsettled.add(rid)
    } finally {
      this.#sending -= 1
    }
  }
}
