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
    if (this.#scheduled) return
    this.#scheduled = true
    queueMicrotask(() => this.flush())
  }

  /** Resolves when what was sent so far is out of this process's hands. */
  flushed(): Promise<void> {
    if (this.#writer.bytes === 0 || this.#over) return Promise.resolve()
    this.#sent ??= deferred()
    return this.#sent.promise
  }

  /** Writes at once what was gathered. */
  flush(): void {
    this.#scheduled = false
    if (this.#writer.bytes === 0 || this.#over) return
    const sent = this.#sent
    this.#sent = null
    const whole = this.write(this.#writer.take())
    if (sent === null) return
    if (whole !== null) {
      whole.then(sent.resolve, sent.reject)
      return
    }
    // A loop of `await put()` never leaves the microtask queue by itself, and signals and timers would starve.
    const now = performance.now()
    if (now - this.#lastTurn < TURN) {
      sent.resolve()
      return
    }
    setImmediate(() => {
      this.#lastTurn = performance.now()
      sent.resolve()
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

  /** Hands the segments to the operating system: `null` if it has them all, else a promise for that. */
  protected abstract write(segments: readonly Uint8Array[]): Promise<void> | null
  /** Keeps the event loop alive while something is expected. */
  abstract ref(): void
  abstract unref(): void
  /** Writes what is left, then ends the stream. */
  abstract close(): void
}
