/**
 * A queue in Redis, as this program's supervisor has it: who puts, who waits, who holds what. The items and the lines of all programs are in
 * Redis, see `scripts/q-*.lua`; what a process of this program holds hangs on its session here and is given back when that ends.
 */
import { ConnectionError, StateError } from '@skein/core'
import {
  BrokerObject,
  type Call,
  type Frame,
  type Methods,
  type QueueShape,
  type Session,
  shapeConflict,
} from '@skein/core/adapter'
import { Deliveries, type QueueUser } from './deliveries.ts'
import { Errands } from './errands.ts'
import { Fetcher } from './fetcher.ts'
import { QueueCommands } from './queue-commands.ts'
import { Line } from './line.ts'
import { Lines } from './lines.ts'
import { QueueEnd } from './queue-end.ts'
import { EarlyCalls } from './early-calls.ts'
import { joinRequest, putRequest, retry } from './queue-requests.ts'
import { type Surround, tagOf } from './surround.ts'
import { Suspects } from './suspects.ts'

export class RedisQueueObject extends BrokerObject {
  readonly #spec: QueueShape
  readonly #around: Surround
  readonly #commands: QueueCommands
  readonly #errands = new Errands()
  readonly #fetcher: Fetcher
  readonly #putters: Line
  readonly #joiners: Line
  readonly #lines: Lines
  readonly #deliveries: Deliveries
  /** Processes that are stopped: what they asked for waits with them. */
  readonly #stopped = new Set<Session>()
  readonly #stops: readonly (() => void)[]
  /** Made by a process of this program, and nameless: ends with it. */
  readonly #ours: boolean
  readonly #suspects: Suspects
  readonly #early = new EarlyCalls()
  readonly #end: QueueEnd
  /** How often the connection has come back: an answer across that may be the second one. */
  #connections = 0
  /** Somebody is about to join by the queue's name. */
  #named = false
  #over = false
  #lastSid: string

