/** A link between the supervisors of two programs, over the mailbox. */
import { Buffer } from 'node:buffer'
import { ProtocolError } from '@skein/core'
import { Link, type LinkEvents } from '@skein/core/adapter'

export class PeerLink extends Link {
  /** Tells it from those before and after it. */
  readonly number: number
  readonly #send: (bytes: Buffer) => void

  constructor(number: number, events: LinkEvents, send: (bytes: Buffer) => void) {
    super(events, false)
    this.number = number
    this.#send = send
  }

  /** Bytes of the other side. @param more of what it has sent at once */
  deliver(bytes: Buffer, more: boolean): void {
    this.received(bytes)
    // Waiting for the rest would swallow what comes next.
    if (this.partial && !more) throw new ProtocolError('a message of another program ends in the middle of a frame')
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
