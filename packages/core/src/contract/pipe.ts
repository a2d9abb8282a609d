/** Two connected ends; what one sends the other receives, in order. */
import type { Handle } from './handle.ts'
import type { WaitOptions } from './wait.ts'

export interface PipeOptions {
  /** `true` (default): both ends send and receive. `false`: the pair is `[reader, writer]`. */
  readonly duplex?: boolean | undefined
}

/**
 * One end of a pipe. It can be passed to another process. It is dead when it was closed or when the process that used it last
 * has died. Messages neither merge nor split.
 *
 * @typeParam S what is sent here
 * @typeParam R what is received here
 */
export interface Connection<S, R = S> extends Handle {
  readonly readable: boolean
  readonly writable: boolean
  /** Waits for room. @throws BrokenPipeError if the other end is dead; StateError on a reader. */
  send(message: S, wait?: WaitOptions): Promise<void>
  /** @throws EndOfStreamError if the other end is dead and everything was received; StateError on a writer. */
  recv(wait?: WaitOptions): Promise<R>
  /** Whether `recv` would settle at once: a message, or the other end dead. Waits up to `timeout` ms (default 0) for it. */
  poll(timeout?: number, wait?: { readonly signal?: AbortSignal | undefined }): Promise<boolean>
  sendBytes(bytes: Uint8Array, wait?: WaitOptions): Promise<void>
  /** @throws StateError if the next message was not sent by `sendBytes`; it stays. */
  recvBytes(wait?: WaitOptions): Promise<Uint8Array>
  /** Closes this end. The other one may still receive what was sent. Again: no-op. */
  close(): Promise<void>
}
