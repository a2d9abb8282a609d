/**
 * One output stream of a process at the broker: between the child, which writes bytes, and its readers, which ask for lines.
 *
 * While somebody reads, the child is stopped when too much waits here. While nobody does, the oldest goes: a process must not stand
 * still, and its `join()` with it, since nobody looks at what it prints. What was dropped is counted and told.
 */
import { endOfCharacters } from '../../util/utf8.ts'
import type { Call, Session } from './session.ts'

/** Bytes that are kept for a reader to come. */
const KEPT = 1024 * 1024
/** Bytes that wait for a reader before the child is stopped, and before it goes on. */
const ENOUGH = 256 * 1024
const FEW = 64 * 1024
/** Bytes of one answer, and so of the longest line in one piece. */
const LONGEST = 64 * 1024

const LINE_END = 10

const none = Buffer.alloc(0)

/** Whole lines, or the end of what there is. `null`: no more will come. */
export type OutputAnswer = { readonly bytes: Uint8Array; readonly dropped: number } | null

export class Output {
  readonly #flow: (on: boolean) => void
  readonly #readers = new Set<Session>()
  readonly #waiting = new Set<Call>()
  #chunks: Buffer[] = []
  #size = 0
  #dropped = 0
  #stopped = false
  #ended = false

  /** @param flow stops the child's writing and lets it go on */
  constructor(flow: (on: boolean) => void) {
    this.#flow = flow
  }

  /** Bytes that nobody has read. */
  get size(): number {
    return this.#size
  }

  push(bytes: Buffer): void {
    if (this.#ended) return
    this.#chunks.push(bytes)
    this.#size += bytes.length
    this.#serve()
    this.#balance()
  }

  /** Another child writes here from now on, and none has told it to stop. */
  renew(): void {
    this.#stopped = false
    this.#balance()
  }

  end(): void {
    this.#ended = true
    this.#serve()
  }

  read(call: Call): void {
    this.#readers.add(call.session)
    this.#waiting.add(call)
    call.waits(() => this.#waiting.delete(call))
    this.#serve()
    this.#balance()
  }

  /** The session reads no more. */
  leave(session: Session): void {
    this.#readers.delete(session)
    this.#balance()
  }

  /** Nobody will read it any more. */
  discard(): void {
    this.#dropped += this.#size
    this.#chunks = []
    this.#size = 0
  }

  #serve(): void {
    for (const call of this.#waiting) {
      const answer = this.#take()
      if (answer === undefined) return
      this.#waiting.delete(call)
      call.ok(answer)
    }
  }

  /** `undefined`: there is nothing yet. */
  #take(): OutputAnswer | undefined {
    const end = this.#endOfLines()
    if (end === 0 && this.#dropped === 0) return this.#ended ? null : undefined
    const whole = this.#whole
    const dropped = this.#dropped
    this.#chunks = [whole.subarray(end)]
    this.#size -= end
    this.#dropped = 0
    return { bytes: whole.subarray(0, end), dropped }
  }

  /** How much may be handed out: up to the end of a line, of a character of a very long line, or of all. */
  #endOfLines(): number {
    const whole = this.#whole
    const most = Math.min(whole.length, LONGEST)
    const lines = whole.subarray(0, most).lastIndexOf(LINE_END) + 1
    if (lines > 0) return lines
    if (most < LONGEST) return this.#ended ? most : 0
    return endOfCharacters(whole, most)
  }

  get #whole(): Buffer {
    const [first = none] = this.#chunks
    if (this.#chunks.length < 2) return first
    const whole = Buffer.concat(this.#chunks, this.#size)
    this.#chunks = [whole]
    return whole
  }

  #balance(): void {
    if (this.#readers.size === 0) {
      if (this.#size > KEPT + ENOUGH) this.#drop()
      this.#tell(true)
    } else if (this.#size > ENOUGH) this.#tell(false)
    else if (this.#size <= FEW) this.#tell(true)
  }

  #tell(on: boolean): void {
    if (this.#stopped === !on) return
    this.#stopped = !on
    this.#flow(on)
  }

  /** A good part at once, so that not every chunk moves what is kept; up to the end of a line, if there is one. */
  #drop(): void {
    const whole = this.#whole
    const least = this.#size - KEPT
    const line = whole.indexOf(LINE_END, least) + 1
    const end = line === 0 ? endOfCharacters(whole, least) : line
    // A copy: the rest may be a small part of what it lies in.
    this.#chunks = [Buffer.from(whole.subarray(end))]
    this.#size -= end
    this.#dropped += end
  }
}

/** Something that is kept until it must make room. */
interface Left {
  readonly size: number
  discard(): void
}

/** What ended processes have left for readers to come: not without end. */
export class LeftOutput {
  readonly #most: number
  #left: Left[] = []

  /** @param most bytes of all together */
  constructor(most: number) {
    this.#most = most
  }

  add(outputs: readonly Left[]): void {
    this.#left = [...this.#left, ...outputs].filter((output) => output.size > 0)
    let size = this.#left.reduce((sum, output) => sum + output.size, 0)
    while (size > this.#most) {
      const oldest = this.#left.shift()
      if (oldest === undefined) return
      size -= oldest.size
      oldest.discard()
    }
  }
}
