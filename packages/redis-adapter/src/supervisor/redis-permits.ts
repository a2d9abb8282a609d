/**
 * Lock, RLock, RWLock and Semaphore on one Redis: this program's share of the object. Speaks the protocol of the local permits with
 * its clients, and one script family with Redis, where the one line of all programs stands.
 *
 * A grant reaches a waiting request by a message of whoever gave way, within a program with the answer to that; each beat the request
 * asks again under the same id, for what was lost. Whatever a process holds or waits for here is this object's to give back when the process ends.
 */
import { BrokerObject, type Frame, type Methods, type ObjectKind, op, type Session } from '@skein/core/adapter'
import { ConnectionError, NotHeldError, StateError } from '@skein/core'
import { answer } from './answer.ts'
import { Errands } from './errands.ts'
import { Asks } from './permits-asks.ts'
import { Drops } from './permits-drops.ts'
import { Undertaker } from './permits-dead.ts'
import { delayOf, Patience } from './permits-patience.ts'
import { Grants } from './permits-grants.ts'
import { type Ask, conflictOf } from './permits-requests.ts'
import { type AcquireAnswer, type Holder, PermitScripts } from './permits-scripts.ts'
import type { Surround } from './surround.ts'

export interface PermitsSpec {
  readonly permits: number
  /** `false`: they belong to nobody; see `RedisCounter`. */
  readonly owned?: boolean
}

export class RedisPermits extends BrokerObject {
  /** Those whose lock it is: they end with it. */
  readonly conditions: Set<BrokerObject> = new Set()
  readonly scripts: PermitScripts
  readonly grants: Grants
  readonly #total: number
  readonly #around: Surround
  readonly #drops: Drops
  readonly #asks: Asks
  readonly #undertaker: Undertaker
  readonly #listening: readonly (() => void)[]
  #known = false
  #over = false
  #timer: NodeJS.Timeout | null = null
  readonly #patience: Patience

