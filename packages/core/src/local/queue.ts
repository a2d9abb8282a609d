/**
 * A queue at the broker: who puts, who waits, and when it is over. Where the items are is in `deliveries.ts`.
 *
 * A *pass* lets a producer of an unbounded queue put without waiting for an answer. It runs out after `PASS` ms, so `close()`
 * waits at most that long for a producer that is blocked; the producer reads the clock after its write has left.
 */
import { ConflictError, QueueClosedError } from '../errors.ts'
import { monotonic } from '../util/clock.ts'
import { type Frame, op } from '../wire/frame.ts'
import { off } from '../wire/ahead-board.ts'
import { BrokerObject, type Methods } from '../supervisor/broker/broker-object.ts'
import { Deliveries, type QueueUser } from './deliveries.ts'
import { Joiners } from './joiners.ts'
import { QueueClosing } from './queue-closing.ts'
import type { ObjectSnapshot } from '../contract/snapshot.ts'
import { partyOf, queueSnapshot } from '../supervisor/broker/snapshots.ts'
import type { Call, Session } from '../supervisor/broker/session.ts'

/** Milliseconds that a producer may put without an answer since it last heard from the broker. */
const PASS = 100

export interface QueueSpec {
  readonly maxSize: number
  readonly maxDeliveries: number
}

interface Getter {
  readonly call: Call
  readonly user: QueueUser
  /** Waits only for what is on its way back, which counts as there. */
  readonly poll: boolean
}

interface Putter {
  readonly call: Call
  readonly bytes: Uint8Array
}

export type QueueUse = (session: Session, use: 'put' | 'take') => void

export class QueueObject extends BrokerObject {
  readonly #spec: QueueSpec
  readonly #used: QueueUse | null
  readonly #items: Deliveries
  readonly #getters = new Set<Getter>()
  readonly #putters = new Set<Putter>()
  readonly #joiners = new Joiners()
  readonly #purgers = new Set<Call>()
  readonly #closing: QueueClosing
  #count = 0
  #handing = false
  #closedBy: Error | null = null

