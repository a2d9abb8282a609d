/**
 * What a process has written lately, for whoever wants to look: any number of readers, each from where it likes, beside those who read its output
 * line by line. Nobody waits for them: what they have not fetched when it must make room is gone, and they are told how much that was.
 */
import type { Call } from './session.ts'

/** Bytes that are kept of each process, at least: of both of its streams together. */
const KEPT = 64 * 1024
/** Bytes of one answer, at most, unless one piece is larger. */
const LONGEST = 64 * 1024
/** Bytes up to which small writes are made one piece. */
const SMALL = 1024

const LINE_END = 10

/** What was written to one of the descriptors 1 and 2. */
export interface LogPiece {
  readonly descriptor: 1 | 2
  /** Whether a line of that stream begins with it. */
  readonly fresh: boolean
  readonly bytes: Uint8Array
}

export interface LogAnswer {
  readonly pieces: readonly LogPiece[]
  /** Where the next ones begin, in bytes of all that was ever written. */
  readonly next: number
  /** Bytes that were there to be read and are gone. */
  readonly dropped: number
  /** How far it has come now. */
  readonly written: number
  /** No more will come. */
  readonly ended: boolean
}

interface Kept extends LogPiece {
  /** Where it begins. */
  readonly at: number
  readonly bytes: Buffer
}

export class Log {
  #pieces: Kept[] = []
  #first = 0
  #written = 0
  #ended = false
  /** The last byte of each stream ended a line. */
  readonly #fresh = { 1: true, 2: true }
  readonly #waiting = new Map<Call, number>()

  /** Bytes that are kept. */
  get size(): number {
    return this.#written - this.#first
  }

  push(descriptor: 1 | 2, bytes: Buffer): void {
    if (this.#ended || bytes.length === 0) return
    this.#keep(descriptor, bytes)
    this.#fresh[descriptor] = bytes.at(-1) === LINE_END
    this.#written += bytes.length
    while (this.size - (this.#pieces[0]?.bytes.length ?? 0) >= KEPT) this.#drop()
    this.#serve()
  }

  /** Who writes here has ended, and another one may follow: what it has not ended is a line all the same. */
  breakLines(): void {
    for (const descriptor of [1, 2] as const) {
      if (!this.#fresh[descriptor]) this.push(descriptor, Buffer.of(LINE_END))
    }
  }

  end(): void {
    this.#ended = true
    this.#serve()
  }

  /** It must make room. */
  discard(): void {
    while (this.#pieces.length > 0) this.#drop()
  }

  /** @param from where to begin; @param wait until there is something */
  read(call: Call, from: number, wait: boolean): void {
    if (wait && from >= this.#written && !this.#ended) {
      this.#waiting.set(call, from)
      call.waits(() => this.#waiting.delete(call))
    } else call.ok(this.#answer(from))
  }

  #serve(): void {
    for (const [call, from] of this.#waiting) call.ok(this.#answer(from))
    this.#waiting.clear()
  }

  #answer(from: number): LogAnswer {
    const pieces: LogPiece[] = []
    let next = Math.max(from, this.#first)
    const dropped = next - from
    let bytes = 0
    for (const piece of this.#pieces) {
      // A small one may have grown since its beginning was read.
      const rest = piece.bytes.subarray(Math.max(0, next - piece.at))
      if (rest.length === 0) continue
      if (bytes > 0 && bytes + rest.length > LONGEST) break
      const whole = rest.length === piece.bytes.length
      pieces.push({ descriptor: piece.descriptor, fresh: whole && piece.fresh, bytes: rest })
      bytes += rest.length
      next += rest.length
    }
    return { pieces, next, dropped, written: this.#written, ended: this.#ended && next === this.#written }
  }

  #keep(descriptor: 1 | 2, bytes: Buffer): void {
    const last = this.#pieces.at(-1)
    if (last?.descriptor === descriptor && last.bytes.length + bytes.length <= SMALL) {
      this.#pieces[this.#pieces.length - 1] = { ...last, bytes: Buffer.concat([last.bytes, bytes]) }
      return
    }
    // A copy: it may be a small part of what it lies in.
    this.#pieces.push({ descriptor, fresh: this.#fresh[descriptor], at: this.#written, bytes: Buffer.from(bytes) })
  }

  #drop(): void {
    this.#first += this.#pieces.shift()?.bytes.length ?? 0
  }
}
