/** A guest's line to its host: the sessions of all its processes over one connection, so that nothing overtakes what was said before it. */
import { encode } from '../../codec/index.ts'
import type { Session } from '../../supervisor/broker/session.ts'
import { reportDefect } from '../../supervisor/defect.ts'
import { type Frame, op } from '../../wire/frame.ts'
import { relayed, relayHead } from '../../wire/kept-frame.ts'
import type { SocketLink } from '../../wire/socket-link.ts'
import { type Deferred, deferred } from '../../util/deferred.ts'
import type { Answered } from './hello.ts'
import { Relay } from './relay.ts'

/** Milliseconds for the host to hear a goodbye: it may be stopped. */
const PATIENCE = 1_000

export class HostLine implements Answered {
  readonly #gone: () => void
  readonly #relays = new Map<number, Relay>()
  #link: SocketLink | null = null
  #lost: Error | null = null
  readonly #over: Deferred<void> = deferred()

  /** @param gone called once: the host has ended, or closed its context */
  constructor(gone: () => void) {
    this.#gone = gone
  }

  connect(link: SocketLink): void {
    this.#link = link
  }

  /** A process of this program has come. */
  enter(session: Session): void {
    const { serial, process, about } = session
    this.#link?.send(op.hello, serial, 0, encode([process, about]))
    const relay = new Relay(session, (kind, a, b, head, tail) =>
      this.#link?.send(op.relay, serial, 0, relayHead(kind, a, b, head), tail),
    )
    this.#relays.set(serial, relay)
    session.relay = (frame) => relay.frame(frame)
    if (this.#lost !== null) relay.lose(this.#lost)
  }

  /** It has ended; what it held goes back before anything else that this program says. */
  leave(session: Session): void {
    if (this.#relays.delete(session.serial)) this.#link?.send(op.forget, session.serial, 0)
  }

  frame(frame: Frame): void {
    if (frame.op !== op.relay) return
    try {
      this.#relays.get(frame.a)?.told(relayed(frame))
    } catch (error) {
      reportDefect('a message of the host', error)
    }
  }

  ended(): void {
    this.#over.resolve()
    this.#gone()
  }

  /** The host is gone: every process is told. */
  lose(reason: Error): void {
    this.#lost = reason
    this.#link = null
    for (const relay of this.#relays.values()) relay.lose(reason)
  }

  /** Says goodbye. Resolves when the host has heard it, and so has taken back what this program held, or does not answer. */
  async close(): Promise<void> {
    if (this.#link === null) return
    this.#link.close()
    const timer = setTimeout(() => this.#over.resolve(), PATIENCE)
    await this.#over.promise
    clearTimeout(timer)
  }
}
