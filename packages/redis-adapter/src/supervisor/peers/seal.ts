/**
 * Shows that a message comes from a program that knows the same secret, unaltered and for this receiver: HMAC-SHA256 (RFC 2104) under a key
 * that HKDF (RFC 5869) derives from the secret for one namespace. It covers the receiver's session and the sender's, which are new with each
 * program, and the message's number: so none can be sent to another receiver, or a second time.
 */
import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto'

/** Bytes of a key, and of its public name. */
const KEY = 32
const NAME = 6

/** What a seal is about. */
export interface Sealed {
  readonly receiver: string
  readonly sender: string
  readonly number: number
  readonly body: Uint8Array
}

export class Seal {
  /** Names the key without telling anything of it. */
  readonly id: string
  readonly #key: Buffer

  constructor(secret: string, namespace: string) {
    const derive = (use: string, length: number): Buffer =>
      Buffer.from(hkdfSync('sha256', secret, `skein ${namespace}`, use, length))
    this.#key = derive('messages between programs', KEY)
    this.id = derive('name of the key', NAME).toString('hex')
  }

  of(message: Sealed): string {
    return this.#mac(message).toString('base64url')
  }

  holds(seal: string, message: Sealed): boolean {
    const given = Buffer.from(seal, 'base64url')
    const right = this.#mac(message)
    return given.length === right.length && timingSafeEqual(given, right)
  }

  #mac({ receiver, sender, number, body }: Sealed): Buffer {
    // No part of the first line can hold what parts it from the next.
    return createHmac('sha256', this.#key).update(`${receiver} ${sender} ${number}\n`).update(body).digest()
  }
}
