/**
 * A queue at the broker: items as bytes, each delivered to one consumer.
 *
 * Two shortcuts make it fast, and both are leases that can be called back:
 * - a *pass* lets a producer of an unbounded queue put without waiting for an answer. It runs out after `PASS` ms, so `close()`
 *   waits at most that long for a producer that is blocked; the producer reads the clock after its write has left.
 * - a *window* of items travels ahead of demand to a consumer that is alone and quick. Items ahead are recalled when somebody
 *   else asks; each is claimed by a frame before the user sees it.
 */
import { ConflictError, QueueClosedError } from '../../errors.ts'
import { monotonic } from '../../util/clock.ts'
import { Fifo } from '../../util/fifo.ts'
import { type Frame, op } from '../../wire/frame.ts'
import { BrokerObject, type Methods } from './broker-object.ts'
import { Joiners } from './joiners.ts'
import type { Call, Session } from './session.ts'

/** Milliseconds that a producer may put without an answer since it last heard from the broker. */
const PASS = 100
/** Milliseconds without a sign of life after which a consumer no longer keeps others from getting items ahead. */
const RECENT = 100
/** Two requests within this many milliseconds make a consumer quick; an item that stayed ahead longer makes it slow. */
const QUICK = 2
const SLOW = 20
const LARGEST_WINDOW = 512

export interface QueueSpec {
  readonly maxSize: number
  readonly maxDeliveries: number
}

interface Item {
  readonly number: number
  readonly bytes: Uint8Array
  attempt: number
}

interface Out {
  readonly item: Item
  readonly user: User
  readonly since: number
  held: boolean
}

/** What the queue knows of one session. */
interface User {
  readonly session: Session
  readonly number: number
  passUntil: number
  window: number
  ahead: number
  lastGet: number
  recalled: boolean
  /** The first item put under a pass that came too late, by the producer's count; 0: none. */
  refused: number
}

interface Getter {
  readonly call: Call
  readonly user: User
}

interface Putter {
  readonly call: Call
  readonly bytes: Uint8Array
}

export type QueueUse = (session: Session, use: 'put' | 'take') => void

export class QueueObject extends BrokerObject {
  readonly #spec: QueueSpec
  readonly #used: QueueUse | null
  readonly #waiting = new Fifo<Item>()
  readonly #out = new Map<number, Out>()
  readonly #users = new Map<Session, User>()
  readonly #getters = new Set<Getter>()
  readonly #putters = new Set<Putter>()
  readonly #joiners = new Joiners()
  readonly #closers = new Set<Call>()
  readonly #dead: Item[] = []
  #state: 'open' | 'closing' | 'closed' = 'open'
  #items = 0
  #ahead = 0
  #closedBy: Error | null = null
  #closeTimer: NodeJS.Timeout | undefined

  constructor(name: string, spec: QueueSpec, used: QueueUse | null = null) {
    super('queue', name)
    this.#spec = spec
    this.#used = used
  }

