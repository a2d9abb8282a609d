/** A link between the supervisors of two programs, over the mailbox. */
import { Buffer } from 'node:buffer'
import { Link, type LinkEvents } from '@skein/core/adapter'

export class PeerLink extends Link {
  readonly #send: (bytes: Buffer) => void

  constructor(events: LinkEvents, send: (bytes: Buffer) => void) {
    super(events, false)
    this.#send = send
  }

  /** Bytes of the other side. */
  deliver(bytes: Buffer): void {
    this.received(bytes)
  }

  protected override write(segments: readonly Uint8Array[]): null {
    this.#send(Buffer.concat(segments))
    return null
  }

  override ref(): void {
    // The thread lives as long as its program wants it to.
  }

  override unref(): void {
    // As above.
  }

  /** The other side is gone, or this one has left. */
  override close(): void {
    this.finish()
  }
}
