/**
 * A process's way to the broker: names objects, makes calls, hears events. One per process and namespace; the nouns of this
 * folder are written on it. Knows nothing about any noun.
 */
import { decode, encode } from '../codec/index.ts'
import { ConnectionError, ScopeError, type SkeinError } from '../errors.ts'
import type { AheadBoard } from '../wire/ahead-board.ts'
import type { ReadSlot } from '../wire/tenure-slot.ts'
import type { ObjectKind } from '../supervisor/broker/broker-object.ts'
import { BrokerRequests, type CallOptions } from './broker-requests.ts'
import { forever, SlotTenure, type Tenure } from './tenure.ts'
import { type Frame, op } from '../wire/frame.ts'
import type { Link, LinkEvents } from '../wire/link.ts'

/** What an object of this process hears from the broker. */
export interface ObjectListener {
  event?(name: string, args: readonly unknown[]): void
  frame?(frame: Frame): void
  /** What was held of it under this tenure is lost; what waits goes on waiting. */
  retired?(reason: Error, tenure: Tenure): void
  /** A context of this process closes: what waits for it here rejects. What it has asked of the broker is given up when this resolves. */
  abandoned?(owner: object, reason: SkeinError): Promise<void> | void
}

/** The broker's envelopes carry references as plain data, never as handles. */
function noHandles(): never {
  throw new ScopeError('a handle cannot stand in an envelope; this is a defect of Skein, please report it')
}

export class BrokerClient implements LinkEvents {
  readonly #link: Link
  readonly #numbers = new Map<string, number>()
  readonly #keys = new Map<number, string>()
  readonly #requests: BrokerRequests
  readonly #listeners = new Map<number, ObjectListener>()
  readonly #lost = new AbortController()
  #over = false
  readonly #lingering = new Set<() => void>()
  readonly #onTick = (): void => this.#settleUp()
  #reason: SkeinError | null = null
  #object = 0
  #holds = 0

  #tenures: readonly [SlotTenure, SlotTenure] | null = null
  #interrupted = false

  /** Scopes of references that stand for the same store, beside its own. */
  readonly aliases: Set<string> = new Set()

  /** Shared with the broker in the main program; null in children. */
  readonly board: AheadBoard | null

