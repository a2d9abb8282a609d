/**
 * One end of the byte stream between a supervisor and a client: frames go out gathered, come in one by one, and the end of
 * the stream is the other side's death notice.
 */
import { deferred, type Deferred } from '../util/deferred.ts'
import { type Frame, FrameReader, FrameWriter, type Op } from './frame.ts'

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
  #scheduled = false
  #sent: Deferred<void> | null = null
  #lastTurn = performance.now()
  readonly #onMicrotask = (): void => this.flush()
  /** The last write, while the operating system has not taken all of it. */
  #writing: Promise<void> | null = null
  #over = false

  constructor(events: LinkEvents) {
    this.#events = events
    this.#reader = new FrameReader((frame) => events.frame(frame))
  }

  get over(): boolean {
    return this.#over
  }

  send(kind: Op, a: number, b: number, head?: Uint8Array, tail?: Uint8Array): void {
    if (this.#over) return
    this.#writer.add(kind, a, b, head, tail)
    // So much is worth a write of its own: the other side begins while this one goes on.
    if (this.#writer.bytes >= ENOUGH) this.flush()
    if (this.#scheduled) return
    this.#scheduled = true
    queueMicrotask(this.#onMicrotask)
  }

  /** Resolves when what was sent so far is out of this process's hands. */
  flushed(): Promise<void> {
    if (this.#over) return handedOver
    if (this.#writer.bytes === 0) return this.#writing ?? handedOver
    this.#sent ??= deferred()
    return this.#sent.promise
  }

  /**
   * As `send`, then `flushed`, for callers that send one frame at a time: the first of a turn leaves at once, which spares a loop of
   * `await put()` the detour through the microtask queue; what follows it in the same turn is gathered.
   */
  sendNow(kind: Op, a: number, b: number, head?: Uint8Array, tail?: Uint8Array): Promise<void> {
    if (this.#scheduled) {
      this.send(kind, a, b, head, tail)
      return this.flushed()
    }
    if (this.#over) return handedOver
    this.#writer.add(kind, a, b, head, tail)
    this.#scheduled = true
    queueMicrotask(this.#onMicrotask)
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
    const writing = this.write(this.#writer.take(), asked)
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
    if (!this.#over) this.#reader.push(chunk)
  }

  protected finish(): void {
    if (this.#over) return
    this.#over = true
    this.#sent?.resolve()
    this.#events.ended()
  }

  /** Hands the segments to the operating system: `null` if it has them all or nobody asks, else a promise for that. */
  protected abstract write(segments: readonly Uint8Array[], asked: boolean): Promise<void> | null
  /** Keeps the event loop alive while something is expected. */
  abstract ref(): void
  abstract unref(): void
  /** Writes what is left, then ends the stream. */
  abstract close(): void
}
