/** Who of this program's processes listens to a topic: each is sent every message, and none is sent more than it can take in. */
import type { PartySnapshot } from '../../contract/snapshot.ts'
import type { Session } from './session.ts'
import { partyOf } from './snapshots.ts'

/** How far a subscription may fall behind before it is ended. */
const MOST_MESSAGES = 10_000
const MOST_BYTES = 64_000_000

interface Listener {
  readonly session: Session
  /** The topic's number there. */
  readonly number: number
  readonly id: number
  /** It hears what is published after that. */
  after: number
  messages: number
  bytes: number
}

export class Listeners {
  readonly #listeners = new Map<string, Listener>()

  get size(): number {
    return this.#listeners.size
  }

  /** Whose they are. */
  get parties(): PartySnapshot[] {
    return [...this.#listeners.values()].map(({ session }) => partyOf(session))
  }

  /** @param after the last message that it does not hear; may be said later, by `since` */
  add(session: Session, number: number, id: number, after: number): void {
    this.#listeners.set(key(session, number, id), { session, number, id, after, messages: 0, bytes: 0 })
  }

  since(session: Session, number: number, id: number, after: number): void {
    const one = this.#listeners.get(key(session, number, id))
    if (one !== undefined) one.after = after
  }

  remove(session: Session, number: number, id: number): void {
    this.#listeners.delete(key(session, number, id))
  }

  /** It has taken so much of what it was sent. */
  taken(session: Session, number: number, id: number, [messages, bytes]: readonly [number, number]): void {
    const one = this.#listeners.get(key(session, number, id))
    if (one === undefined) return
    one.messages -= messages
    one.bytes -= bytes
  }

  /** The session has ended. */
  leave(session: Session): void {
    for (const [at, one] of this.#listeners) if (one.session === session) this.#listeners.delete(at)
  }

  /** @param serial the message's number: each is higher than the one before */
  publish(serial: number, bytes: Uint8Array): void {
    for (const [at, one] of this.#listeners) {
      if (serial <= one.after) continue
      if (one.messages >= MOST_MESSAGES || (one.messages > 0 && one.bytes + bytes.length > MOST_BYTES)) {
        const behind = `${one.messages} messages that this loop has not taken are too many (${MOST_MESSAGES}, or ${MOST_BYTES} bytes)`
        this.#miss(at, one, behind)
        continue
      }
      one.messages += 1
      one.bytes += bytes.length
      one.session.event(one.number, 'message', one.id, bytes)
    }
  }

  drop(session: Session, number: number, id: number, why: string): void {
    const at = key(session, number, id)
    const one = this.#listeners.get(at)
    if (one !== undefined) this.#miss(at, one, why)
  }

  /** Whoever was to hear the messages after that one misses some. */
  missed(after: number, why: string): void {
    for (const [at, one] of this.#listeners) if (one.after <= after) this.#miss(at, one, why)
  }

  #miss(at: string, one: Listener, why: string): void {
    this.#listeners.delete(at)
    one.session.event(one.number, 'missed', one.id, why)
  }
}

function key(session: Session, number: number, id: number): string {
  return `${session.serial} ${number} ${id}`
}
