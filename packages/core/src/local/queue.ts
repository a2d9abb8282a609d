/** A queue at the broker: who puts, who waits, and when it is over. Where the items are is in `deliveries.ts`, who puts without an answer in `passes.ts`. */
import { QueueClosedError } from '../errors.ts'
import { type Frame, op } from '../wire/frame.ts'
import { BrokerObject, type Methods } from '../supervisor/broker/broker-object.ts'
import type { PutHow } from '../queue/put-options.ts'
import { Deliveries, type QueueUser } from './deliveries.ts'
import { Intake, plainly } from './intake.ts'
import { Joiners } from './joiners.ts'
import { Passes } from './passes.ts'
import { QueueClosing } from './queue-closing.ts'
import type { ObjectSnapshot } from '../contract/snapshot.ts'
import { type QueueShape, shapeConflict } from '../supervisor/broker/queue-shape.ts'
import { partyOf, queueSnapshot } from '../supervisor/broker/snapshots.ts'
import type { Call, Session } from '../supervisor/broker/session.ts'

interface Getter {
  readonly call: Call
  readonly user: QueueUser
  /** Waits only for what is on its way back, which counts as there. */
  readonly poll: boolean
}

interface Putter {
  readonly call: Call
  readonly bytes: Uint8Array
  readonly how: PutHow
}

export type QueueUse = (session: Session, use: 'put' | 'take') => void

export class QueueObject extends BrokerObject {
  readonly #spec: QueueShape
  readonly #used: QueueUse | null
  readonly #items: Deliveries
  readonly #getters = new Set<Getter>()
  readonly #putters = new Set<Putter>()
  readonly #joiners = new Joiners()
  readonly #purgers = new Set<Call>()
  readonly #intake = new Intake()
  readonly #closing: QueueClosing
  readonly #passes: Passes
  #handing = false
  #closedBy: Error | null = null

  /** @param used told of each use, for a pipe, whose ends belong to who used them last */
  constructor(name: string, spec: QueueShape, used: QueueUse | null = null) {
    super('queue', name)
    this.#spec = spec
    this.#used = used
    this.#items = new Deliveries(
      spec.maxDeliveries,
      (item) => {
        this.#intake.finished(item)
        this.#joiners.finished(item.number)
      },
      () => this.#handOut(),
    )
    this.#closing = new QueueClosing(
      () => this.#items.users,
      () => this.#closed(),
    )
    const unbounded = spec.maxSize === Number.POSITIVE_INFINITY
    this.#passes = new Passes(() => unbounded && this.#closing.state === 'open')
  }

  protected override readonly methods: Methods = {
    put: (call) => this.#put(call),
    confirm: (call) => this.#confirm(call),
    get: (call) => this.#get(call),
    size: (call) => call.ok(this.#items.unheld),
    full: (call) => call.ok(this.#full),
    join: (call) => this.#joiners.add(call, this.#intake.count, this.#items, call.args[0] === true),
    purge: (call) => this.#purge(call),
    dead: (call) => call.ok(this.#items.dead.list()),
    retry: (call) => this.#retry(call),
    clear: (call) => call.ok(this.#items.dead.clear()),
    close: (call) => this.#close(call),
  }

  override post(session: Session, object: number, method: string, args: readonly unknown[]): void {
    const user = this.#items.user(session, object)
    if (method === 'nack') {
      const [number, delay, reason] = args as [number, number, string | undefined]
      this.#items.giveBack(user, number, reason, delay)
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
    const conflict = shapeConflict(this.label, this.#spec, spec as QueueShape)
    if (conflict !== null) throw conflict
  }

  override get finished(): Error | null {
    return this.#closing.state === 'closed' && this.#items.total === 0 ? this.#closedError() : null
  }

  override succeed(before: BrokerObject): void {
    if (before instanceof QueueObject) this.#items.dead = before.#items.dead
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
    const { unheld: size, delayed, dead } = this.#items
    const counts = { size, delayed, dead: dead.length }
    return queueSnapshot(
      this.name,
      { closed: this.#closing.state === 'closed', ...counts, maxSize },
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
    const [bytes, poll, how = plainly] = call.args as [Uint8Array, boolean, PutHow?]
    this.#used?.(call.session, 'put')
    if (this.#closing.state !== 'open') call.fail(this.#closedError())
    else if (!this.#full || this.#intake.has(how[2])) {
      this.#accept(bytes, how)
      call.ok(this.#passes.give(this.#items.user(call.session, call.object)))
    } else if (poll) call.ok(false)
    else {
      const putter: Putter = { call, bytes, how }
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
    this.#accept(frame.payload, plainly)
  }

  /** A producer whose pass ran out while it wrote asks whether that still counted. */
  #confirm(call: Call): void {
    const [sequence] = call.args as [number]
    const user = this.#items.user(call.session, call.object)
    if (user.refused !== 0 && sequence >= user.refused) call.fail(this.#closedError())
    else call.ok(this.#passes.give(user))
  }

  #accept(bytes: Uint8Array, how: PutHow): void {
    this.#intake.add(this.#items, bytes, how)
    if (this.#handing) return
    this.#handing = true
    queueMicrotask(() => this.#handOut())
  }

  #retry(call: Call): void {
    if (this.#closing.state !== 'open') {
      call.fail(this.#closedError())
      return
    }
    const item = this.#items.dead.take((call.args as [string])[0])
    if (item !== undefined) this.#accept(item.bytes, this.#intake.again(item))
    call.ok(item !== undefined)
  }

  /** Once for all items that have come together: to who waits, to who is quick, and the producers hear that they may go on. */
  #handOut(): void {
    this.#handing = false
    if (this.#getters.size > 0) this.#serve()
    this.#items.fillAnyone()
    if (this.#closing.state === 'open') this.#passes.renew(this.#items.users)
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
    const { waiting, delayed } = this.#items
    if (this.#closing.state !== 'closed' || waiting + delayed > 0 || this.#items.outElsewhere(user)) return null
    return this.#closedError()
  }

  /** Gives room to who waits for it, items to who waits for them, and the end to who waits in vain. */
  #serve(): void {
    if (this.#purgers.size > 0 && !this.#items.recalling) this.#answerPurgers()
    for (const putter of this.#putters) {
      if (this.#full) break
      this.#putters.delete(putter)
      this.#intake.add(this.#items, putter.bytes, putter.how)
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
