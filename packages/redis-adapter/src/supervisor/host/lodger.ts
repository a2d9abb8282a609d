/** A process of another program that runs here: claimed there, started here, and ended when that program lets go of it. */
import { ConnectionError } from '@skein/core'
import type { BrokerClient, Child, Launch, ObjectListener, Op } from '@skein/core/adapter'
import { type Deferred, deferred, type Frame, op, relayed, relayHead } from '@skein/core/adapter'
import type { Claimed } from './run-object.ts'
import type { HouseRules } from './house-rules.ts'
import { Desk } from './desk.ts'
import { cancelled, refused } from './placing.ts'

/** Bytes of output under way to the other program: with so many the process waits in its next write, with so few it goes on. */
const MOST = 1024 * 1024
const FEW = 512 * 1024

export interface LodgerOptions {
  readonly client: BrokerClient
  /** The run's name there. */
  readonly run: string
  readonly rules: HouseRules
  readonly launch: Launch
  /** Whether this program ends: what is claimed now goes back. */
  readonly closing: () => boolean
  /** Called once: nothing of it runs here any more, or ever did. */
  readonly ended: () => void
}

export class Lodger implements ObjectListener {
  readonly #options: LodgerOptions
  readonly #number: number
  readonly #over: Deferred<void> = deferred()
  #child: Child | null = null
  #desk: Desk | null = null
  #killed = false
  /** Its program knows that it is here, and has let it begin. */
  #begun = false
  /** It had not begun when this program was to end, and may begin elsewhere. */
  #returned = false
  #detached = false
  #draining = false
  /** It has outlived the program that started it. */
  #alone = false
  /** Bytes of output of which the other program has not said that they are out of the way. */
  #output = 0
  #full = false
  /** Streams that the other program wants no more of for now. */
  readonly #unwanted = new Set<number>()

  constructor(options: LodgerOptions) {
    this.#options = options
    const { client, run } = options
    this.#number = client.open('run', run, null, true)
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
      try {
        this.#launch(claimed)
        return
      } catch (error) {
        this.#post('ended', refused(error as Error))
      }
    } else if (claimed !== null && this.#killed) this.#post('ended', cancelled)
    // It was claimed, so that program waits for word of it.
    else if (claimed !== null) this.#post('released')
    this.#end()
  }

  /** To its program, this one is dead. */
  lost(): void {
    // Nobody starts another one instead of what has outlived its program.
    if (!this.#alone) this.kill()
  }

  /** Ends it here: its program counts it as lost. */
  kill(): void {
    this.#killed = true
    this.#child?.kill()
  }

  /** Nothing more of it is of any use here: when it has ended, the same start may be claimed anew. */
  get ending(): boolean {
    return this.#killed
  }

  /** Resolves when nothing of it runs here any more. */
  get over(): Promise<void> {
    return this.#over.promise
  }

  /** This program ends. What has not begun may begin elsewhere, and does not here. */
  giveBack(): void {
    if (this.#begun || this.#child === null) return
    this.#returned = true
    this.#post('released')
    this.kill()
  }

  /** A process goes on to its end; a worker takes nothing more and goes. */
  drain(): void {
    this.#draining = true
    this.#desk?.drain()
  }

  event(name: string, args: readonly unknown[]): void {
    if (name === 'terminate') this.#child?.terminate(args[0] as number)
    else if (name === 'interrupt') this.#child?.interrupt()
    else if (name === 'recall') this.#desk?.recall()
    else if (name === 'taken') this.#taken(args[0] as number)
    else if (name === 'gone') this.#left(args[0] as Error)
    else if (name === 'go') this.#go()
    else if (name === 'kill') this.kill()
  }

  frame(frame: Frame): void {
    if (frame.op !== op.relay) return
    const inner = relayed(frame)
    if (inner.op === op.flow) {
      if (inner.b === 1) this.#unwanted.delete(inner.a)
      else this.#unwanted.add(inner.a)
      this.#flow()
    } else if (this.#desk !== null) this.#desk.told(inner)
    else this.#child?.link.send(inner.op as Op, inner.a, inner.b, undefined, inner.payload)
  }

  /** The program that started it is gone. What outlives it goes on here, if it has begun. */
  #left(reason: Error): void {
    // That program goes on, and may start another one instead of what it has lost.
    const goesOn = reason instanceof ConnectionError && reason.retryable
    if (!this.#begun || !this.#detached || goesOn) {
      this.kill()
      return
    }
    // Nobody reads what it writes any more.
    this.#alone = true
    this.#unwanted.clear()
    this.#full = false
    this.#flow()
  }

  /** If this program is lost before, nobody ever has: then another one may begin with it. */
  #go(): void {
    if (this.#returned) return
    this.#begun = true
    this.#child?.go()
  }

  #launch(claimed: Claimed): void {
    const { launch, rules } = this.#options
    rules.check(claimed.options)
    this.#detached = claimed.options.detached
    // What it writes belongs to the program that has started it.
    const stdio = claimed.options.stdio === 'inherit' ? 'pipe' : claimed.options.stdio
    launch(
      {
        ...claimed,
        surroundings: rules.surroundings,
        policy: rules.targets,
        options: { ...claimed.options, stdio },
        held: true,
      },
      {
        started: (child, info) => {
          this.#child = child as Child
          if (claimed.role.kind === 'worker') this.#desk = new Desk(this.#child, this.#relay)
          if (this.#draining) this.#desk?.drain()
          this.#post('started', info)
          if (this.#killed) child.kill()
        },
        loaded: () => this.#post('loaded'),
        frame: (frame) => {
          if (frame.op !== op.output) return this.#desk?.said(frame) === true
          if (!this.#alone) {
            this.#relay(op.output, frame.a, frame.b, undefined, frame.payload)
            this.#taken(-frame.payload.length)
          }
          return true
        },
        ended: (exit) => {
          this.#desk?.end()
          if (!this.#returned) this.#post('ended', exit)
          this.#end()
        },
      },
    )
  }

  #taken(bytes: number): void {
    this.#output -= bytes
    const full = this.#output > (this.#full ? FEW : MOST)
    if (full === this.#full) return
    this.#full = full
    this.#flow()
  }

  #flow(): void {
    for (const stream of [1, 2]) this.#child?.output?.flow(stream, !this.#full && !this.#unwanted.has(stream))
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
    this.#over.resolve()
  }
}
