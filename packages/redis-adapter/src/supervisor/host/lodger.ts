/** A process of another program that runs here: claimed there, started here, and ended when that program lets go of it. */
import type { BrokerClient, Child, Launch, ObjectListener, Op, Surroundings } from '@skein/core/adapter'
import { type Frame, op, relayed, relayHead } from '@skein/core/adapter'
import type { Claimed } from './run-object.ts'
import { Desk } from './desk.ts'
import { cancelled } from './placing.ts'

export interface LodgerOptions {
  readonly client: BrokerClient
  readonly program: string
  /** The run's name there. */
  readonly id: string
  readonly surroundings: Surroundings
  readonly launch: Launch
  /** Whether this program ends: what is claimed now goes back. */
  readonly closing: () => boolean
  /** Called once: nothing of it runs here any more, or ever did. */
  readonly ended: () => void
}

export class Lodger implements ObjectListener {
  readonly #options: LodgerOptions
  readonly #number: number
  #child: Child | null = null
  #desk: Desk | null = null
  #killed = false
  #detached = false

  constructor(options: LodgerOptions) {
    this.#options = options
    const { client, id, program } = options
    this.#number = client.open('run', id, null, true, program)
    client.listener(this.#number, () => this)
  }

  /** Starts it here if nobody else has taken it. */
  async begin(): Promise<void> {
    const { client, closing } = this.#options
    let claimed: Claimed | null = null
    try {
      claimed = await client.call<Claimed | null>(this.#number, 'claim')
    } catch {
      // It is over there, or that program is.
    }
    if (claimed !== null && !this.#killed && !closing()) {
      this.#launch(claimed)
      return
    }
    // It was claimed, so that program waits for word of it.
    if (claimed !== null && this.#killed) this.#post('ended', cancelled)
    else if (claimed !== null) this.#post('released')
    this.#end()
  }

  /** Ends it here: its program counts it as lost. */
  kill(): void {
    this.#killed = true
    this.#child?.kill()
  }

  event(name: string, args: readonly unknown[]): void {
    if (name === 'terminate') this.#child?.terminate(args[0] as number)
    else if (name === 'interrupt') this.#child?.interrupt()
    else if (name === 'recall') this.#desk?.recall()
    else if (name === 'gone') this.#left()
    else if (name === 'kill') this.kill()
  }

  frame(frame: Frame): void {
    if (frame.op !== op.relay) return
    const inner = relayed(frame)
    if (this.#desk !== null) this.#desk.told(inner)
    else this.#child?.link.send(inner.op as Op, inner.a, inner.b, undefined, inner.payload)
  }

  /** The program that started it is gone. What outlives it goes on here, if it has begun. */
  #left(): void {
    if (this.#child === null || !this.#detached) this.kill()
  }

  #launch(claimed: Claimed): void {
    const { launch, program: keeper, surroundings } = this.#options
    this.#detached = claimed.options.detached
    // What it writes belongs to the program that has started it.
    const stdio = claimed.options.stdio === 'inherit' ? 'pipe' : claimed.options.stdio
    launch(
      { ...claimed, keeper, surroundings, options: { ...claimed.options, stdio } },
      {
        started: (child, info) => {
          this.#child = child as Child
          if (claimed.role.kind === 'worker') this.#desk = new Desk(this.#child, this.#relay)
          this.#post('started', info)
          if (this.#killed) child.kill()
        },
        loaded: () => this.#post('loaded'),
        frame: (frame) => {
          if (frame.op !== op.output) return this.#desk?.said(frame) === true
          this.#relay(op.output, frame.a, frame.b, undefined, frame.payload)
          return true
        },
        ended: (exit) => {
          this.#desk?.end()
          this.#post('ended', exit)
          this.#end()
        },
      },
    )
  }

  readonly #relay = (kind: Op, a: number, b: number, head?: Uint8Array, tail?: Uint8Array): void =>
    this.#options.client.send(op.relay, this.#number, 0, relayHead(kind, a, b, head), tail)

  #post(method: string, ...args: readonly unknown[]): void {
    if (!this.#options.client.lost.aborted) this.#options.client.post(this.#number, method, ...args)
  }

  #end(): void {
    const { client, ended } = this.#options
    if (!client.lost.aborted) client.forget(this.#number)
    ended()
  }
}
