/**
 * A start that any program may take: this program's record of it. The first program that claims it runs it; what the process says and
 * how it ends comes from there, and what is meant for it goes there. If that program dies, so has the process.
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

import { Written } from './written.ts'

/** What a claim is answered with. The surroundings are those of whoever runs it. */
export type Claimed = Omit<StartSpec, 'surroundings'>

interface Taker {
  readonly session: Session
  readonly number: number
}

export class RunObject extends BrokerObject implements Running {
  readonly here = false
  readonly #spec: StartSpec
  readonly #events: StarterEvents
  readonly #again: () => void
  readonly #users = new Map<Session, number>()
  readonly #written = new Written()
  #taker: Taker | null = null
  #host = ''

  /** @param again called when the program that has claimed it gives it back, not begun */
  constructor(spec: StartSpec, events: StarterEvents, again: () => void) {
    super('run', spec.id)
    this.#again = again
    this.#spec = spec
    this.#events = events
  }

  protected override readonly methods: Methods = {
    claim: (call) => this.#claim(call),
  }

  /** Whether a program has taken it. */
  get claimed(): boolean {
    return this.#taker !== null
  }

  override post(session: Session, _object: number, method: string, args: readonly unknown[]): void {
    if (session !== this.#taker?.session) return
    if (method === 'started') {
      const [info] = args as [ProcessInfo]
      this.#host = info.host
      this.#events.started(this, info)
    } else if (method === 'loaded') this.#events.loaded()
    else if (method === 'ended') this.#over((args as [EncodedExit])[0])
    else if (method === 'released') {
      this.#taker = null
      this.#again()
    } else throw new ProtocolError(`a run takes no ${method}`)
  }

  override frame(session: Session, frame: Frame): void {
    if (session !== this.#taker?.session || frame.op !== op.relay) return
    const inner = relayed(frame)
    if (inner.op === op.output && this.#spec.options.stdio === 'inherit') this.#written.push(inner.a, inner.payload)
    else this.#events.frame?.(inner)
  }

  // What its starter does with it

  readonly link = {
    send: (kind: Op, a: number, b: number, head?: Uint8Array, tail?: Uint8Array): void => {
      const taker = this.#taker
      taker?.session.send(op.relay, taker.number, 0, relayHead(kind, a, b, head), tail)
    },
  }

  terminate(grace: number): void {
    this.#tell('terminate', grace)
  }

  kill(): void {
    this.#tell('kill')
  }

  interrupt(): void {
    this.#tell('interrupt')
  }

  recall(): void {
    this.#tell('recall')
  }

  override check(): void {
    // Its name is the process's id.
  }

  override join(session: Session, number: number): void {
    this.#users.set(session, number)
  }

  override leave(session: Session): void {
    this.#users.delete(session)
    if (session !== this.#taker?.session) return
    const { name } = this.#spec
    const where = this.#host === '' ? 'the program that took it' : `host ${this.#host}`
    const lost = new HostLostError(`${name} was lost with ${where}: it died, or could not be reached for sessionTtl`, {
      indeterminate: true,
    })
    this.#over({ exitCode: null, signal: null, reason: 'host-lost', error: encode(lost), result: null })
  }

  override end(): void {
    // Whoever runs it hears that it is gone.
  }

  #claim(call: Call): void {
    const number = this.#users.get(call.session)
    if (this.#taker !== null || number === undefined) {
      call.ok(null)
      return
    }
    this.#taker = { session: call.session, number }
    const { surroundings: _, ...claimed } = this.#spec
    call.ok(claimed satisfies Claimed)
  }

  #tell(event: string, ...args: readonly unknown[]): void {
    this.#taker?.session.event(this.#taker.number, event, ...args)
  }

  #over(exit: EncodedExit): void {
    this.#taker = null
    this.#written.done(() => {
      // First: whoever hears of the end may start another one.
      this.remove?.(new ProtocolError('this run is over'))
      this.#events.ended(exit)
    })
  }
}
