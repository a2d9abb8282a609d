/**
 * One other program. Over one link it is served by this program's broker, as a process of this program is; over the other this program is
 * the client there.
 *
 * Where something between the two is lost, both links are over, at both ends, and the next ones have other numbers. For a while messages of
 * the old ones still come: the numbers tell them apart.
 */
import { Buffer } from 'node:buffer'
import { ConnectionError, ProtocolError } from '@skein/core'
import { type Broker, BrokerClient, type LinkEvents, type Session } from '@skein/core/adapter'
import { PeerLink } from './peer-link.ts'

/** A message is `what u8 · a link's number u32 · bytes`. */
const HEAD = 5
/** Bytes of one message: Redis serves nobody else while it takes one, and ends the connection of whoever sends it half a gigabyte. */
const MOST = 1024 * 1024

/** Bytes for the receiver's broker, or for the receiver as a client: of that link. */
const TO_BROKER = 0
const TO_CLIENT = 1
/** Added to these two: the next message goes on with what this one has begun. */
const MORE = 128
/** The program ends. */
const BYE = 2
/** Both links are over, and so are those up to this one on which the sender was the client. To be answered by `OVER`. */
const BROKEN = 3
/** The links up to this one on which the sender was the client are over. */
const OVER = 4

function message(what: number, link: number, bytes: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.allocUnsafe(HEAD)
  head.writeUInt8(what, 0)
  head.writeUInt32LE(link, 1)
  return Buffer.concat([head, bytes])
}

export function isBye(received: Buffer): boolean {
  return received.length === HEAD && received[0] === BYE
}

export interface PeerOptions {
  readonly sid: string
  readonly broker: Broker
  readonly send: (message: Buffer) => void
}

export class Peer {
  readonly #options: PeerOptions
  #client: { readonly link: PeerLink; readonly broker: BrokerClient } | null = null
  #guest: { readonly link: PeerLink; readonly session: Session } | null = null
  /** The number of this program's last link as a client. */
  #links = 0
  /** Links of the other program as a client are over up to this number; infinity: until it has said how far it has come. */
  #over = 0

  constructor(options: PeerOptions) {
    this.#options = options
  }

  /** This program, as a client over there. */
  get client(): BrokerClient {
    if (this.#client !== null) return this.#client.broker
    const number = (this.#links += 1)
    let link: PeerLink | null = null
    const broker = new BrokerClient((events) => {
      link = new PeerLink(number, events, (bytes) => this.#say(TO_BROKER, number, bytes))
      return link
    })
    this.#client = { link: link as unknown as PeerLink, broker }
    return broker
  }

  /** Throws on what cannot be understood: what follows cannot either. */
  received(received: Buffer): void {
    if (received.length < HEAD) throw new ProtocolError(`a message of another program has ${received.length} bytes`)
    const first = received.readUInt8(0)
    const [what, more] = [first & ~MORE, (first & MORE) !== 0]
    const number = received.readUInt32LE(1)
    const bytes = received.subarray(HEAD)
    if (what === TO_BROKER) {
      if (number > this.#over) this.#serve(number).deliver(bytes, more)
    } else if (what === TO_CLIENT) {
      if (this.#client?.link.number === number) this.#client.link.deliver(bytes, more)
    } else if (what === BROKEN || what === OVER) {
      this.#over = number
      if (what === BROKEN) {
        this.end('has lost a message, or this one has', true)
        this.#options.send(message(OVER, this.#links))
      } else if (this.#guest !== null && this.#guest.link.number <= number) this.#endGuest()
    } else throw new ProtocolError(`a message of another program begins with ${what}`)
  }

  /** Something between the two is lost: neither may wait for it. */
  broken(how: string): void {
    this.end(how, true)
    this.#over = Number.POSITIVE_INFINITY
    this.#options.send(message(BROKEN, this.#links))
  }

  /** Says goodbye, after all that was said before. */
  leave(): void {
    this.#client?.link.flush()
    this.#guest?.link.flush()
    this.end('cannot be asked any more: this one has closed its context', false)
    this.#options.send(message(BYE, 0))
  }

  /** @param how completes "the program that keeps this …" @param goesOn both live, and can be asked anew */
  end(how: string, goesOn: boolean): void {
    const client = this.#client
    this.#client = null
    client?.broker.close(new ConnectionError(`the program that keeps this ${how}`, { retryable: goesOn }))
    this.#endGuest()
  }

  /** Bytes of a link. */
  #say(what: number, link: number, bytes: Buffer): void {
    for (let at = 0; at < bytes.length; at += MOST) {
      const more = at + MOST < bytes.length ? MORE : 0
      this.#options.send(message(what + more, link, bytes.subarray(at, at + MOST)))
    }
  }

  #serve(number: number): PeerLink {
    if (this.#guest?.link.number === number) return this.#guest.link
    // It has begun another one.
    this.#endGuest()
    this.#over = number - 1
    const { sid, broker } = this.#options
    const pid = Number.parseInt(sid.split('.')[1] ?? '', 36)
    const session = broker.guest({ id: sid, name: 'another program', pid, host: '' })
    const events: LinkEvents = {
      frame: (frame) => session.frame(frame),
      ended: () => broker.end(session),
    }
    const link = new PeerLink(number, events, (bytes) => this.#say(TO_CLIENT, number, bytes))
    session.connect(link)
    this.#guest = { link, session }
    return link
  }

  #endGuest(): void {
    const guest = this.#guest
    this.#guest = null
    guest?.link.close()
  }
}
