/** One end of a pipe: a queue to send into, a queue to receive from. */
import { encode } from '../codec/index.ts'
import type { Connection } from '../contract/pipe.ts'
import type { WaitOptions } from '../contract/wait.ts'
import { ArgumentError, ClosedError, StateError, TimeoutError } from '../errors.ts'
import { checkWait, timedOut } from '../util/wait.ts'
import { type End, inboxName } from '../wire/pipe-ends.ts'
import { RemoteObject, type Place } from './remote-object.ts'
import { Presence } from './presence.ts'
import { QueueChannel, type Taken } from './queue-channel.ts'

/** The first byte of a message: an encoded value, or bytes as they are. */
const VALUE = 0
const BYTES = 1

export class LinkedConnection<S, R> extends RemoteObject<Presence> implements Connection<S, R> {
  readonly readable: boolean
  readonly writable: boolean
  readonly #end: End
  readonly #inbox: QueueChannel
  readonly #outbox: QueueChannel
  #closed = false

  /** @param place with the shape `{ duplex, end }` */
  constructor(place: Place) {
    super(place, () => new Presence())
    const { client } = this
    this.#end = place.shape['end'] as End
    const duplex = place.shape['duplex'] === true
    this.readable = duplex || this.#end === 0
    this.writable = duplex || this.#end === 1
    const channel = (end: End): QueueChannel => {
      const number = client.open('queue', inboxName(this.name, end), null, true, place.program)
      return client.listener(number, () => new QueueChannel(client, number, 'the pipe', place.home.nature.confirmed))
    }
    this.#inbox = channel(this.#end)
    this.#outbox = channel(this.#end === 0 ? 1 : 0)
    client.post(this.number, 'use', this.#end)
  }

  async send(message: S, wait?: WaitOptions): Promise<void> {
    return this.#send(VALUE, encode(message, 'message', this.home.admit), wait)
  }

  async sendBytes(bytes: Uint8Array, wait?: WaitOptions): Promise<void> {
    if (!(bytes instanceof Uint8Array))
      throw new ArgumentError(`sendBytes() takes a Uint8Array, got ${typeof bytes}; use send() for values`)
    return this.#send(BYTES, bytes, wait)
  }

  async recv(wait?: WaitOptions): Promise<R> {
    const { bytes } = await this.#take(wait)
    const body = bytes.subarray(1)
    return (bytes[0] === BYTES ? Uint8Array.from(body) : this.home.decode(body)) as R
  }

  async recvBytes(wait?: WaitOptions): Promise<Uint8Array> {
    const { bytes } = await this.#take(wait, (message) =>
      message[0] === BYTES
        ? null
        : new StateError('the next message was sent by send(), not by sendBytes(); take it with recv()'),
    )
    return Uint8Array.from(bytes.subarray(1))
  }

  async poll(timeout = 0, wait?: { readonly signal?: AbortSignal | undefined }): Promise<boolean> {
    this.#check('readable')
    const own = checkWait({ timeout, signal: checkWait(wait).signal })
    try {
      return (await this.#inbox.take(this.home, 'peek', own)) !== null
    } catch (error) {
      if (error instanceof TimeoutError) return false
      // The end of the stream is something that recv() would tell at once.
      if (own.signal?.aborted === true) throw error
      this.home.checkOpen()
      return true
    }
  }

  async close(): Promise<void> {
    if (this.#closed || this.presence.gone !== null) return
    this.#closed = true
    await this.call('close', [this.#end])
  }

  #send(kind: number, body: Uint8Array, wait: WaitOptions | undefined): Promise<void> {
    this.#check('writable')
    const own = checkWait(wait)
    const bytes = new Uint8Array(body.length + 1)
    bytes[0] = kind
    bytes.set(body, 1)
    return this.#outbox.put(null, bytes, own)
  }

  async #take(wait: WaitOptions | undefined, refuses?: (message: Uint8Array) => Error | null): Promise<Taken> {
    this.#check('readable')
    const own = checkWait(wait)
    const taken = await this.#inbox.take(this.home, 'taken', own, refuses)
    if (taken === null) throw timedOut('the pipe had no item', own)
    return taken
  }

  #check(way: 'readable' | 'writable'): void {
    void this.client
    if (this.#closed) throw new ClosedError('this end of the pipe is closed')
    if (this[way]) return
    throw new StateError(
      way === 'readable'
        ? 'this end of a one-way pipe only sends; pipe({ duplex: false }) is [reader, writer]'
        : 'this end of a one-way pipe only receives; pipe({ duplex: false }) is [reader, writer]',
    )
  }
}