  constructor(kind: ObjectKind, name: string, spec: PermitsSpec, around: Surround) {
    super(kind, name)
    this.#total = spec.permits
    this.#around = around
    this.scripts = new PermitScripts(kind, name, spec.permits, around)
    this.#drops = new Drops((rids) => this.#drop(rids))
    this.grants = new Grants(this.#drops)
    this.#patience = new Patience(around.outage)
    this.#undertaker = new Undertaker(this.scripts, around)
    this.#asks = new Asks(around.session, (ask) => void this.#ask(ask))
    const { store, wakes, session, deaths } = around
    this.#listening = [
      wakes.on(this.scripts.tag, (letter, rest) => this.#woken(letter, rest)),
      wakes.onResubscribed(() => this.#lookAgain()),
      store.onConnected(() => this.#lookAgain()),
      deaths.onDeath((sids) => {
        if (this.#asks.asked.size > 0) void this.#undertaker.take(sids)
      }),
      session.onLost((old) => this.#lost(old)),
      session.onReborn(() => this.#reborn()),
    ]
  }

  protected override readonly methods: Methods = {
    acquire: (call) => {
      const [permits, poll] = call.args as [number, boolean]
      this.enter({
        call,
        permits,
        poll,
        waiting: null,
        granted: (token) => call.ok(token),
        failed: (error) => call.fail(error),
      })
    },
    value: (call) => {
      this.#drops.flush()
      void answer(call, async () => (await this.scripts.look()).free)
    },
    holder: (call) => {
      const [permits] = call.args as [number | undefined]
      this.#drops.flush()
      void answer(call, () => this.#holder(permits))
    },
  }

  protected override async erase(by: string): Promise<void> {
    this.#drops.flush()
    await this.scripts.destroy(by)
  }

  override frame(session: Session, frame: Frame): void {
    if (frame.op === op.release) this.giveBack(session, frame.f64(0), frame.b === 1)
    else super.frame(session, frame)
  }

  override check(spec: unknown): void {
    const { permits, owned } = spec as PermitsSpec
    const asked = owned === false ? 0 : permits
    if (asked !== this.#total) throw conflictOf(this.label, this.#total, asked)
  }

  override leave(session: Session): void {
    this.#asks.forget(session)
    this.#takeFrom(session)
  }

  /** The process is stopped: it loses what it holds, and its place in line until it goes on. */
  override suspend(session: Session): void {
    this.#asks.park(session, this.#takeFrom(session))
  }

  override resume(session: Session): void {
    this.#asks.resume(session)
    this.#arm()
  }

  override end(reason: Error): void {
    this.#over = true
    for (const stop of this.#listening) stop()
    // A request that crosses the destroying stands in line for the next object of this name.
    for (const ask of this.#asks.asked.values()) this.#abandon(ask)
    // It may be there still, and only out of this program's sight.
    this.grants.takeAll()
    this.#drops.flush()
    this.#arm()
    for (const ask of this.#asks.drain()) ask.failed(reason)
    if (this.#known && this.#around.owned.has(this.kind, this.name)) new Errands().insist(() => this.#endOwned())
    for (const condition of this.conditions) condition.remove?.(reason)
  }

  /** The process of this program that made it has ended, and with it the object. */
  async #endOwned(): Promise<void> {
    await this.erase('')
    // Until then it stays written down as this program's.
    this.#around.owned.remove(this.kind, this.name)
  }

  /** Has it asked for, until it is settled or withdrawn. */
  enter(what: Pick<Ask, 'call' | 'permits' | 'poll' | 'waiting' | 'granted' | 'failed'>): Ask {
    const ask: Ask = { ...what, rid: '', asking: false, inLine: false, since: performance.now() }
    ask.call.waits(() => this.withdraw(ask))
    this.#asks.enter(ask)
    this.#arm()
    return ask
  }

  /** The caller has given up, or has ended. */
  withdraw(ask: Ask): void {
    const token = this.#asks.unconfirmed.get(ask)
    if (this.#asks.remove(ask)) this.#abandon(ask)
    else if (token !== undefined && this.#asks.unconfirmed.delete(ask)) this.giveBack(ask.call.session, token, true)
  }

  /** Asks again under the same id, unless it is settled or being asked about. */
  again(ask: Ask): void {
    if (this.#asks.has(ask) && !ask.asking) void this.#ask(ask)
  }

  async #ask(ask: Ask): Promise<void> {
    const { rid, call, permits, poll, waiting } = ask
    if (!this.#known && this.name.startsWith('~')) this.#around.owned.add(this.kind, this.name)
    this.#known = true
    // What this program gave back before comes before what it asks for now.
    this.#drops.flush()
    ask.asking = true
    this.#arm()
    const { process } = call.session
    const leaving = waiting?.leaving === true
    let answered: AcquireAnswer
    try {
      answered =
        waiting?.held == null
          ? await this.scripts.acquire(rid, permits, process, {
              mode: poll ? 'poll' : leaving ? 'leave' : 'wait',
              again: ask.inLine,
            })
          : await this.scripts.wait(rid, permits, process, waiting.condition, waiting.held)
    } catch (error) {
      this.#refused(ask, rid, error as Error)
      return
    } finally {
      ask.asking = false
    }
    this.#patience.reached()
    // A message was faster, or the request was taken back meanwhile, which has sent a drop behind this script.
    if (!this.#asks.has(ask, rid)) return
    ask.inLine = answered.kind === 'waits'
    if (waiting !== null) {
      waiting.held = null
      waiting.begun?.(true)
    }
    if (answered.kind === 'granted') this.#grant(ask, answered.token, answered.notified)
    else if (answered.kind === 'lost') this.#fail(ask, new NotHeldError(`${this.label} was lost before the wait`))
    else if (answered.kind === 'conflict') this.#fail(ask, conflictOf(this.label, answered.permits, this.#total))
    else if (await this.#undertaker.clear(answered.sids)) this.again(ask)
    else if (poll && this.#asks.remove(ask)) call.ok(null)
    else if (!leaving && waiting?.leaving === true) this.again(ask)
  }

  #refused(ask: Ask, rid: string, error: Error): void {
    if (!this.#asks.has(ask, rid)) return
    // Asked again as soon as there is a connection.
    if (error instanceof ConnectionError && !ask.poll) {
      if (ask.waiting?.held === '') ask.waiting.begun?.(false)
      return
    }
    // It may have been granted for all that is known: the answer to an earlier sending may be lost.
    this.#abandon(ask)
    this.#fail(ask, error)
  }

  #grant(ask: Ask, token: number, notified: boolean): void {
    this.grants.add(token, ask.call.session, ask.rid)
    this.#asks.remove(ask)
    if (this.#around.replication === null) ask.granted(token, notified)
    else void this.#confirm(ask, token, notified)
  }

  /** Tells of the grant as soon as it would outlive the server. */
  async #confirm(ask: Ask, token: number, notified: boolean): Promise<void> {
    this.#asks.unconfirmed.set(ask, token)
    const why = (await this.#around.replication?.lacking(this.label)) ?? null
    // Withdrawn meanwhile, or the object is no more. What is only lost, as by a process that was stopped, is asked for again.
    if (!this.#asks.unconfirmed.delete(ask)) return
    if (!this.grants.has(token, ask.rid)) {
      this.#asks.enter(ask)
      this.#arm()
    } else if (why === null) ask.granted(token, notified)
    else if (this.giveBack(ask.call.session, token, true)) ask.failed(why)
  }

  #fail(ask: Ask, error: Error): void {
    this.#asks.remove(ask)
    ask.failed(error)
  }

  /** Whatever has become of it in Redis, nobody here will make use of it. */
  #abandon({ rid, waiting }: Ask): void {
    this.#drops.add(rid, true)
    const held = waiting?.held ?? ''
    if (held !== '') this.#drops.add(held, true)
  }

  /** @param unused see `Grants` */
  giveBack(session: Session, token: number, unused: boolean): boolean {
    const given = this.grants.giveBack(session, token, unused)
    if (given) this.#arm()
    return given
  }

  /** Gives back what a process holds, and takes it out of the line. What it waited for. */
  #takeFrom(session: Session): Set<Ask> {
    this.grants.takeFrom(session)
    const waiting = this.#asks.of(session)
    for (const ask of waiting) this.withdraw(ask)
    this.#arm()
    return waiting
  }

  /** What this program gives back it may be granted at once: that comes with the answer, ahead of any message. */
  async #drop(rids: readonly string[]): Promise<void> {
    const grants = await this.scripts.drop(rids)
    // Else they are for the next object of this name, which finds them when it looks again.
    if (!this.#over) for (const granted of grants) this.#woken('g', granted)
  }

  #woken(letter: string, rest: string): void {
    if (letter === 'g') {
      const [rid = '', token, notified] = rest.split(' ')
      const ask = this.#asks.asked.get(rid)
      // A server that may have forgotten what others hold is asked again, when it is sure that it has not, or the session is another one.
      if (ask !== undefined && this.scripts.state !== 'connected') this.#arm()
      else if (ask !== undefined) this.#grant(ask, Number(token), notified !== undefined)
      // Taken back before, mostly with a drop on its way. Without one nobody else could ever give this back.
      else if (!this.grants.has(Number(token), rid)) this.#drops.add(rid, true)
      this.#arm()
      return
    }
    const [sid, ...by] = rest.split(' ')
    // This program's own destroying has told everybody here; the name may belong to a new object since.
    if (letter !== 'x' || sid === this.#around.session.sid) return
    const how = by.join('') === '' ? 'ended with its creator' : `was destroyed by ${by.join(' ')}`
    this.remove?.(new StateError(`${this.label} ${how}`))
  }

  #lost(old: string): void {
    if (this.#known) this.#undertaker.note(old)
    this.grants.clear()
    this.#drops.clear()
    this.#asks.lose()
    this.#arm()
  }

  #reborn(): void {
    for (const sid of this.#asks.loseStale()) this.#undertaker.note(sid)
    void this.#undertaker.bury()
    this.#asks.enterOrphans()
  }

  /** Looks again in a beat, as long as something here is not settled. */
  #arm(): void {
    if (this.#timer !== null) return
    if (this.#asks.size === 0 && !this.#undertaker.busy && !this.#drops.pending) return
    const { beat, session } = this.#around
    const look = (): void => {
      this.#timer = null
      this.#lookAgain()
    }
    const delay = delayOf(session)
    this.#timer = setTimeout(look, delay > 0 ? Math.min(beat, delay) : beat)
  }

  #lookAgain(): void {
    this.#arm()
    if (this.scripts.state !== 'connected') {
      this.#waitOut()
      return
    }
    this.#patience.reached()
    void this.#undertaker.bury()
    this.#drops.again()
    if (delayOf(this.#around.session) !== Number.POSITIVE_INFINITY) this.#asks.enterOrphans()
    else this.#waitOut()
    for (const ask of this.#asks.asked.values()) this.again(ask)
  }

  /** Fails those that have waited too long for the connection, or without one for a session. */
  #waitOut(): void {
    const away = this.scripts.state === 'connected' ? null : this.#patience.away(this.label)
    for (const ask of this.#asks.orphans) this.#giveUp(ask, away ?? this.#patience.without(this.label, ask))
    for (const ask of this.#asks.asked.values()) this.#giveUp(ask, away)
  }

  #giveUp(ask: Ask, why: ConnectionError | null): void {
    if (why === null) return
    this.withdraw(ask)
    ask.failed(why)
  }

  /** Who was granted first. @param asked null unless it was so many permits */
  async #holder(asked: number | undefined): Promise<Holder | null> {
    let look = await this.scripts.look()
    if (look.holder !== null && (await this.#undertaker.clear([look.sid]))) look = await this.scripts.look()
    return asked === undefined || look.permits === asked ? look.holder : null
  }
}