  /**
   * @param creator the session whose process names the queue for the first time here
   * @param attached it has it from elsewhere
   */
  constructor(
    name: string,
    spec: QueueShape,
    around: Surround,
    creator: Session | null = null,
    attached: boolean = false,
  ) {
    super('queue', name)
    this.#spec = spec
    this.#around = around
    const anonymous = name.startsWith('~')
    const maker = name.slice(1, name.lastIndexOf('-'))
    this.#ours = anonymous && (creator === null || creator.process.id === maker)
    if (this.#ours) around.owned.add('queue', name)
    const { session, store, wakes, deaths, outage } = around
    const commands = new QueueCommands(around, tagOf('queue', name), spec, (letter, rid) => this.#woken(letter, rid))
    this.#commands = commands
    this.#deliveries = new Deliveries({
      label: this.label,
      most: spec.maxDeliveries,
      commands,
      errands: this.#errands,
      session,
      connections: () => this.#connections,
    })
    this.#end = new QueueEnd(this.label, this.#deliveries)
    const reap = (dead: readonly string[]): void => this.#errands.run(() => commands.reap(dead))
    this.#suspects = new Suspects(around, reap)
    const rid = (of: Session): string => session.rid(of)
    const back = (given: string): void => this.#errands.run(() => commands.back([given], false))
    this.#fetcher = new Fetcher({
      rid,
      outage,
      giveUp: back,
      back,
      hand: (user, call, job) => this.#deliveries.hand(user, call, job),
      ahead: (user, job) => this.#deliveries.ahead(user, job),
      fetch: (given, mode) => commands.fetch(given, mode),
      suspect: (others) => this.#suspects.look(others),
      closed: () => this.#end.heard(),
    })
    const giveUp = (given: string, asking: boolean, of: Session): void => {
      // It may be an item that was fetched with its put.
      this.#fetcher.putBack()
      // What a process put just before it ended stays put.
      if (!asking || !of.over) this.#errands.run(() => commands.leave([given]))
    }
    this.#putters = new Line({ rid, outage, giveUp, lasting: true })
    this.#joiners = new Line({ rid, outage, giveUp })
    this.#lines = new Lines([this.#fetcher.line, this.#putters, this.#joiners], around.beat)
    this.#stops = [
      store.onConnected(() => {
        this.#connections += 1
        this.#errands.again()
        this.#lines.wakeAll()
      }),
      wakes.onResubscribed(() => this.#lines.wakeAll()),
      deaths.onDeath(reap),
      session.onLost(() => {
        this.#fetcher.putBack()
        this.#deliveries.lose()
      }),
      session.onReborn(() => this.#reborn()),
    ]
    this.#lastSid = session.sid
    this.#open(attached)
  }

  protected override readonly methods: Methods = {
    put: (call) => this.#put(call),
    get: (call) => {
      const user = this.#userOf(call)
      if (user !== null) this.#lines.wait(() => this.#fetcher.get(call, user, call.args[0] === true))
    },
    ack: (call) => void this.#deliveries.ack(call),
    nack: (call) => void this.#deliveries.nack(call),
    size: (call) => this.#ask(call, async () => (await this.#commands.size()).waiting),
    full: (call) => this.#ask(call, async () => (await this.#commands.size()).total >= this.#spec.maxSize),
    purge: (call) => this.#ask(call, () => this.#commands.purge()),
    dead: (call) => this.#ask(call, () => this.#commands.dead()),
    retry: (call) => this.#ask(call, () => retry(this.#commands, call, () => this.#end.heard())),
    clear: (call) => this.#ask(call, () => this.#commands.clear()),
    join: (call) =>
      this.#lines.wait(() =>
        this.#joiners.add(joinRequest(call, this.#commands, (others) => this.#suspects.look(others))),
      ),
    close: (call) => this.#ask(call, () => this.#commands.close().then(() => void this.#end.heard())),
  }

  override call(method: string, call: Call): void {
    if (this.#early.awaited) {
      this.#early.keep(method, call)
      return
    }
    if (method !== 'put' && method !== 'get' && method !== 'ack') this.#fetcher.putBack()
    super.call(method, call)
  }

  protected override async erase(): Promise<void> {
    await this.#commands.destroy()
  }

  override post(session: Session, object: number, method: string, args: readonly unknown[]): void {
    const user = this.#deliveries.user(session, object)
    if (user === undefined) return
    if (method === 'return') this.#deliveries.returned(user, args[0] as readonly number[])
    else if (method === 'nack') this.#deliveries.nacked(user, args as [number, number, string?])
  }

  override frame(session: Session, frame: Frame): void {
    const user = this.#deliveries.user(session, frame.a)
    if (user === undefined) return
    this.#deliveries.frame(user, frame)
    this.#fetcher.taken()
  }

  override check(spec: unknown): void {
    const conflict = shapeConflict(this.label, this.#spec, spec as QueueShape)
    if (conflict !== null) throw conflict
  }

  /** Whether it is over is known in Redis alone: asked by who names the queue, not by who got it from elsewhere, so `join` looks there. */
  override get finished(): null {
    this.#named = true
    return null
  }

  override join(session: Session, number: number): void {
    this.#deliveries.join(session, number)
    // A queue that was closed may be drained by now: then whoever names it gets a fresh one.
    const named = this.#named
    this.#named = false
    if (named && this.#end.known && !this.#early.awaited) {
      this.#early.await()
      this.#open(false)
    }
  }

  override leave(session: Session): void {
    this.#stopped.delete(session)
    this.#fetcher.putBack()
    this.#deliveries.takeBack(session)
    for (const user of this.#deliveries.users) {
      if (user.session !== session) continue
      this.#deliveries.forget(user)
      this.#end.forget(user)
    }
  }

  /** The process is stopped: what it holds goes back, what it waits for waits with it. */
  override suspend(session: Session): void {
    this.#stopped.add(session)
    this.#fetcher.putBack()
    this.#deliveries.takeBack(session)
    this.#lines.park(session)
  }

  override resume(session: Session): void {
    this.#stopped.delete(session)
    this.#lines.resume(session)
  }

  override end(reason: Error): void {
    this.#over = true
    this.#fetcher.end()
    for (const stop of this.#stops) stop()
    this.#commands.stop()
    const [asked, others] = [this.#fetcher.line.rids, [...this.#putters.rids, ...this.#joiners.rids]]
    this.#lines.end(reason)
    // That of another program may be there still, and only out of this one's sight.
    if (!this.#ours && this.name.startsWith('~')) this.#deliveries.takeAllBack()
    this.#errands.end()
    for (const { call } of this.#early.release()) call.fail(reason)
    // A request that crosses the destroying would stand in the line of the next queue of this name.
    if (asked.length > 0) this.#errands.insist(() => this.#commands.back(asked.toReversed(), false))
    if (others.length > 0) this.#errands.insist(() => this.#commands.leave(others))
    if (this.#ours) this.#errands.insist(() => this.#delete())
  }

  /** Until it is done, the queue stays written down as this program's. */
  async #delete(): Promise<void> {
    await this.#commands.destroy()
    this.#around.owned.remove('queue', this.name)
  }

  // Opening, closing

  #open(attached: boolean): void {
    this.#commands.open(attached).then(
      (answer) => {
        if (this.#over) return
        if (answer.kind === 'shape') {
          this.remove?.(shapeConflict(this.label, answer, this.#spec) as Error)
          return
        }
        if (answer.reopened) this.#end.reopened()
        if (answer.closed) this.#end.heard()
        this.#suspects.look(answer.others)
        this.#begin()
      },
      (error: unknown) => {
        if (this.#over) return
        if (!(error instanceof ConnectionError)) this.remove?.(error as Error)
        // Each call says itself that the connection is gone, when its own time is over; puts check the shape again.
        else this.#begin()
      },
    )
  }

  #begin(): void {
    for (const { method, call } of this.#early.release()) this.call(method, call)
  }

  // Calls

  #put(call: Call): void {
    const user = this.#userOf(call)
    if (user === null) return
    const request = putRequest(call, {
      label: this.label,
      shape: this.#spec,
      send: (rid, bytes, mode, more) =>
        this.#fetcher.put(user, (ahead) => this.#commands.put(rid, bytes, mode, { ...more, ahead })),
      suspect: (others) => this.#suspects.look(others),
      closed: () => this.#end.heard(),
    })
    // What is here ahead of demand was put before, and must be there before.
    this.#fetcher.putBack()
    this.#lines.wait(() => this.#putters.add(request))
  }

  #ask(call: Call, how: () => Promise<unknown>): void {
    how().then(
      (value) => call.ok(value),
      (error: unknown) => call.fail(error as Error),
    )
  }

  #userOf(call: Call): QueueUser | null {
    const user = this.#deliveries.user(call.session, call.object)
    if (user === undefined) call.fail(this.#end.error)
    return user ?? null
  }

  // What others do

  #woken(letter: string, rid: string): void {
    if (letter === 'i') this.#fetcher.line.wake(rid)
    else if (letter === 'r') this.#putters.wake(rid)
    else if (letter === 'j') this.#joiners.wake(rid)
    else if (letter === 'c') {
      this.#fetcher.line.wakeAll()
      this.#putters.wakeAll()
    } else if (letter === 'x') this.remove?.(new StateError(`${this.label} was destroyed by another program`))
  }

  /** Everything of the old sid goes back, then everybody asks anew. */
  #reborn(): void {
    const old = this.#lastSid
    this.#lastSid = this.#around.session.sid
    // What was taken for good is still known under the old name.
    this.#errands.anew()
    this.#errands.run(() => this.#commands.reap([old]))
    this.#lines.reenter(this.#stopped)
  }
}
