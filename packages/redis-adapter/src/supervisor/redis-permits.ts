/**
 * Lock, RLock, RWLock and Semaphore on one Redis: this program's share of the object. Speaks the protocol of the local permits with
 * its clients, and one script family with Redis, where the one line of all programs stands.
 *
 * A grant reaches a waiting request by a message of whoever gave way; each beat the request asks again under the same id, for
 * messages that were lost. Whatever a process holds or waits for here is this object's to give back when the process ends.
 */
import { BrokerObject, type Call, type Methods, type ObjectKind, type Session } from '@skein/core/adapter'
import { ConflictError, ConnectionError, StateError } from '@skein/core'
import { answer } from './answer.ts'
import { Drops } from './permits-drops.ts'
import { Undertaker } from './permits-dead.ts'
import { delayOf, Patience } from './permits-patience.ts'
import { type Ask, type Grant, sidOf } from './permits-requests.ts'
import { type AcquireAnswer, type Holder, PermitScripts } from './permits-scripts.ts'
import type { Surround } from './surround.ts'

export interface PermitsSpec {
  readonly permits: number
  /** `false`: they belong to nobody; see `RedisCounter`. */
  readonly owned?: boolean
}

export class RedisPermits extends BrokerObject {
  readonly #total: number
  readonly #around: Surround
  readonly #scripts: PermitScripts
  readonly #drops: Drops
  /** Those that Redis is asked about, in the order of asking. */
  readonly #asks = new Map<string, Ask>()
  /** Those without a session of this program to ask under. */
  readonly #orphans = new Set<Ask>()
  /** Those of processes that are stopped. */
  readonly #parked = new Map<Session, Set<Ask>>()
  readonly #grants = new Map<number, Grant>()
  readonly #undertaker: Undertaker
  readonly #listening: readonly (() => void)[]
  #known = false
  #timer: NodeJS.Timeout | null = null
  readonly #patience: Patience

