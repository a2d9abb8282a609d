/**
 * One end of the byte stream between a supervisor and a client: frames go out gathered, come in one by one, and the end of
 * the stream is the other side's death notice.
 */
import { deferred, type Deferred } from '../util/deferred.ts'
import { type Frame, FrameReader, FrameWriter, type Op } from './frame.ts'
import { noteRead } from './breather.ts'
import { Pacer } from './pacer.ts'
import { soon } from '../util/soon.ts'

export interface LinkEvents {
  frame(frame: Frame): void
  /** Called once, after the last frame. */
  ended(): void
}

/** Bytes that are written without waiting for more. */
const ENOUGH = 48 * 1024

const handedOver: Promise<void> = Promise.resolve()

/** Milliseconds after which a caller that sends in a loop of resolved promises lets the event loop turn once. */
const TURN = 2

/**
 * What the transports share: gathering. Frames that are sent in one turn of the microtask queue leave in one write; `flushed`
 * resolves when the operating system has them, so that they outlive this process.
 */
export abstract class Link {
  readonly #writer = new FrameWriter()
  readonly #reader: FrameReader
  readonly #events: LinkEvents
  readonly #pacer: Pacer | null
  #scheduled = false
  #sent: Deferred<void> | null = null
  #lastTurn = performance.now()
  readonly #onTurn = (): void => this.flush()
  /** The last write, while the operating system has not taken all of it. */
  #writing: Promise<void> | null = null
  #over = false

  /** @param paced for the end that forwards: a dense stream is written in bunches */
  constructor(events: LinkEvents, paced: boolean) {
    this.#events = events
    this.#pacer = paced ? new Pacer(() => this.flush()) : null
    this.#reader = new FrameReader((frame) => events.frame(frame))
  }

  /** Whether the operating system has not taken all that was written. */
  get writing(): boolean {
    return this.#writing !== null
  }

  get over(): boolean {
    return this.#over
  }

  send(kind: Op, a: number, b: number, head?: Uint8Array, tail?: Uint8Array): void {
    if (this.#over) return
    this.#writer.add(kind, a, b, head, tail)
    // So much is worth a write of its own: the other side begins while this one goes on.
    if (this.#writer.bytes >= ENOUGH) this.flush()
    if (this.#pacer !== null) {
      this.#pacer.frame()
      return
    }
    if (this.#scheduled) return
    this.#scheduled = true
    this.schedule(this.#onTurn)
  }

  /** Resolves when what was sent so far is out of this process's hands. */
  flushed(): Promise<void> {
    if (this.#over) return handedOver
    if (this.#writer.bytes === 0) return this.#writing ?? handedOver
    this.#sent ??= deferred()
    return this.#sent.promise
  }

  /** As `send`, then `flushed`, without the detour through the microtask queue: for callers that send one frame at a time. */
  sendNow(kind: Op, a: number, b: number, head?: Uint8Array, tail?: Uint8Array): Promise<void> {
    if (this.#over) return handedOver
    this.#writer.add(kind, a, b, head, tail)
    // What was gathered before goes with it, and whoever waits for that is told here, too.
    if (this.#sent !== null) {
      const { promise } = this.#sent
      this.flush()
      return promise
    }
    return this.#write(true) ?? this.#turnIfDue() ?? handedOver
  }

  /** Writes at once what was gathered. */
  flush(): void {
    this.#scheduled = false
    if (this.#writer.bytes === 0 || this.#over) return
    const sent = this.#sent
    this.#sent = null
    const whole = this.#write(sent !== null)
    if (sent !== null) (whole ?? this.#turnIfDue() ?? handedOver).then(sent.resolve, sent.reject)
  }

  #write(asked: boolean): Promise<void> | null {
    const stretch = this.#writer.takeStretch()
    const writing =
      stretch === null
        ? this.write(this.#writer.take(), asked)
        : this.writeStretch(stretch.block, stretch.start, stretch.end, asked)
    if (writing === null && this.#writing === null) return null
    this.#writing = writing
    if (writing !== null) {
      void writing.then(() => {
        if (this.#writing === writing) this.#writing = null
      })
    }
    return writing
  }

  /** A loop of `await put()` never leaves the microtask queue by itself, and signals and timers would starve. */
  #turnIfDue(): Promise<void> | null {
    if (performance.now() - this.#lastTurn < TURN) return null
    return new Promise((resolve) => {
      setImmediate(() => {
        this.#lastTurn = performance.now()
        resolve()
      })
    })
  }

  protected received(chunk: Uint8Array): void {
    if (this.#over) return
    if (this.#pacer !== null) noteRead(chunk.length)
    this.#reader.push(chunk)
  }

  /** Whether what has come ends in the middle of a frame. */
  protected get partial(): boolean {
    return this.#reader.held > 0
  }

  protected finish(): void {
    if (this.#over) return
    this.#over = true
    this.#sent?.resolve()
    this.#events.ended()
  }

  /** When to write what is gathered. */
  protected schedule(write: () => void): void {
    soon(write)
  }

  /** Hands the segments to the operating system: `null` if it has them all or nobody asks, else a promise for that. */
  protected abstract write(segments: readonly Uint8Array[], asked: boolean): Promise<void> | null
  /** As `write`, for bytes `start … end` of a block. */
  protected writeStretch(block: Buffer, start: number, end: number, asked: boolean): Promise<void> | null {
    return this.write([block.subarray(start, end)], asked)
  }

  /** Keeps the event loop alive while something is expected. */
  abstract ref(): void
  abstract unref(): void
  /** Writes what is left, then ends the stream. */
  abstract close(): void
}
