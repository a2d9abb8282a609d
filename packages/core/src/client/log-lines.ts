/** What a process has written, and writes, as one of many readers has it: pieces of two streams become lines. */
import type { LogLine } from '../contract/process.ts'
import type { LogAnswer, LogPiece } from '../supervisor/broker/log.ts'
import { endOfCharacters } from '../util/utf8.ts'

/** Bytes of the longest line in one piece. */
const LONGEST = 64 * 1024

const LINE_END = 10
const RETURN = 13

const none = Buffer.alloc(0)

export interface LogSource {
  /** @param wait until there is something from that byte on, or no more will come */
  read(from: number, wait: boolean): Promise<LogAnswer>
  /** No more will be asked for. */
  leave(): void
}

export interface LogBeginning {
  /** Lines of what is kept. */
  readonly tail: number
  /** Goes on after those. */
  readonly follow: boolean
}

export async function* logLines(
  open: () => LogSource,
  { tail, follow }: LogBeginning,
): AsyncGenerator<LogLine, void, void> {
  const source = open()
  try {
    const lines = new Lines()
    let answer = await source.read(0, false)
    const { written } = answer
    // What was written before that is no loss of this reader.
    let kept = lines.take(answer.pieces, answer.dropped > 0, 0)
    while (answer.next < written) {
      answer = await source.read(answer.next, false)
      kept = [...kept, ...lines.take(answer.pieces, answer.dropped > 0, answer.dropped)]
    }
    const over = !follow || answer.ended
    if (over) kept.push(...lines.rest())
    yield* kept.slice(Math.max(0, kept.length - tail))
    if (over) yield* lines.missing()
    while (follow && !answer.ended) {
      answer = await source.read(answer.next, true)
      yield* lines.take(answer.pieces, answer.dropped > 0, answer.dropped)
      if (answer.ended) yield* [...lines.rest(), ...lines.missing()]
    }
  } finally {
    source.leave()
  }
}

/** A stream's last line, as far as it has come. */
interface Unfinished {
  parts: Buffer[]
  size: number
  /** Its beginning is gone: nothing is shown before the next one. */
  torn: boolean
}

class Lines {
  readonly #streams: Readonly<Record<1 | 2, Unfinished>> = {
    1: { parts: [], size: 0, torn: false },
    2: { parts: [], size: 0, torn: false },
  }
  #dropped = 0

  /** @param torn something before these is gone @param dropped what is told of that, in bytes */
  take(pieces: readonly LogPiece[], torn: boolean, dropped: number): LogLine[] {
    this.#dropped += dropped
    if (torn) for (const stream of Object.values(this.#streams)) Object.assign(stream, { parts: [], size: 0, torn })
    const lines: LogLine[] = []
    for (const { descriptor, fresh, bytes } of pieces) {
      if (fresh) this.#streams[descriptor].torn = false
      this.#add(descriptor, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), lines)
    }
    return lines
  }

  /** What does not end in a line end. */
  rest(): LogLine[] {
    return ([1, 2] as const).flatMap((descriptor) =>
      this.#streams[descriptor].size === 0 ? [] : [this.#line(descriptor, this.#finish(descriptor))],
    )
  }

  /** Where something is missing after the last line, an empty one that says so, and that nobody wrote. */
  missing(): LogLine[] {
    return this.#dropped === 0 ? [] : [this.#line(2, none)]
  }

  #add(descriptor: 1 | 2, bytes: Buffer, lines: LogLine[]): void {
    const stream = this.#streams[descriptor]
    let from = 0
    for (let end = bytes.indexOf(LINE_END); end !== -1; end = bytes.indexOf(LINE_END, from)) {
      this.#append(stream, bytes.subarray(from, end))
      if (stream.torn) stream.torn = false
      else lines.push(this.#line(descriptor, this.#finish(descriptor)))
      from = end + 1
    }
    this.#append(stream, bytes.subarray(from))
    if (stream.size < LONGEST) return
    const whole = this.#finish(descriptor)
    const end = endOfCharacters(whole, whole.length - 1)
    this.#append(stream, whole.subarray(end))
    lines.push(this.#line(descriptor, whole.subarray(0, end)))
  }

  #append(stream: Unfinished, bytes: Buffer): void {
    if (stream.torn || bytes.length === 0) return
    stream.parts.push(bytes)
    stream.size += bytes.length
  }

  #finish(descriptor: 1 | 2): Buffer {
    const stream = this.#streams[descriptor]
    const whole = Buffer.concat(stream.parts)
    stream.parts = []
    stream.size = 0
    return whole
  }

  #line(descriptor: 1 | 2, bytes: Buffer): LogLine {
    const whole = bytes.at(-1) === RETURN ? bytes.subarray(0, -1) : bytes
    // A mark at the beginning of a line is text like any other.
    const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(whole)
    const dropped = this.#dropped
    this.#dropped = 0
    return { stream: descriptor === 2 ? 'stderr' : 'stdout', text, dropped }
  }
}