  constructor(kind: ObjectKind, name: string, spec: PermitsSpec, around: Surround) {
    super(kind, name)
    this.#total = spec.permits
    this.#around = around
    this.#scripts = new PermitScripts(kind, name, spec.permits, around)
    this.#drops = new Drops((rids) => this.#scripts.drop(rids))
    this.#patience = new Patience(around.outage)
    this.#undertaker = new Undertaker(this.#scripts, around)
    const { store, wakes, session, deaths } = around
    this.#listening = [
      wakes.on(this.#scripts.tag, (letter, rest) => this.#woken(letter, rest)),
      wakes.onResubscribed(() => this.#lookAgain()),
      store.onConnected(() => this.#lookAgain()),
      deaths.onDeath((sids) => {
        if (this.#asks.size > 0) void this.#undertaker.take(sids)
      }),
      session.onLost((old) => this.#lost(old)),
      session.onReborn(() => this.#reborn()),
    ]
  }

  protected override readonly methods: Methods = {
    acquire: (call) => {
      const [permits, poll] = call.args as [number, boolean]
      const ask: Ask = { call, permits, poll, rid: '', asking: false, inLine: false, since: performance.now() }
      call.waits(() => this.#withdraw(ask))
      this.#enter(ask)
    },
    release: (call) => {
      const [token] = call.args as [number]
      call.ok(this.#giveBack(call.session, token))
    },
    value: (call) => {
      this.#drops.flush()
      void answer(call, async () => (await this.#scripts.look()).free)
    },
    holder: (call) => {
      const [permits] = call.args as [number | undefined]
      this.#drops.flush()
      void answer(call, () => this.#holder(permits))
    },
  }

  override call(method: string, call: Call): void {
    if (method !== 'destroy') {
      super.call(method, call)
      return
    }
    this.#drops.flush()
    void answer(
      call,
      () => this.#scripts.destroy(call.session.process.name),
      () => super.call(method, call),
    )
  }

  override post(session: Session, _object: number, _method: string, args: readonly unknown[]): void {
    this.#giveBack(session, (args as [number])[0])
  }

  override check(spec: unknown): void {
    const { permits, owned } = spec as PermitsSpec
    const asked = owned === false ? 0 : permits
    if (asked !== this.#total) throw this.#conflict(this.#total, asked)
  }

  override leave(session: Session): void {
    this.#parked.delete(session)
    for (const ask of this.#orphans) if (ask.call.session === session) this.#orphans.delete(ask)
    this.#takeFrom(session)
  }

  /** The process is stopped: it loses what it holds, and its place in line until it goes on. */
  override suspend(session: Session): void {
    this.#parked.set(session, this.#takeFrom(session))
  }

  override resume(session: Session): void {
    const waiting = this.#parked.get(session)
    this.#parked.delete(session)
    if (waiting !== undefined) this.#enterAll(waiting)
  }

  override end(reason: Error): void {
    for (const stop of this.#listening) stop()
    const parked = [...this.#parked.values()].flatMap((asks) => [...asks])
    const all = [...this.#asks.values(), ...this.#orphans, ...parked]
    // A request that crosses the destroying stands in line for the next object of this name.
    for (const rid of this.#asks.keys()) this.#drops.add(rid)
    this.#asks.clear()
    this.#orphans.clear()
    this.#parked.clear()
    this.#grants.clear()
    this.#drops.flush()
    for (const { call } of all) call.fail(reason)
    if (this.#known && this.#around.owned.has(this.kind, this.name)) void this.#erase()
  }

  /** The process of this program that made it has ended, and with it the object. */
  async #erase(): Promise<void> {
    try {
      await this.#scripts.destroy('')
      this.#around.owned.remove(this.kind, this.name)
    } catch {
      // It stays on the list of what this program owns, which is worked off at the session's end.
    }
  }

  #enter(ask: Ask): void {
    const parked = this.#parked.get(ask.call.session)
    if (parked !== undefined) {
      parked.add(ask)
      return
    }
    if (this.#delay > 0) {
      // Somebody may have it of whom Redis knows nothing any more: not now.
      if (ask.poll && this.#delay !== Number.POSITIVE_INFINITY) this.#settle(ask).ok(null)
      else this.#orphans.add(ask)
      this.#arm()
      return
    }
    ask.rid = this.#around.session.rid(ask.call.session)
    ask.inLine = false
    this.#asks.set(ask.rid, ask)
    void this.#ask(ask)
  }

  #enterAll(waiting: Set<Ask>): void {
    const all = [...waiting]
    waiting.clear()
    for (const ask of all) this.#enter(ask)
  }

  get #delay(): number {
    return delayOf(this.#around.session)
  }

  async #ask(ask: Ask): Promise<void> {
    const { rid, call, permits, poll } = ask
    if (!this.#known && this.name.startsWith('~')) this.#around.owned.add(this.kind, this.name)
    this.#known = true
    // What this program gave back before comes before what it asks for now.
    this.#drops.flush()
    ask.asking = true
    this.#arm()
    const { id, name, pid, host } = call.session.process
    const how = poll ? 'poll' : ask.inLine ? 'again' : 'wait'
    let answered: AcquireAnswer
    try {
      answered = await this.#scripts.acquire(rid, permits, { process: id, name, pid, host }, how)
    } catch (error) {
      this.#refused(ask, rid, error as Error)
      return
    } finally {
      ask.asking = false
    }
    this.#patience.reached()
    // A message was faster, or the request was taken back meanwhile, which has sent a drop behind this script.
    if (this.#asks.get(rid) !== ask) return
    ask.inLine = answered.kind === 'waits'
    if (answered.kind === 'granted') this.#grant(ask, answered.token)
    else if (answered.kind === 'conflict') this.#settle(ask).fail(this.#conflict(answered.permits, this.#total))
    else if (await this.#undertaker.clear(answered.sids)) this.#again(ask)
    else if (poll && this.#asks.get(rid) === ask) this.#settle(ask).ok(null)
  }

  /** Asks again under the same id, unless it is settled or being asked about. */
  #again(ask: Ask): void {
    if (this.#asks.get(ask.rid) === ask && !ask.asking) void this.#ask(ask)
  }

  #refused(ask: Ask, rid: string, error: Error): void {
    if (this.#asks.get(rid) !== ask) return
    // Asked again as soon as there is a connection.
    if (error instanceof ConnectionError && !ask.poll) return
    // It may have been granted for all that is known: the answer to an earlier sending may be lost.
    this.#drops.add(rid)
    this.#settle(ask).fail(error)
  }

  #grant(ask: Ask, token: number): void {
    const { session } = ask.call
    this.#grants.set(token, { session, rid: ask.rid })
    this.#settle(ask).ok(token)
  }

  #settle(ask: Ask): Call {
    this.#asks.delete(ask.rid)
    return ask.call
  }

  /** The caller has given up, or has ended. */
  #withdraw(ask: Ask): void {
    this.#orphans.delete(ask)
    this.#parked.get(ask.call.session)?.delete(ask)
    if (this.#asks.get(ask.rid) !== ask) return
    this.#asks.delete(ask.rid)
    this.#drops.add(ask.rid)
  }

  #giveBack(session: Session, token: number): boolean {
    const grant = this.#grants.get(token)
    if (grant === undefined || grant.session !== session) return false
    this.#grants.delete(token)
    this.#drops.add(grant.rid)
    this.#arm()
    return true
  }

  /** Gives back what a process holds, and takes it out of the line. What it waited for. */
  #takeFrom(session: Session): Set<Ask> {
    for (const [token, grant] of this.#grants) if (grant.session === session) this.#giveBack(session, token)
    const waiting = new Set([...this.#asks.values()].filter((ask) => ask.call.session === session))
    for (const ask of waiting) this.#withdraw(ask)
    this.#arm()
    return waiting
  }

  #woken(letter: string, rest: string): void {
    if (letter === 'g') {
      const [rid = '', token] = rest.split(' ')
      const ask = this.#asks.get(rid)
      if (ask !== undefined) this.#grant(ask, Number(token))
      // Taken back before, mostly with a drop on its way. Without one nobody else could ever give this back.
      else if (this.#grants.get(Number(token))?.rid !== rid) this.#drops.add(rid)
      this.#arm()
      return
    }
    const [sid, ...by] = rest.split(' ')
    // This program's own destroying has told everybody here; the name may belong to a new object since.
    if (letter !== 'x' || sid === this.#around.session.sid) return
    const how = by.length === 0 ? 'ended with its creator' : `was destroyed by ${by.join(' ')}`
    this.remove?.(new StateError(`${this.label} ${how}`))
  }

  #lost(old: string): void {
    if (this.#known) this.#undertaker.note(old)
    this.#grants.clear()
    this.#drops.clear()
    for (const ask of this.#asks.values()) this.#orphans.add(ask)
    this.#asks.clear()
    this.#arm()
  }

  #reborn(): void {
    // Asked under a session that was lost before this object could hear of it.
    for (const ask of this.#asks.values()) {
      if (sidOf(ask.rid) === this.#around.session.sid) continue
      this.#asks.delete(ask.rid)
      this.#undertaker.note(sidOf(ask.rid))
      this.#orphans.add(ask)
    }
    void this.#undertaker.bury()
    this.#enterAll(this.#orphans)
  }

  /** Looks again in a beat, as long as something here is not settled. */
  #arm(): void {
    if (this.#timer !== null) return
    if (this.#asks.size + this.#orphans.size === 0 && !this.#undertaker.busy && !this.#drops.pending) return
    const { beat } = this.#around
    const look = (): void => {
      this.#timer = null
      this.#lookAgain()
    }
    this.#timer = setTimeout(look, this.#delay > 0 ? Math.min(beat, this.#delay) : beat)
  }

  #lookAgain(): void {
    this.#arm()
    if (this.#around.store.state !== 'connected') {
      this.#waitOut()
      return
    }
    this.#patience.reached()
    void this.#undertaker.bury()
    this.#drops.again()
    if (this.#delay !== Number.POSITIVE_INFINITY) this.#enterAll(this.#orphans)
    else this.#waitOut()
    for (const ask of this.#asks.values()) this.#again(ask)
  }

  /** Fails those that have waited too long for the connection, or without one for a session. */
  #waitOut(): void {
    const away = this.#around.store.state === 'connected' ? null : this.#patience.away(this.label)
    for (const ask of this.#orphans) this.#giveUp(ask, away ?? this.#patience.without(this.label, ask))
    for (const ask of this.#asks.values()) this.#giveUp(ask, away)
  }

  #giveUp(ask: Ask, why: ConnectionError | null): void {
    if (why === null) return
    this.#withdraw(ask)
    ask.call.fail(why)
  }

  /** Who was granted first. @param asked null unless it was so many permits */
  async #holder(asked: number | undefined): Promise<Holder | null> {
    let look = await this.#scripts.look()
    if (look.holder !== null && (await this.#undertaker.clear([look.sid]))) look = await this.#scripts.look()
    return asked === undefined || look.permits === asked ? look.holder : null
  }

  /** 0 stands for permits that belong to nobody. */
  #conflict(there: number, asked: number): ConflictError {
    const what = (permits: number): string => (permits === 0 ? 'permits that belong to nobody' : `${permits} permits`)
    const mend = 'use the same options or another name'
    return new ConflictError(`${this.label} exists with ${what(there)}, ${what(asked)} were asked for; ${mend}`)
  }
}