  protected override readonly methods: Methods = {
    put: (call) => this.#put(call),
    // A producer whose pass ran out while it wrote asks whether that still counted.
    confirm: (call) => {
      const user = this.#user(call.session)
      const [sequence] = call.args as [number]
      if (user.refused !== 0 && sequence >= user.refused) call.fail(this.#closedError())
      else call.ok(this.#pass(user))
    },
    get: (call) => this.#get(call),
    size: (call) => call.ok(this.#waiting.length + this.#ahead),
    full: (call) => call.ok(this.#full),
    join: (call) => this.#joiners.add(call, this.#items, this.#waiting, this.#out.values()),
    close: (call) => this.#close(call),
  }

  override post(session: Session, method: string, args: readonly unknown[]): void {
    const user = this.#user(session)
    if (method === 'nack') this.#giveBack((args as [number])[0], session)
    else if (method === 'return') this.#returned(user, args[0] as readonly number[])
    else if (method === 'revoked') {
      user.passUntil = 0
      this.#closeWhenRevoked()
    }
  }

  override frame(session: Session, frame: Frame): void {
    if (frame.op === op.put) this.#arrived(this.#user(session), frame)
    else if (frame.op === op.taken || frame.op === op.ack) this.#taken(frame.b, session)
    else if (frame.op === op.held) this.#claimed(frame.b, session)
  }

  override check(spec: unknown): void {
    const { maxSize, maxDeliveries } = spec as QueueSpec
    if (maxSize !== this.#spec.maxSize || maxDeliveries !== this.#spec.maxDeliveries) {
      const shape = (one: QueueSpec): string => `maxSize ${one.maxSize} and maxDeliveries ${one.maxDeliveries}`
      throw new ConflictError(
        `${this.label} exists with ${shape(this.#spec)}, asked for with ${shape({ maxSize, maxDeliveries })}; use the same options or another name`,
      )
    }
  }

  override get finished(): Error | null {
    return this.#drained ? this.#closedError() : null
  }

  override join(session: Session, number: number): void {
    const user: User = {
      session,
      number,
      passUntil: 0,
      window: 0,
      ahead: 0,
      lastGet: Number.NEGATIVE_INFINITY,
      recalled: false,
      refused: 0,
    }
    if (!this.#users.has(session)) this.#users.set(session, user)
  }

  override leave(session: Session): void {
    const mine = [...this.#out.values()].filter((out) => out.user.session === session)
    for (const out of mine.toReversed()) this.#back(out, out.held)
    this.#users.delete(session)
    this.#closeWhenRevoked()
    this.#serve()
  }

  override end(reason: Error): void {
    clearTimeout(this.#closeTimer)
    for (const { call } of [...this.#getters, ...this.#putters]) call.fail(reason)
    for (const call of this.#closers) call.ok()
    this.#joiners.fail(reason)
    this.#state = 'closed'
    this.#getters.clear()
    this.#putters.clear()
    this.#closers.clear()
    this.#waiting.drain()
    this.#out.clear()
  }

  /** Closes without waiting for producers, who expect no answer any more; `reason` is what consumers hear at the end. */
  shut(reason: Error): void {
    this.#closedBy = reason
    this.#state = 'closing'
    for (const user of this.#users.values()) user.passUntil = 0
    this.#finishClosing()
  }

  get #full(): boolean {
    return this.#waiting.length + this.#out.size >= this.#spec.maxSize
  }

  get #drained(): boolean {
    return this.#state === 'closed' && this.#waiting.length === 0 && this.#out.size === 0
  }

  #closedError(): Error {
    return this.#closedBy ?? new QueueClosedError(`${this.label} is closed`)
  }

  #user(session: Session): User {
    return this.#users.get(session) as User
  }

  // Producers

  #put(call: Call): void {
    const [bytes, poll] = call.args as [Uint8Array, boolean]
    this.#used?.(call.session, 'put')
    if (this.#state !== 'open') call.fail(this.#closedError())
    else if (!this.#full) {
      this.#accept(bytes)
      call.ok(this.#pass(this.#user(call.session)))
    } else if (poll) call.ok(false)
    else {
      const putter: Putter = { call, bytes }
      this.#putters.add(putter)
      call.waits(() => this.#putters.delete(putter))
    }
  }

  /** An item put under a pass. */
  #arrived(user: User, frame: Frame): void {
    this.#used?.(user.session, 'put')
    if (this.#state === 'closed') {
      if (user.refused === 0) user.refused = frame.b
      return
    }
    this.#accept(frame.payload)
    if (this.#state === 'open' && user.passUntil - monotonic() < PASS / 2) {
      user.session.event(user.number, 'pass', this.#pass(user))
    }
  }

  /** Until when the producer may put without an answer, on the machine's monotonic clock; 0: it may not. */
  #pass(user: User): number {
    user.passUntil = this.#state === 'open' && this.#spec.maxSize === Number.POSITIVE_INFINITY ? monotonic() + PASS : 0
    return user.passUntil
  }

  #accept(bytes: Uint8Array): void {
    this.#items += 1
    this.#waiting.push({ number: this.#items, bytes, attempt: 1 })
    this.#serve()
  }

  // Consumers

  #get(call: Call): void {
    const [poll] = call.args as [boolean]
    const user = this.#user(call.session)
    this.#used?.(call.session, 'take')
    const now = monotonic()
    if (this.#waiting.length > 0 && now - user.lastGet < QUICK) {
      user.window = Math.min(LARGEST_WINDOW, Math.max(8, user.window * 2))
    }
    user.lastGet = now
    if (this.#getters.size === 0 && this.#waiting.length > 0) {
      call.ok(true)
      this.#send(user, this.#waiting.shift() as Item)
      this.#fill(user)
      return
    }
    const ended = this.#endFor(user)
    if (ended !== null) {
      call.fail(ended)
      return
    }
    if (poll && this.#ahead === user.ahead) {
      call.ok(null)
      return
    }
    const getter: Getter = { call, user }
    this.#getters.add(getter)
    call.waits(() => this.#getters.delete(getter))
    this.#recall(user)
    // A poll may not wait, but what lies unused with another consumer counts as there: it is answered when that was asked.
    if (poll) this.#settlePoll(getter)
  }

  #settlePoll(getter: Getter): void {
    setTimeout(() => {
      if (this.#getters.delete(getter)) getter.call.ok(null)
    }, QUICK * 5)
  }

  /** The error for a consumer for whom nothing will come any more, or null. What only it holds it can give back, but not get. */
  #endFor(user: User): Error | null {
    if (this.#state !== 'closed' || this.#waiting.length > 0) return null
    for (const out of this.#out.values()) if (out.user !== user) return null
    return this.#closedError()
  }

  #send(user: User, item: Item): void {
    this.#out.set(item.number, { item, user, since: monotonic(), held: false })
    user.ahead += 1
    this.#ahead += 1
    const head = Buffer.allocUnsafe(4)
    head.writeUInt32LE(item.attempt)
    user.session.send(op.item, user.number, item.number, head, item.bytes)
  }

  /** Sends items ahead to a consumer that is alone. */
  #fill(user: User): void {
    if (user.window === 0 || user.recalled || user.ahead * 2 > user.window || this.#waiting.length === 0) return
    for (const other of this.#users.values()) {
      if (other !== user && other.lastGet > user.lastGet - RECENT) return
    }
    while (user.ahead < user.window && this.#waiting.length > 0) this.#send(user, this.#waiting.shift() as Item)
  }

  #recall(hungry: User): void {
    for (const user of this.#users.values()) {
      if (user === hungry || user.ahead === 0 || user.recalled) continue
      user.recalled = true
      user.window = 0
      user.session.event(user.number, 'recall')
    }
  }

  #returned(user: User, numbers: readonly number[]): void {
    user.recalled = false
    for (const number of numbers.toReversed()) {
      const out = this.#out.get(number)
      if (out?.user === user && !out.held) this.#back(out, false)
    }
    this.#serve()
  }

  #taken(number: number, session: Session): void {
    const out = this.#out.get(number)
    if (out?.user.session !== session) return
    this.#settle(out)
    if (!out.held) this.#noticePace(out)
    this.#finished(out.item)
    this.#fill(out.user)
  }

  #claimed(number: number, session: Session): void {
    const out = this.#out.get(number)
    if (out?.user.session !== session || out.held) return
    this.#noticePace(out)
    out.held = true
    out.user.ahead -= 1
    this.#ahead -= 1
    this.#fill(out.user)
  }

  #noticePace({ user, since }: Out): void {
    user.lastGet = monotonic()
    if (user.lastGet - since > SLOW) user.window >>= 1
  }

  #settle(out: Out): void {
    this.#out.delete(out.item.number)
    if (out.held) return
    out.user.ahead -= 1
    this.#ahead -= 1
  }

  #giveBack(number: number, session: Session): void {
    const out = this.#out.get(number)
    if (out?.user.session !== session) return
    this.#back(out, true)
    this.#serve()
  }

  /** An item returns to the head of the line; delivered too often, it is set aside. */
  #back(out: Out, counted: boolean): void {
    this.#settle(out)
    if (counted && out.item.attempt >= this.#spec.maxDeliveries) {
      this.#dead.push(out.item)
      this.#finished(out.item)
      return
    }
    if (counted) out.item.attempt += 1
    this.#waiting.unshift(out.item)
  }

