/**
 * One client of the broker: a process and its end of the link. Whatever it holds, waits for or uses hangs on its session and
 * goes back when the link ends. Knows nothing about any noun.
 */
import { decode, encode } from '../../codec/index.ts'
import { ConnectionError, ProtocolError, StateError } from '../../errors.ts'
import { type Frame, isCall, op } from '../../wire/frame.ts'
import { KeptFrame } from '../../wire/kept-frame.ts'
import type { Link } from '../../wire/link.ts'
import { acquireArgs, numberHead } from '../../wire/number-frames.ts'
import type { About, ProcessInfo } from '../boot.ts'
import { reportDefect } from '../defect.ts'
import type { AheadBoard } from '../../wire/ahead-board.ts'
import type { Opening } from './broker.ts'
import type { BrokerObject } from './broker-object.ts'

function noHandles(): never {
  throw new ProtocolError('a handle stood in an envelope')
}

function methodOf({ payload }: Frame): readonly [method: string, args: readonly unknown[]] {
  const [method, ...args] = decode(payload, noHandles) as [string, ...unknown[]]
  return [method, args]
}

/** A request of a client; settles once, or is cancelled. */
export class Call {
  readonly session: Session
  /** The number under which the session knows the object. */
  readonly object: number
  readonly args: readonly unknown[]
  readonly #request: number
  /** Removes what the request has put into waiting lists. */
  cancel: (() => void) | null = null

  constructor(session: Session, object: number, request: number, args: readonly unknown[]) {
    this.session = session
    this.object = object
    this.#request = request
    this.args = args
  }

