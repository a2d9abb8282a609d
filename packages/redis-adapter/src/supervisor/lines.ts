/** The lines of one queue, and a look at them from time to time while somebody waits, in case a message was lost. */
import type { Session } from '@skein/core/adapter'
import type { Line } from './line.ts'

export class Lines {
  readonly #lines: readonly Line[]
  readonly #beat: number
  #timer: NodeJS.Timeout | undefined

  /** @param beat ms between two looks */
  constructor(lines: readonly Line[], beat: number) {
    this.#lines = lines
    this.#beat = beat
  }

  /** @param begin puts somebody into one of them */
  wait(begin: () => void): void {
    begin()
    this.#timer ??= setTimeout(() => this.#look(), this.#beat)
  }

  wakeAll(): void {
    for (const line of this.#lines) line.wakeAll()
  }

  /** The process is stopped: what it waits for waits with it. */
  park(session: Session): void {
    for (const line of this.#lines) line.park(session)
  }

  resume(session: Session): void {
    for (const line of this.#lines) line.resume(session)
  }

  /** Everybody asks anew but processes that are stopped. */
  reenter(stopped: ReadonlySet<Session>): void {
    for (const line of this.#lines) line.reenter(stopped)
  }

  end(reason: Error): void {
    clearTimeout(this.#timer)
    for (const line of this.#lines) line.fail(reason)
  }

  #look(): void {
    this.#timer = undefined
    for (const line of this.#lines) line.look()
    if (this.#lines.some((line) => line.length > 0)) this.#timer = setTimeout(() => this.#look(), this.#beat)
  }
}