  #finished(item: Item): void {
    this.#joiners.finished(item.number)
    if (this.#putters.size > 0 || this.#state !== 'open') this.#serve()
  }

  /** Gives items to who waits for them, room to who waits for it, and the end to who waits in vain. */
  #serve(): void {
    for (const putter of this.#putters) {
      if (this.#full) break
      this.#putters.delete(putter)
      this.#items += 1
      this.#waiting.push({ number: this.#items, bytes: putter.bytes, attempt: 1 })
      putter.call.ok(0)
    }
    for (const getter of this.#getters) {
      const item = this.#waiting.shift()
      if (item === undefined) break
      this.#getters.delete(getter)
      // First the word, then the item: an item without a word is one that travels ahead.
      getter.call.ok(true)
      this.#send(getter.user, item)
    }
    if (this.#state !== 'closed' || this.#waiting.length > 0) return
    if (this.#out.size === 0) this.#tellEnd()
    for (const getter of this.#getters) {
      const ended = this.#endFor(getter.user)
      if (ended === null) continue
      this.#getters.delete(getter)
      getter.call.fail(ended)
    }
  }

  // Closing

  /** Closed and drained: the name is free for a new queue. */
  #tellEnd(): void {
    for (const user of this.#users.values()) user.session.event(user.number, 'ended')
  }

  #close(call: Call): void {
    if (this.#state === 'closed') {
      call.ok()
      return
    }
    this.#closers.add(call)
    if (this.#state === 'closing') return
    this.#state = 'closing'
    for (const { call: put } of this.#putters) put.fail(this.#closedError())
    this.#putters.clear()
    const now = monotonic()
    let last = 0
    for (const user of this.#users.values()) {
      if (user.passUntil <= now) user.passUntil = 0
      else user.session.event(user.number, 'revoke')
      last = Math.max(last, user.passUntil)
    }
    if (last > 0) {
      // What a blocked producer wrote before its pass ran out may still lie in its socket: two turns of the loop read it.
      const end = (): void => void setImmediate(() => setImmediate(() => this.#finishClosing()))
      this.#closeTimer = setTimeout(end, last - now + 1)
    }
    this.#closeWhenRevoked()
  }

  #closeWhenRevoked(): void {
    if (this.#state !== 'closing') return
    for (const user of this.#users.values()) if (user.passUntil > 0) return
    this.#finishClosing()
  }

  #finishClosing(): void {
    if (this.#state !== 'closing') return
    clearTimeout(this.#closeTimer)
    this.#state = 'closed'
    for (const { call } of this.#putters) call.fail(this.#closedError())
    this.#putters.clear()
    this.#serve()
    for (const call of this.#closers) call.ok()
    this.#closers.clear()
  }
}