  ok(value?: unknown): void {
    this.cancel = null
    const { session } = this
    if (typeof value === 'number') session.answer(op.okNumber, this.#request, numberHead(value))
    else session.answer(op.ok, this.#request, value === undefined ? undefined : encode(value))
  }

  fail(error: Error): void {
    this.cancel = null
    this.session.answer(op.fail, this.#request, encode(error))
  }

  /** Says that the request waits, and how to take it back. */
  waits(cancel: () => void): void {
    this.cancel = cancel
    this.session.waiting(this.#request, this)
  }
}

export interface SessionHost {
  open(session: Session, opening: Opening): BrokerObject | Promise<BrokerObject>
}

type OpenFields = [kind: string, name: string, spec: unknown, attach: boolean, program: string | undefined]

/** How a session is had. */
export interface Manner {
  readonly board?: AheadBoard | null
  readonly near?: boolean
  readonly about?: About | null
}

type Answer = typeof op.ok | typeof op.okNumber | typeof op.fail | typeof op.cancelled

let serials = 0

export class Session {
  readonly process: ProcessInfo
  readonly #host: SessionHost
  readonly #objects = new Map<number, BrokerObject | Error>()
  readonly #used = new Set<BrokerObject>()
  readonly #waiting = new Map<number, Call>()
  /** What was refused under these numbers: another shape may be right when the object is gone. */
  readonly #refused = new Map<number, Opening>()
  /** What has come for objects of which another program has not said yet that they are there. */
  readonly #early = new Map<number, KeptFrame[]>()
  /** Shared with the main program; null for the sessions of children. */
  readonly board: AheadBoard | null
  #link: Pick<Link, 'send'> | null = null
  /** A number that no other session has. */
  readonly serial: number = ++serials
  #over = false
  /** Whether what the process has written is read here next. What it tells through another program may be on its way for longer. */
  readonly near: boolean
  /** Where another program's broker keeps objects: takes the frames for those. `false`: the frame is for this one. */
  relay: ((frame: Frame) => boolean) | null = null
  /** `null`: it stands for another program, not for a process. */
  readonly about: About | null
  /** Told of each sign of life, before it is looked at; where holding depends on that. */
  heard: (() => void) | null = null

  constructor(process: ProcessInfo, host: SessionHost, { board = null, near = true, about = null }: Manner = {}) {
    this.process = process
    this.about = about
    this.near = near
    this.board = board
    this.#host = host
  }

  get over(): boolean {
    return this.#over
  }

  /** Whether there is an object that the process might hold something of. */
  get inUse(): boolean {
    return this.#used.size > 0
  }

  connect(link: Pick<Link, 'send'>): void {
    this.#link = link
  }

  frame(frame: Frame): void {
    if (frame.op === op.pong || this.relay?.(frame) === true) return
    if (this.#refused.size > 0 && (isCall(frame.op) || frame.op === op.post)) this.#askAgain(frame.a)
    if (this.#early.size > 0 && this.#keep(frame)) return
    if (frame.op === op.open) {
      this.#open(frame)
    } else if (frame.op === op.cancel) {
      const call = this.#waiting.get(frame.b)
      // No such wait: the answer is under way, and the client puts a grant back itself.
      if (call?.cancel == null) return
      const { cancel } = call
      call.cancel = null
      this.answer(op.cancelled, frame.b)
      cancel()
    } else if (isCall(frame.op)) {
      try {
        this.#call(frame)
      } catch (error) {
        // Who asked must not wait for ever, and nobody else is concerned.
        reportDefect(`a call of process ${this.process.pid}`, error)
        const why = error instanceof Error ? error.message : String(error)
        const told = new ProtocolError(
          `the supervisor failed on this call (${why}); a defect of Skein, please report it`,
        )
        this.answer(op.fail, frame.b, encode(told))
      }
    } else if (frame.op === op.forget) {
      this.#objects.delete(frame.a)
      this.#refused.delete(frame.a)
    } else {
      const object = this.#objects.get(frame.a)
      if (object === undefined || object instanceof Error) return
      if (frame.op === op.post) {
        const [method, args] = methodOf(frame)
        object.post(this, frame.a, method, args)
      } else object.frame(this, frame)
    }
  }

  send: Link['send'] = (kind, a, b, head, tail) => this.#link?.send(kind, a, b, head, tail)

  answer(kind: Answer, request: number, payload?: Uint8Array): void {
    this.#waiting.delete(request)
    this.#link?.send(kind, 0, request, payload)
  }

  event(object: number, name: string, ...args: readonly unknown[]): void {
    this.#link?.send(op.event, object, 0, encode([name, ...args]))
  }

  waiting(request: number, call: Call): void {
    this.#waiting.set(request, call)
  }

  /** Forgets an object that is gone; its numbers answer with the reason. */
  forget(object: BrokerObject, reason: Error): void {
    this.#used.delete(object)
    for (const [number, known] of this.#objects) {
      if (known !== object) continue
      this.#objects.set(number, reason)
      this.event(number, 'gone', reason)
    }
  }

  /** The process was silent for too long: each object takes back what it held. */
  suspend(): void {
    for (const object of this.#used) object.suspend(this)
  }

  /** It has spoken again. */
  resume(): void {
    for (const object of this.#used) object.resume(this)
  }

  /** The process has died or closed its link: its waits are taken back, then each object it used takes back what it held. */
  end(): void {
    if (this.#over) return
    this.#over = true
    for (const call of this.#waiting.values()) call.cancel?.()
    this.#waiting.clear()
    this.#early.clear()
    for (const object of this.#used) object.leave(this)
    this.#used.clear()
    this.#objects.clear()
  }

  /** `true`: its time comes later, or it has taken back one that was kept. */
  #keep(frame: Frame): boolean {
    if (frame.op === op.cancel) {
      for (const early of this.#early.values()) {
        const at = early.findIndex((one) => isCall(one.op) && one.b === frame.b)
        if (at < 0) continue
        early.splice(at, 1)
        this.answer(op.cancelled, frame.b)
        return true
      }
      return false
    }
    const early = this.#early.get(frame.a)
    if (early === undefined) return false
    early.push(new KeptFrame(frame))
    return true
  }

  #open(frame: Frame): void {
    const [kind, name, spec, attach, program] = decode(frame.payload, noHandles) as OpenFields
    this.#tryOpen(frame.a, { kind, name, spec, attach, program })
  }

  #tryOpen(number: number, opening: Opening): void {
    try {
      const object = this.#host.open(this, opening)
      this.#refused.delete(number)
      if (object instanceof Promise) this.#await(number, opening, object)
      else this.#known(number, object)
    } catch (error) {
      // Making a handle is synchronous, so what is wrong with it is told to each call on it.
      this.#objects.set(number, error as Error)
      this.#refused.set(number, opening)
    }
  }

  /** What was in the way of the handle may be gone. */
  #askAgain(number: number): void {
    const refused = this.#refused.get(number)
    if (refused !== undefined) this.#tryOpen(number, refused)
  }

  #known(number: number, object: BrokerObject): void {
    this.#objects.set(number, object)
    this.#used.add(object)
    object.join(this, number)
  }

  /** Another program is asked whether it is there: until then what is meant for it is kept, and what comes after it on other objects is not. */
  #await(number: number, opening: Opening, object: Promise<BrokerObject>): void {
    const early: KeptFrame[] = []
    this.#early.set(number, early)
    const settle = (known: BrokerObject | Error): void => {
      if (this.#over || this.#early.get(number) !== early) return
      this.#early.delete(number)
      if (known instanceof Error) this.#objects.set(number, known)
      else this.#known(number, known)
      for (const frame of early) {
        try {
          this.frame(frame)
        } catch (error) {
          reportDefect(`a message of process ${this.process.pid}`, error)
        }
      }
      // It could not be asked for: the next call asks again.
      if (known instanceof ConnectionError && this.#objects.has(number)) this.#refused.set(number, opening)
    }
    object.then(settle, settle)
  }

  #call(frame: Frame): void {
    const [method, args] = frame.op === op.acquire ? (['acquire', acquireArgs(frame)] as const) : methodOf(frame)
    const call = new Call(this, frame.a, frame.b, args)
    const object = this.#objects.get(frame.a)
    if (object === undefined) call.fail(new StateError('this object is gone; make or open it again'))
    else if (object instanceof Error) call.fail(object)
    else object.call(method, call)
  }
}
