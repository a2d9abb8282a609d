/** A link over a message port: between the main program and its supervisor thread. */
import type { MessagePort } from 'node:worker_threads'
import { Link, type LinkEvents } from './link.ts'

export class PortLink extends Link {
  readonly #port: MessagePort

  constructor(port: MessagePort, events: LinkEvents, paced: boolean) {
    super(events, paced)
    this.#port = port
    port.on('message', (bytes: Uint8Array) => this.received(bytes))
    port.once('close', () => this.finish())
  }

  protected override write(segments: readonly Uint8Array[]): null {
    // Memory that is zeroed first would be gone through twice.
    const bytes = Buffer.allocUnsafeSlow(segments.reduce((sum, segment) => sum + segment.length, 0))
    let at = 0
    for (const segment of segments) {
      bytes.set(segment, at)
      at += segment.length
    }
    this.#port.postMessage(bytes, [bytes.buffer])
    return null
  }

  protected override writeStretch(block: Buffer, start: number, end: number): null {
    const bytes = Buffer.allocUnsafeSlow(end - start)
    block.copy(bytes, 0, start, end)
    this.#port.postMessage(bytes, [bytes.buffer])
    return null
  }

  /** After all that this turn of the event loop goes on with: a message costs the two threads more than what is in it. */
  protected override schedule(write: () => void): void {
    process.nextTick(write)
  }

  /** Nothing outlives the process that both threads share, so there is nothing to wait for; but what follows may be a long computation. */
  override flushed(): Promise<void> {
    this.flush()
    return super.flushed()
  }

  override ref(): void {
    this.#port.ref()
  }

  override unref(): void {
    this.#port.unref()
  }

  override close(): void {
    this.flush()
    this.#port.close()
  }
}