  /** @param used told of each use, for a pipe, whose ends belong to who used them last */
  constructor(name: string, spec: QueueSpec, used: QueueUse | null = null) {
    super('queue', name)
    this.#spec = spec
    this.#used = used
    this.#items = new Deliveries(spec.maxDeliveries, (item) => this.#joiners.finished(item.number))
    this.#closing = new QueueClosing(
      () => this.#items.users,
      () => this.#closed(),
    )
  }

  protected override readonly methods: Methods = {
    put: (call) => this.#put(call),
    confirm: (call) => this.#confirm(call),
    get: (call) => this.#get(call),
    size: (call) => call.ok(this.#items.unheld),
    full: (call) => call.ok(this.#full),
    join: (call) => this.#joiners.add(call, this.#count, this.#items, call.args[0] === true),
    purge: (call) => this.#purge(call),
    close: (call) => this.#close(call),
  }

  override post(session: Session, object: number, method: string, args: readonly unknown[]): void {
    const user = this.#items.user(session, object)
    if (method === 'nack') {
      this.#items.giveBack(user, (args as [number])[0])
      this.#serve()
    } else if (method === 'return') {
      this.#items.returned(user, args[0] as readonly number[])
      this.#serve()
    } else if (method === 'revoked') {
      user.passUntil = 0
      this.#closing.whenRevoked()
    }
  }

  override frame(session: Session, frame: Frame): void {
    const user = this.#items.user(session, frame.a)
    if (frame.op === op.put) {
      this.#arrived(user, frame)
      return
    }
    if (frame.op === op.taken) this.#items.taken(user, frame.b)
    else if (frame.op === op.held) this.#items.holds(user, frame.b)
    else if (frame.op === op.ack) this.#items.acknowledged(user, frame.b)
    if (this.#putters.size > 0 || this.#closing.state !== 'open') this.#serve()
    this.#items.fill(user)
  }

  override check(spec: unknown): void {
    const { maxSize, maxDeliveries } = spec as QueueSpec
    if (maxSize === this.#spec.maxSize && maxDeliveries === this.#spec.maxDeliveries) return
    const shape = (one: QueueSpec): string => `maxSize ${one.maxSize} and maxDeliveries ${one.maxDeliveries}`
    throw new ConflictError(
      `${this.label} exists with ${shape(this.#spec)}, asked for with ${shape({ maxSize, maxDeliveries })}; use the same options or another name`,
    )
  }

  override get finished(): Error | null {
    return this.#closing.state === 'closed' && this.#items.total === 0 ? this.#closedError() : null
  }

  override join(session: Session, number: number): void {
    this.#items.join(session, number)
    if (this.#closing.state === 'closed') session.event(number, 'closed')
  }

  override leave(session: Session): void {
    this.#items.leave(session)
    this.#closing.whenRevoked()
    this.#serve()
  }

  override inspect(): ObjectSnapshot | null {
    // The directions of a pipe are queues, too.
    if (this.#used !== null) return null
    const { maxSize } = this.#spec
    return queueSnapshot(
      this.name,
      { closed: this.#closing.state === 'closed', size: this.#items.unheld, maxSize },
      {
        holders: [...this.#items.holders].map(([session, count]) => ({ ...partyOf(session), count })),
        get: [...this.#getters].map(({ call }) => partyOf(call.session)),
        put: [...this.#putters].map(({ call }) => partyOf(call.session)),
        join: this.#joiners.parties,
      },
    )
  }

  override end(reason: Error): void {
    this.#closing.end()
    for (const { call } of [...this.#getters, ...this.#putters]) call.fail(reason)
    for (const call of this.#purgers) call.fail(reason)
    this.#joiners.fail(reason)
    this.#getters.clear()
    this.#putters.clear()
    this.#purgers.clear()
    this.#items.clear()
  }

  /** Closes without waiting for producers, who expect no answer any more; `reason` is what consumers hear at the end. */
  shut(reason: Error): void {
    this.#closedBy = reason
    this.#closing.shut()
  }

  /** Closes, drops what is there, and tells everybody why: nobody will take it, but who comes to know the queue later is told, too. */
  break(reason: Error): void {
    this.#closedBy = reason
    this.end(reason)
    for (const user of this.#items.users) user.session.event(user.number, 'gone', reason)
  }

  get #full(): boolean {
    return this.#items.total >= this.#spec.maxSize
  }

  #closedError(): Error {
    return this.#closedBy ?? new QueueClosedError(`${this.label} is closed`)
  }

  // Producers

  #put(call: Call): void {
    const [bytes, poll] = call.args as [Uint8Array, boolean]
    this.#used?.(call.session, 'put')
    if (this.#closing.state !== 'open') call.fail(this.#closedError())
    else if (!this.#full) {
      this.#accept(bytes)
      call.ok(this.#pass(this.#items.user(call.session, call.object)))
    } else if (poll) call.ok(false)
    else {
      const putter: Putter = { call, bytes }
      this.#putters.add(putter)
      call.waits(() => this.#putters.delete(putter))
    }
  }

  /** An item put under a pass. */
  #arrived(user: QueueUser, frame: Frame): void {
    this.#used?.(user.session, 'put')
    if (this.#closing.state === 'closed') {
      if (user.refused === 0) user.refused = frame.b
      return
    }
    user.hasPut = true
    this.#accept(frame.payload)
  }

  /** A producer whose pass ran out while it wrote asks whether that still counted. */
  #confirm(call: Call): void {
    const [sequence] = call.args as [number]
    const user = this.#items.user(call.session, call.object)
    if (user.refused !== 0 && sequence >= user.refused) call.fail(this.#closedError())
    else call.ok(this.#pass(user))
  }

  /** Until when the producer may put without an answer, on the machine's monotonic clock; 0: it may not. */
  #pass(user: QueueUser): number {
    // Of what comes through another program, nobody here could tell when it was written.
    const free = user.session.near && this.#closing.state === 'open' && this.#spec.maxSize === Number.POSITIVE_INFINITY
    user.passUntil = free ? monotonic() + PASS : 0
    return user.passUntil
  }

  #accept(bytes: Uint8Array): void {
    this.#count += 1
    this.#items.add({ number: this.#count, bytes, attempt: 1, place: off })
    if (this.#handing) return
    this.#handing = true
    queueMicrotask(() => this.#handOut())
  }

  /** Once for all items that have come together: to who waits, to who is quick, and the producers hear that they may go on. */
  #handOut(): void {
    this.#handing = false
    if (this.#getters.size > 0) this.#serve()
    this.#items.fillAnyone()
    if (this.#closing.state !== 'open') return
    const soon = monotonic() + PASS / 2
    for (const user of this.#items.users) {
      if (user.hasPut && user.passUntil < soon) user.session.event(user.number, 'pass', this.#pass(user))
      user.hasPut = false
    }
  }

  // Consumers

  #get(call: Call): void {
    const [poll] = call.args as [boolean]
    const user = this.#items.user(call.session, call.object)
    this.#used?.(call.session, 'take')
    user.asked()
    const recalling = this.#items.recall(user, () => this.#serve())
    if (!recalling && this.#getters.size === 0 && this.#items.waiting > 0) {
      call.ok(true)
      this.#items.sendTo(user)
      this.#items.fill(user)
      return
    }
    const ended = this.#endFor(user)
    if (ended !== null) call.fail(ended)
    else if (poll && !recalling) call.ok(null)
    else {
      const getter: Getter = { call, user, poll }
      this.#getters.add(getter)
      call.waits(() => this.#getters.delete(getter))
    }
  }

  /** The error for a consumer for whom nothing will come any more, or null. What it holds itself it can give back, not get. */
  #endFor(user: QueueUser): Error | null {
    if (this.#closing.state !== 'closed' || this.#items.waiting > 0 || this.#items.outElsewhere(user)) return null
    return this.#closedError()
  }

  /** Gives room to who waits for it, items to who waits for them, and the end to who waits in vain. */
  #serve(): void {
    if (this.#purgers.size > 0 && !this.#items.recalling) this.#answerPurgers()
    for (const putter of this.#putters) {
      if (this.#full) break
      this.#putters.delete(putter)
      this.#count += 1
      this.#items.add({ number: this.#count, bytes: putter.bytes, attempt: 1, place: off })
      putter.call.ok(0)
    }
    if (this.#items.recalling) return
    for (const getter of this.#getters) {
      if (this.#items.waiting === 0) break
      this.#getters.delete(getter)
      // First the word, then the item: an item without a word is one that travels ahead.
      getter.call.ok(true)
      this.#items.sendTo(getter.user)
    }
    if (this.#items.waiting > 0) return
    for (const getter of this.#getters) {
      const ended = this.#endFor(getter.user)
      if (ended !== null) getter.call.fail(ended)
      else if (getter.poll) getter.call.ok(null)
      else continue
      this.#getters.delete(getter)
    }
  }

  /** What others have ahead comes back first: it waits, too. */
  #purge(call: Call): void {
    this.#purgers.add(call)
    call.waits(() => this.#purgers.delete(call))
    this.#items.recall(null, () => this.#serve())
    this.#serve()
  }

  #answerPurgers(): void {
    for (const call of this.#purgers) {
      this.#purgers.delete(call)
      call.ok(this.#items.purge())
    }
  }

  // Closing

  #close(call: Call): void {
    if (!this.#closing.begin(call)) return
    for (const { call: put } of this.#putters) put.fail(this.#closedError())
    this.#putters.clear()
    this.#closing.revoke()
  }

  #closed(): void {
    for (const user of this.#items.users) user.session.event(user.number, 'closed')
    this.#serve()
  }
}
