/** A link over a socket: between the supervisor and a child process. */
import { writeSync } from 'node:fs'
import type { Socket } from 'node:net'
import { Link, type LinkEvents } from './link.ts'

function isCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code))
}

export class SocketLink extends Link {
  readonly #socket: Socket
  readonly #fd: number | null
  #busy: Promise<void> | null = null

  /**
   * @param fd the socket's descriptor where it is known: bytes are then written synchronously, which takes a third of the time and
   *   leaves nothing in this process that its death could take along
   */
  constructor(socket: Socket, fd: number | null, events: LinkEvents) {
    super(events)
    this.#socket = socket
    this.#fd = fd
    socket.on('data', (chunk: Buffer) => this.received(chunk))
    socket.once('end', () => this.finish())
    socket.once('close', () => this.finish())
    // A write to a peer that is gone fails here; 'close' follows and tells.
    socket.on('error', () => socket.destroy())
  }

  protected override write(segments: readonly Uint8Array[], asked: boolean): Promise<void> | null {
    let first = 0
    let rest: Uint8Array | undefined
    if (this.#fd !== null && this.#busy === null) {
      for (; first < segments.length; first += 1) {
        const segment = segments[first] as Uint8Array
        const written = this.#writeNow(this.#fd, segment)
        if (written < segment.length) {
          rest = segment.subarray(written)
          break
        }
      }
      if (rest === undefined && first === segments.length) return null
    }
    const left = rest === undefined ? segments.slice(first) : [rest, ...segments.slice(first + 1)]
    // Without a descriptor every write goes this way, so there is no order to keep between two ways.
    if (this.#fd === null && !asked) {
      this.#queue(left)
      return null
    }
    const busy = new Promise<void>((resolve) => this.#queue(left, resolve))
    this.#busy = busy
    void busy.then(() => {
      if (this.#busy === busy) this.#busy = null
    })
    return busy
  }

  #queue(segments: readonly Uint8Array[], done?: () => void): void {
    const last = segments.length - 1
    if (last > 0) this.#socket.cork()
    // An error ends the link, and with it every wait on it: `done` needs not tell it from success.
    segments.forEach((segment, index) => this.#socket.write(segment, index === last ? done : undefined))
    if (last > 0) this.#socket.uncork()
  }

  #writeNow(fd: number, segment: Uint8Array): number {
    let written = 0
    try {
      while (written < segment.length) written += writeSync(fd, segment, written)
    } catch (error) {
      if (isCode(error, 'EPIPE', 'ECONNRESET', 'EBADF')) this.#socket.destroy()
      else if (!isCode(error, 'EAGAIN', 'EINTR')) throw error
    }
    return written
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
    this.#socket.destroy()
  }
}
