/**
 * The requests of this program's processes for one object that are not settled, and where each of them is: asked about in Redis, without
 * a session of this program to be asked under, or of a process that is stopped.
 */
import type { Session } from '@skein/core/adapter'
import { delayOf } from './permits-patience.ts'
import { type Ask, sidOf } from './permits-requests.ts'
import type { ProgramSession } from './surround.ts'

export class Asks {
  /** Those that Redis is asked about, by id, in the order of asking. */
  readonly asked: Map<string, Ask> = new Map()
  readonly orphans: Set<Ask> = new Set()
  /** Granted, by these tokens, and not told of before replicas have confirmed it. */
  readonly unconfirmed: Map<Ask, number> = new Map()
  readonly #parked = new Map<Session, Set<Ask>>()
  readonly #session: ProgramSession
  readonly #ask: (ask: Ask) => void

  /** @param ask what is to be done with each that has an id */
  constructor(session: ProgramSession, ask: (ask: Ask) => void) {
    this.#session = session
    this.#ask = ask
  }

  /** How many wait for Redis. */
  get size(): number {
    return this.asked.size + this.orphans.size
  }

  /** Has it asked about under a new id, at the end of the line, as soon as that can be. */
  enter(ask: Ask): void {
    const { waiting, call } = ask
    const parked = this.#parked.get(call.session)
    const delay = delayOf(this.#session)
    // What it would have given back is lost.
    if (waiting !== null && (ask.rid !== '' || delay === Number.POSITIVE_INFINITY)) {
      waiting.held = null
      waiting.begun?.(true)
    }
    if (parked !== undefined) parked.add(ask)
    else if (delay <= 0 || waiting?.held != null) {
      ask.rid = this.#session.rid(call.session)
      ask.inLine = false
      this.asked.set(ask.rid, ask)
      this.#ask(ask)
    }
    // Somebody may have it of whom Redis knows nothing any more: not now.
    else if (ask.poll && delay !== Number.POSITIVE_INFINITY) call.ok(null)
    else this.orphans.add(ask)
  }

  enterOrphans(): void {
    this.#enterAll(this.orphans)
  }

  /** Whether it is asked about under this id. */
  has(ask: Ask, rid: string = ask.rid): boolean {
    return this.asked.get(rid) === ask
  }

  /** Whether it was asked about. */
  remove(ask: Ask): boolean {
    this.orphans.delete(ask)
    this.#parked.get(ask.call.session)?.delete(ask)
    return this.has(ask) && this.asked.delete(ask.rid)
  }

  of(session: Session): Set<Ask> {
    return new Set([...this.asked.values()].filter((ask) => ask.call.session === session))
  }

  /** The process is stopped; what it asks for meanwhile is kept with these. */
  park(session: Session, asks: Set<Ask>): void {
    this.#parked.set(session, asks)
  }

  /** It goes on. */
  resume(session: Session): void {
    const waiting = this.#parked.get(session)
    this.#parked.delete(session)
    if (waiting !== undefined) this.#enterAll(waiting)
  }

  /** It has ended. */
  forget(session: Session): void {
    this.#parked.delete(session)
    for (const ask of this.orphans) if (ask.call.session === session) this.orphans.delete(ask)
  }

  /** The program's session is lost. */
  lose(): void {
    for (const ask of this.asked.values()) this.orphans.add(ask)
    this.asked.clear()
  }

  /** Those that are asked about under a session which was lost before the object could hear of it. Which sessions these are. */
  loseStale(): Set<string> {
    const stale = new Set<string>()
    for (const ask of this.asked.values()) {
      if (sidOf(ask.rid) === this.#session.sid) continue
      this.asked.delete(ask.rid)
      stale.add(sidOf(ask.rid))
      this.orphans.add(ask)
    }
    return stale
  }

  /** All of them. */
  drain(): Ask[] {
    const parked = [...this.#parked.values()].flatMap((asks) => [...asks])
    const all = [...this.asked.values(), ...this.orphans, ...this.unconfirmed.keys(), ...parked]
    this.asked.clear()
    this.orphans.clear()
    this.unconfirmed.clear()
    this.#parked.clear()
    return all
  }

  #enterAll(waiting: Set<Ask>): void {
    const all = [...waiting]
    waiting.clear()
    for (const ask of all) this.enter(ask)
  }
}
