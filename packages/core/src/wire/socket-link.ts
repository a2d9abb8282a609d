/**
 * A link over a socket: between the supervisor and a child process. Frames of the child may take a pipe beside it, which is cheaper
 * for both; the socket then carries the other direction.
 */
import { writeSync } from 'node:fs'
import { Socket } from 'node:net'
import { Link, type LinkEvents } from './link.ts'

function isCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code))
}

export class SocketLink extends Link {
  readonly #socket: Socket
  readonly #incoming: Socket
  /** Where `#queue` writes; a pipe is opened when it is first needed. */
  #outgoing: Socket | null
  #fd: number | null
  #busy: Promise<void> | null = null

  /**
   * @param fd the socket's descriptor where it is known: bytes are then written synchronously, which takes a third of the time and
   *   leaves nothing in this process that its death could take along
   * @param incoming what the other side writes to, if not the socket. Its end is the link's: a peer that dies leaves in it what it
   *   wrote, whereas the socket may fail before that is read
   */
  constructor(socket: Socket, fd: number | null, events: LinkEvents, incoming: Socket = socket) {
    super(events, fd === null)
    this.#socket = socket
    this.#incoming = incoming
    this.#outgoing = socket
    this.#fd = fd
    incoming.on('data', (chunk: Buffer) => this.received(chunk))
    incoming.once('end', () => this.finish())
    incoming.once('close', () => this.finish())
    // A write to a peer that is gone fails here; 'close' follows and tells.
    socket.on('error', () => socket.destroy())
    if (incoming === socket) return
    incoming.on('error', () => incoming.destroy())
    incoming.once('close', () => socket.destroy())
    // Nothing comes there but its end. Anything else is no frame, and fails as such.
    socket.on('data', (chunk: Buffer) => this.received(chunk))
  }

  /** From now on frames leave through this pipe. Nothing may have been sent before. */
  writeTo(fd: number): void {
    this.#fd = fd
    this.#outgoing = null
  }

  protected override writeStretch(block: Buffer, start: number, end: number, asked: boolean): Promise<void> | null {
    if (this.#fd === null || this.#busy !== null) return this.write([block.subarray(start, end)], asked)
    const written = this.#writeNow(this.#fd, block, start, end)
    return written === end ? null : this.#writeLater([block.subarray(written, end)])
  }

  protected override write(segments: readonly Uint8Array[], asked: boolean): Promise<void> | null {
    // Without a descriptor every write goes the same way, so there is no order to keep between two ways.
    if (this.#fd === null && !asked) {
      this.#queue(segments)
      return null
    }
    if (this.#fd === null || this.#busy !== null) return this.#writeLater(segments)
    for (const [index, segment] of segments.entries()) {
      const written = this.#writeNow(this.#fd, segment, 0, segment.length)
      if (written < segment.length) return this.#writeLater([segment.subarray(written), ...segments.slice(index + 1)])
    }
    return null
  }

  #writeLater(segments: readonly Uint8Array[]): Promise<void> {
    const busy = new Promise<void>((resolve) => this.#queue(segments, resolve))
    this.#busy = busy
    void busy.then(() => {
      if (this.#busy === busy) this.#busy = null
    })
    return busy
  }

  #queue(segments: readonly Uint8Array[], done?: () => void): void {
    const last = segments.length - 1
    const outgoing = (this.#outgoing ??= this.#openPipe())
    if (last > 0) outgoing.cork()
    // An error ends the link, and with it every wait on it: `done` needs not tell it from success.
    segments.forEach((segment, index) => outgoing.write(segment, index === last ? done : undefined))
    if (last > 0) outgoing.uncork()
  }

  #openPipe(): Socket {
    const pipe = new Socket({ fd: this.#fd as number, readable: false, writable: true })
    // The supervisor has closed its end: nobody is there any more.
    pipe.on('error', () => this.#socket.destroy())
    return pipe
  }

  /** Writes bytes `start … end` as far as the operating system takes them at once; where it stopped. */
  #writeNow(fd: number, bytes: Uint8Array, start: number, end: number): number {
    let at = start
    try {
      while (at < end) at += writeSync(fd, bytes, at, end - at)
    } catch (error) {
      if (isCode(error, 'EPIPE', 'ECONNRESET', 'EBADF')) this.#socket.destroy()
      else if (!isCode(error, 'EAGAIN', 'EINTR')) throw error
    }
    return at
  }

  override ref(): void {
    this.#socket.ref()
  }

  override unref(): void {
    this.#socket.unref()
  }

  override close(): void {
    this.flush()
    this.#socket.end()
  }

  /** Ends the link without writing what is left. */
  destroy(): void {
    this.#incoming.destroy()
    this.#socket.destroy()
  }
}