  constructor(makeLink: (events: LinkEvents) => Link, board: AheadBoard | null = null) {
    this.board = board
    this.#requests = new BrokerRequests({
      hold: () => this.hold(),
      release: () => this.release(),
      cancel: (request) => this.#link.send(op.cancel, 0, request),
      decode: (payload) => decode(payload, noHandles),
    })
    this.#link = makeLink(this)
    this.#link.unref()
  }

  /** How long what is granted now is surely held. */
  get tenure(): Tenure {
    return this.#tenures?.[0] ?? forever
  }

  /** The same for locks that a majority of stores keeps. */
  get quorumTenure(): Tenure {
    return this.#tenures?.[1] ?? forever
  }

  /** Holding depends on what the supervisor confirms. @param slot `null` where there is none */
  leased(slot: ReadSlot | null): void {
    this.#tenures = [new SlotTenure(0, slot), new SlotTenure(1, slot)]
  }

  /** Whether the supervisor cannot reach its store at the moment. */
  get interrupted(): boolean {
    return this.#interrupted
  }

  /** The link has ended: nothing can be asked any more. */
  get over(): boolean {
    return this.#over
  }

  /** Aborts with `ConnectionError` when the broker is gone, or the program that keeps all but processes. */
  get lost(): AbortSignal {
    return this.#lost.signal
  }

  /**
   * The number of an object in this session. The first mention, and each with another spec, goes to the broker, which finds, makes
   * or refuses it; a refusal shows in the calls.
   *
   * @param attach the object was made elsewhere: an anonymous one is never made anew
   * @param program which program keeps it, if it lives and dies with one
   */
  open(kind: ObjectKind, name: string, spec: unknown, attach: boolean, program?: string): number {
    const shape = name.startsWith('~') ? '' : JSON.stringify(spec)
    const key = `${kind} ${name} ${shape}`
    const known = this.#numbers.get(key)
    if (known !== undefined) return known
    const number = ++this.#object
    this.#numbers.set(key, number)
    this.#keys.set(number, key)
    this.send(op.open, number, 0, encode([kind, name, spec, attach, attach ? program : undefined]))
    return number
  }

  /** The one listener of an object, made at its first mention. */
  listener<T extends ObjectListener>(object: number, make: () => T): T {
    const known = this.#listeners.get(object)
    // Whoever asks for an object's listener opened it as the same kind, so it is of the same class.
    if (known !== undefined) return known as T
    const made = make()
    this.#listeners.set(object, made)
    return made
  }

  /** There is nothing more to ask or to hear of this object: neither side keeps its number. */
  forget(object: number): void {
    this.#forgetName(object)
    this.#listeners.delete(object)
    this.#link.send(op.forget, object, 0)
  }

  /** The object is closed for good: the next mention of its name goes to the broker, which may have another one by then. */
  #forgetName(object: number): void {
    const key = this.#keys.get(object)
    if (key === undefined) return
    this.#keys.delete(object)
    if (this.#numbers.get(key) === object) this.#numbers.delete(key)
  }

  /** Asks the broker. Giving up cancels the request there; a grant that was under way meanwhile goes to `late`. */
  call<T>(object: number, method: string, args: readonly unknown[] = [], options: CallOptions = {}): Promise<T> {
    return this.request<T>((request) => this.send(op.call, object, request, encode([method, ...args])), options)
  }

  /** As `call`, for a frame of another kind that the broker answers. */
  request<T>(send: (request: number) => void, options: CallOptions = {}): Promise<T> {
    if (options.wait?.signal?.aborted === true) return Promise.reject(options.wait.signal.reason as Error)
    if (this.#over) return Promise.reject(this.#lost.signal.reason as Error)
    return this.#requests.ask<T>(send, options)
  }

  /** Tells the broker, which does not answer. */
  post(object: number, method: string, ...args: readonly unknown[]): void {
    this.send(op.post, object, 0, encode([method, ...args]))
  }

  /** Sends a frame of a noun's own. */
  send: Link['send'] = (kind, a, b, head, tail) => {
    this.#settleUp()
    this.#link.send(kind, a, b, head, tail)
  }

  /** Sends a frame at once; resolves as `flushed` does. */
  sendNow: Link['sendNow'] = (kind, a, b, head, tail) => {
    this.#settleUp()
    return this.#link.sendNow(kind, a, b, head, tail)
  }

  /**
   * Has `settle` called before anything else leaves this process, or in the next tick: for what may be told late, but not later than
   * what follows from it.
   */
  linger(settle: () => void): void {
    if (this.#lingering.size === 0) process.nextTick(this.#onTick)
    this.#lingering.add(settle)
  }

  /** Resolves when what was sent would outlive this process, or when the broker is gone. */
  flushed(): Promise<void> {
    this.#settleUp()
    return this.#link.flushed()
  }

  /** Whether the operating system has not taken all that was sent. */
  get writing(): boolean {
    return this.#link.writing
  }

  /** Writes at once, for callers that are about to block. */
  flush(): void {
    this.#settleUp()
    this.#link.flush()
  }

  /** Gives up a request whose answer is no longer needed: its promise never settles, a grant under way goes to `late`. */
  withdraw(request: number): void {
    this.#requests.withdraw(request)
  }

  /** A context closes: all that waits for it rejects. What was granted meanwhile goes back. */
  async abandon(owner: object, reason: SkeinError): Promise<void> {
    const listeners = [...this.#listeners.values()]
    await Promise.allSettled(listeners.map(async (listener) => listener.abandoned?.(owner, reason)))
    this.#requests.abandon(owner, reason)
  }

  /** Keeps this process alive until the matching `release`. */
  hold(): void {
    this.#holds += 1
    if (this.#holds === 1) this.#link.ref()
  }

  release(): void {
    this.#holds -= 1
    if (this.#holds === 0) this.#link.unref()
  }

  /** Ends the link; what is still asked rejects with `reason`. */
  close(reason: SkeinError): void {
    this.#reason = reason
    this.#link.close()
  }

  frame(frame: Frame): void {
    if (frame.op === op.okNumber || frame.op === op.ok || frame.op === op.fail || frame.op === op.cancelled) {
      this.#requests.answered(frame)
      return
    }
    if ((frame.op >= op.ping && frame.op <= op.interrupted) || frame.op === op.alias || frame.op === op.stranded) {
      this.#concerns(frame)
      return
    }
    const listener = this.#listeners.get(frame.a)
    if (frame.op !== op.event) {
      listener?.frame?.(frame)
      return
    }
    const [name, ...args] = decode(frame.payload, noHandles) as [string, ...unknown[]]
    if (name === 'gone') this.forget(frame.a)
    else if (name === 'closed') this.#forgetName(frame.a)
    listener?.event?.(name, args)
  }

  ended(): void {
    const error =
      this.#reason ?? new ConnectionError('the broker of this context is gone; nothing can be asked of it any more')
    this.#over = true
    this.#lost.abort(error)
    for (const listener of this.#listeners.values()) listener.event?.('gone', [error])
    this.#listeners.clear()
    this.#requests.fail(error)
  }

  /** What concerns the process as a whole. */
  #concerns(frame: Frame): void {
    if (frame.op === op.ping) this.#link.send(op.pong, 0, 0)
    else if (frame.op === op.interrupted) this.#interrupted = frame.a === 1
    else if (frame.op === op.stranded) this.#lost.abort(decode(frame.payload, noHandles))
    else if (frame.op === op.alias) this.aliases.add(frame.payload.toString())
    else if (frame.op === op.lost) {
      const tenure = this.#tenures?.[frame.b === 1 ? 1 : 0]
      if (tenure === undefined) return
      tenure.lost(frame.a)
      const reason = decode(frame.payload, noHandles) as Error
      for (const listener of this.#listeners.values()) listener.retired?.(reason, tenure)
    }
  }

  #settleUp(): void {
    if (this.#lingering.size === 0) return
    const all = [...this.#lingering]
    this.#lingering.clear()
    for (const settle of all) settle()
  }
}
