/** What a process of a guest says and hears of objects that the host keeps. Knows nothing about any noun. */
import { decode, encode } from '../../codec/index.ts'
import { ProtocolError } from '../../errors.ts'
import { type Frame, isCall, type Op, op } from '../../wire/frame.ts'
import type { Link } from '../../wire/link.ts'
import type { Session } from '../../supervisor/broker/session.ts'

/** Processes and pools run where they were started, under that program's own supervisor. */
const OWN_KINDS: ReadonlySet<unknown> = new Set(['process', 'fleet', 'session', 'run'])

function noHandles(): never {
  throw new ProtocolError('a handle stood in an envelope')
}

export class Relay {
  readonly #session: Session
  readonly #send: Link['send']
  /** Numbers of objects that the host keeps, and of requests that it has not answered. */
  readonly #objects = new Set<number>()
  readonly #requests = new Set<number>()
  #lost: Error | null = null

  /** @param send to the host, as that process */
  constructor(session: Session, send: Link['send']) {
    this.#session = session
    this.#send = send
  }

  /** Of the process. `false`: it is not for the host. */
  frame(frame: Frame): boolean {
    if (frame.op === op.open) {
      const [kind] = decode(frame.payload, noHandles) as [string]
      if (OWN_KINDS.has(kind)) return false
      this.#objects.add(frame.a)
    } else if (frame.op === op.cancel) {
      if (!this.#requests.has(frame.b)) return false
    } else if (!this.#objects.has(frame.a) || !toObjects.has(frame.op)) return false
    if (isCall(frame.op)) this.#requests.add(frame.b)
    if (frame.op === op.forget) this.#objects.delete(frame.a)
    if (this.#lost === null) this.#send(frame.op as Op, frame.a, frame.b, undefined, frame.payload)
    else this.#refuse(frame, this.#lost)
    return true
  }

  /** Of the host. */
  told({ op: kind, a, b, payload }: Frame): void {
    if (answers.has(kind)) this.#requests.delete(b)
    this.#session.send(kind as Op, a, b, undefined, payload)
  }

  /** The host is gone, and with it what it kept. */
  lose(reason: Error): void {
    if (this.#lost !== null) return
    this.#lost = reason
    this.#session.send(op.stranded, 0, 0, encode(reason))
    for (const request of this.#requests) this.#session.send(op.fail, 0, request, encode(reason))
    this.#requests.clear()
    for (const object of this.#objects) this.#session.event(object, 'gone', reason)
  }

  #refuse(frame: Frame, reason: Error): void {
    if (!isCall(frame.op) && frame.op !== op.put) return
    this.#requests.delete(frame.b)
    this.#session.send(op.fail, 0, frame.b, encode(reason))
  }
}

/** What a client sends to an object. */
const toObjects: ReadonlySet<number> = new Set([
  op.call,
  op.acquire,
  op.post,
  op.put,
  op.taken,
  op.held,
  op.ack,
  op.release,
  op.forget,
])

const answers: ReadonlySet<number> = new Set([op.ok, op.okNumber, op.fail, op.cancelled])
