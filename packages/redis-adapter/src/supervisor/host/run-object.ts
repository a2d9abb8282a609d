/**
 * A start that any program may take: this program's record of it. The first program that claims it runs it; what the process says and
 * how it ends comes from there, and what is meant for it goes there. If that program dies, so has the process.
 *
 * A process begins when this program has heard of it, and has said so. One that is lost before that, or given back before it has heard that, has
 * not begun, and never will: it is put up again. So there may be two processes for one start, of which one runs.
 */
import { HostLostError, ProtocolError } from '@skein/core'
import {
  BrokerObject,
  type Call,
  encode,
  type EncodedExit,
  type Frame,
  type Methods,
  type Op,
  op,
  type ProcessInfo,
  relayed,
  relayHead,
  type Running,
  type Session,
  type StarterEvents,
  type StartSpec,
} from '@skein/core/adapter'

import { cancelled } from './placing.ts'
import { Written } from './written.ts'

/** What a claim is answered with. The surroundings are those of whoever runs it. */
export type Claimed = Omit<StartSpec, 'surroundings'>

export interface RunEvents extends StarterEvents {
  /** A program has taken it. */
  claimed(): void
  released(): void
}

interface Taker {
  readonly session: Session
  readonly number: number
}

/** Bytes of output after which the other program hears that they are out of the way. */
const WORD = 128 * 1024

export class RunObject extends BrokerObject implements Running {
  readonly here = false
  readonly #spec: StartSpec
  readonly #events: RunEvents
  readonly #users = new Map<Session, number>()
  readonly #written = new Written((bytes) => this.#taken(bytes))
  #taker: Taker | null = null
  #host = ''
  /** Output that is out of the way, and of which the other program has not heard. */
  #bytes = 0
  /** Whoever has started it wants it to end. */
  #killed = false
  /** It has ended, or was taken back: nobody may claim it any more. */
  #over = false

  /** @param name that of no other start of this program: a process may be started again under its id */
  constructor(name: string, spec: StartSpec, events: RunEvents) {
    super('run', name)
    this.#spec = spec
    this.#events = events
  }

  protected override readonly methods: Methods = {
    claim: (call) => this.#claim(call),
  }

  /** Whether a process is there that can be told to end. */
  get started(): boolean {
    return this.#host !== ''
  }

  /** Nobody ever runs it. `false`: somebody does, or has. */
  takeBack(reason: Error): boolean {
    if (this.#taker !== null || this.#over) return false
    this.#over = true
    this.remove?.(reason)
    return true
  }

  override post(session: Session, _object: number, method: string, args: readonly unknown[]): void {
    if (session !== this.#taker?.session) return
    if (method === 'started') {
      const info = args[0] as ProcessInfo
      this.#host = info.host
      // Before all that is meant for the process.
      if (!this.#killed) this.#tell('go')
      this.#events.started(this, info)
    } else if (method === 'loaded') this.#events.loaded()
    else if (method === 'ended') this.#ended(args[0] as EncodedExit)
    else if (method === 'released') this.#released()
    else throw new ProtocolError(`a run takes no ${method}`)
  }

  override frame(session: Session, frame: Frame): void {
    if (session !== this.#taker?.session || frame.op !== op.relay) return
    const inner = relayed(frame)
    this.#events.frame?.(inner)
    if (inner.op !== op.output) return
    if (this.#spec.options.stdio === 'inherit') this.#written.push(inner.a === 2 ? 2 : 1, inner.payload)
    // Whoever reads it says by himself when it is too much.
    else this.#taken(inner.payload.length)
  }

  // What its starter does with it

  readonly link = {
    send: (kind: Op, a: number, b: number, head?: Uint8Array, tail?: Uint8Array): void => {
      const taker = this.#taker
      taker?.session.send(op.relay, taker.number, 0, relayHead(kind, a, b, head), tail)
    },
  }

  terminate(grace: number): void {
    this.#killed = true
    this.#tell('terminate', grace)
  }

  kill(): void {
    this.#killed = true
    this.#tell('kill')
  }

  interrupt(): void {
    this.#killed = true
    this.#tell('interrupt')
  }

  recall(): void {
    this.#tell('recall')
  }

  override check(): void {
    // Its name is that of one start.
  }

  override join(session: Session, number: number): void {
    this.#users.set(session, number)
  }

  override leave(session: Session): void {
    this.#users.delete(session)
    if (session !== this.#taker?.session) return
    if (!this.started) {
      this.#released()
      return
    }
    const { name } = this.#spec
    const lost = new HostLostError(
      `${name} was lost with host ${this.#host}: it died, or could not be reached for sessionTtl`,
      { indeterminate: true },
    )
    this.#ended({ exitCode: null, signal: null, reason: 'host-lost', error: encode(lost), result: null })
  }

  override end(): void {
    // Whoever runs it hears that it is gone.
  }

  #released(): void {
    this.#taker = null
    this.#host = ''
    // Given back while word of that was on its way.
    if (this.#killed) this.#ended(cancelled)
    else this.#events.released()
  }

  #claim(call: Call): void {
    const number = this.#users.get(call.session)
    if (this.#taker !== null || this.#over || number === undefined) {
      call.ok(null)
      return
    }
    this.#taker = { session: call.session, number }
    this.#events.claimed()
    const { surroundings: _, ...claimed } = this.#spec
    call.ok(claimed satisfies Claimed)
  }

  #tell(event: string, ...args: readonly unknown[]): void {
    this.#taker?.session.event(this.#taker.number, event, ...args)
  }

  #taken(bytes: number): void {
    this.#bytes += bytes
    if (this.#bytes < WORD) return
    this.#tell('taken', this.#bytes)
    this.#bytes = 0
  }

  #ended(exit: EncodedExit): void {
    this.#taker = null
    this.#over = true
    this.#written.done(() => {
      // First: whoever hears of the end may start another one.
      this.remove?.(new ProtocolError('this run is over'))
      this.#events.ended(exit)
    })
  }
}
