/**
 * How the outcomes of tasks travel from a worker to the pool. Each value is encoded as it was when its task ended, and one that
 * cannot be encoded spoils no neighbour.
 *
 * Two forms, told apart by what the codec gives back:
 * - an array: all tasks fulfilled, these are their values. It is what small results in large numbers take.
 * - bytes: parts, one after the other: kind (1 byte), number of tasks (4, little-endian), length (4), encoded content. Of kind
 *   `VALUES` the content is an array of values, of kind `FAILURE` what all of these tasks threw.
 */
import { ProtocolError } from '../errors.ts'

const VALUES = 0
const FAILURE = 1
const PART_HEAD = 9
/** Room is made beforehand for so many values or more, and for so many at most. */
const MANY = 64
const MOST = 32_768

export interface OutcomeCodec {
  encode(value: unknown, path: string): Uint8Array
  /** Encodes whatever was thrown. Never throws. */
  encodeFailure(error: unknown): Uint8Array
}

interface Part {
  readonly kind: typeof VALUES | typeof FAILURE
  readonly count: number
  readonly content: Uint8Array
}

/** Gathers outcomes in the order of their tasks. */
export class OutcomeWriter {
  readonly #codec: OutcomeCodec
  #parts: Part[] = []
  /** Values that nobody can change any more, not yet encoded: the first `#held` of these. */
  #pending: unknown[] = []
  #held = 0
  #count = 0

  constructor(codec: OutcomeCodec) {
    this.#codec = codec
  }

  /** How many outcomes were gathered since the last `take`. */
  get count(): number {
    return this.#count
  }

  /** So many outcomes are to come before the next `take`, most likely. */
  expect(count: number): void {
    // An array that grows leaves twice its size behind for the garbage collector.
    if (count >= MANY) this.#pending = new Array<unknown>(Math.min(count, MOST))
  }

  /** @param last whether `take` follows before any other code runs */
  fulfilled(value: unknown, last: boolean): void {
    this.#count += 1
    if (isPrimitive(value) || (last && this.#count === 1)) {
      this.#pending[this.#held++] = value
      return
    }
    // The next task may change this very object: the value counts as it is now.
    this.#closeRun()
    this.#parts.push(this.#valuePart([value]))
  }

  /** @param count how many tasks ended so */
  rejected(error: unknown, count = 1): void {
    this.#count += count
    this.#closeRun()
    this.#parts.push({ kind: FAILURE, count, content: this.#codec.encodeFailure(error) })
  }

  /** The encoded outcomes; the writer is empty again. */
  take(): Uint8Array {
    this.#count = 0
    this.#closeRun()
    const parts = this.#parts
    const [first] = parts
    if (first !== undefined && parts.length === 1 && first.kind === VALUES) {
      parts.length = 0
      return first.content
    }
    this.#parts = []
    return this.#codec.encode(joinParts(parts), 'outcomes')
  }

  #closeRun(): void {
    if (this.#held === 0) return
    const values = this.#pending
    values.length = this.#held
    this.#pending = []
    this.#held = 0
    this.#parts.push(this.#valuePart(values))
  }

  #valuePart(values: unknown[]): Part {
    try {
      return { kind: VALUES, count: values.length, content: this.#codec.encode(values, 'result') }
    } catch (error) {
      return { kind: FAILURE, count: values.length, content: this.#codec.encodeFailure(this.#reason(values, error)) }
    }
  }

  /** The codec named the path `result[0].x`, the user knows it as `result.x`. */
  #reason(values: unknown[], error: unknown): unknown {
    if (values.length > 1) return error
    try {
      this.#codec.encode(values[0], 'result')
      return error
    } catch (better) {
      return better
    }
  }
}

/** Of symbols the codec makes an error, which is to be that of one task only. */
function isPrimitive(value: unknown): boolean {
  return value === null || (typeof value !== 'object' && typeof value !== 'function' && typeof value !== 'symbol')
}

function joinParts(parts: readonly Part[]): Uint8Array {
  const size = parts.reduce((sum, { content }) => sum + PART_HEAD + content.byteLength, 0)
  const bytes = new Uint8Array(size)
  const view = new DataView(bytes.buffer)
  let at = 0
  for (const { kind, count, content } of parts) {
    view.setUint8(at, kind)
    view.setUint32(at + 1, count, true)
    view.setUint32(at + 5, content.byteLength, true)
    bytes.set(content, at + PART_HEAD)
    at += PART_HEAD + content.byteLength
  }
  return bytes
}

/** Hears the outcome of each task, by its index. */
export interface OutcomeSink {
  fulfilled(index: number, value: unknown): void
  /** As `fulfilled` for each of them, for sinks that can do that at less cost. */
  fulfilledMany?(first: number, values: readonly unknown[]): void
  rejected(index: number, error: unknown): void
}

/**
 * Reads the outcomes of `count` tasks to a sink, which counts them from `first` on. Each task is told exactly once: what cannot
 * be read rejects the tasks that it was about.
 */
export function readOutcomes(
  bytes: Uint8Array,
  count: number,
  first: number,
  decode: (bytes: Uint8Array) => unknown,
  sink: OutcomeSink,
): void {
  let content: unknown
  try {
    content = decode(bytes)
    if (content instanceof Uint8Array) checkParts(content, count)
    else if (!Array.isArray(content) || content.length !== count) throw malformed(count)
  } catch (error) {
    rejectAll(sink, first, count, error)
    return
  }
  if (Array.isArray(content)) fulfillAll(sink, first, content)
  else if (content instanceof Uint8Array) readParts(content, first, decode, sink)
}

function readParts(bytes: Uint8Array, first: number, decode: (bytes: Uint8Array) => unknown, sink: OutcomeSink): void {
  let index = first
  for (const { kind, count, content } of splitParts(bytes)) {
    let value: unknown
    let readable = true
    try {
      value = decode(content)
      if (kind === VALUES && (!Array.isArray(value) || value.length !== count)) throw malformed(count)
    } catch (error) {
      value = error
      readable = false
    }
    if (readable && kind === VALUES && Array.isArray(value)) fulfillAll(sink, index, value)
    else rejectAll(sink, index, count, value)
    index += count
  }
}

function fulfillAll(sink: OutcomeSink, first: number, values: readonly unknown[]): void {
  if (values.length > 1 && sink.fulfilledMany !== undefined) {
    sink.fulfilledMany(first, values)
    return
  }
  for (let at = 0; at < values.length; at += 1) sink.fulfilled(first + at, values[at])
}

function rejectAll(sink: OutcomeSink, first: number, count: number, error: unknown): void {
  for (let at = 0; at < count; at += 1) sink.rejected(first + at, error)
}

function* splitParts(bytes: Uint8Array): Generator<Part> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let at = 0; at < bytes.byteLength;) {
    if (at + PART_HEAD > bytes.byteLength) throw malformed()
    const kind = view.getUint8(at)
    const count = view.getUint32(at + 1, true)
    const start = at + PART_HEAD
    at = start + view.getUint32(at + 5, true)
    if (at > bytes.byteLength || count === 0 || (kind !== VALUES && kind !== FAILURE)) throw malformed()
    yield { kind, count, content: bytes.subarray(start, at) }
  }
}

/** Walks all parts before any is delivered, so that no task is told twice. */
function checkParts(bytes: Uint8Array, count: number): void {
  let told = 0
  for (const part of splitParts(bytes)) told += part.count
  if (told !== count) throw malformed(count)
}

function malformed(count?: number): ProtocolError {
  const expected = count === undefined ? '' : ` of ${count} tasks`
  return new ProtocolError(
    `a worker reported outcomes${expected} that cannot be read; do all processes run the same version?`,
  )
}
