/** Requests of this program's processes that one queue has not answered yet: asked again when woken, parked, given up, asked anew after a loss. */
import { ConnectionError } from '@skein/core'
import { type Call, monotonic, type Session } from '@skein/core/adapter'
import type { Mode } from './queue-commands.ts'

export interface Request {
  readonly call: Call
  /** It does not wait. */
  readonly poll: boolean
  /**
   * Asks once.
   *
   * @param former the rids under which it was asked before a loss of the session or a stop of its process: spaces between
   * @returns how to answer the call, or null: it stands in line in Redis now
   */
  ask(rid: string, mode: Mode, former: string): Promise<(() => void) | null>
  /** Answers the call with what a message brought; where answers come that way. */
  told?(text: string): void
}

export interface LineOptions {
  rid(session: Session): string
  /** Takes a request back in Redis, whatever has become of it there. `asking`: its answer is under way. */
  giveUp(rid: string, asking: boolean, session: Session): void
  /** How long a waiting request outlives a lost connection, in ms. */
  readonly outage: number
  /** What a request has done stays done although its process is stopped; asked again, it names what it was asked as before. */
  readonly lasting?: boolean
}

interface Standing {
  readonly request: Request
  /** '' while it is parked. */
  rid: string
  former: string
  asking: boolean
  /** Woken while asking: the answer may be older than the message. */
  again: boolean
  /** When it was asked last. */
  asked: number
  /** Since when the connection is gone for it; 0: it is there. */
  since: number
}

export class Line {
  readonly #options: LineOptions
  readonly #standing = new Set<Standing>()
  readonly #byRid = new Map<string, Standing>()

  constructor(options: LineOptions) {
    this.#options = options
  }

  /** How many wait. */
  get length(): number {
    return this.#standing.size
  }

  /** @param rid under which it was asked for already, for the request's first asking to know of */
  add(request: Request, rid?: string): void {
    const one: Standing = { request, rid: '', former: '', asking: false, again: false, asked: 0, since: 0 }
    this.#standing.add(one)
    request.call.waits(() => this.#cancel(one))
    this.#enter(one, rid)
  }

  /** Something is on its way to Redis that the first may want. */
  hurry(): void {
    const [first] = this.#byRid.values()
    if (first !== undefined && !first.asking) this.#ask(first, 'wait')
  }

  /** Something may be there for this request. */
  wake(rid: string): void {
    const one = this.#byRid.get(rid)
    if (one !== undefined) this.#ask(one, 'wait')
  }

  /** Its answer has come by message, ahead of any further asking. */
  tell(rid: string, text: string): void {
    const one = this.#byRid.get(rid)
    if (one === undefined) return
    this.#remove(one)
    one.request.told?.(text)
  }

  wakeAll(): void {
    for (const one of this.#byRid.values()) this.#ask(one, 'wait')
  }

  /** In case a message was lost: the first that waits asks again, and the next one as well if it was served. */
  look(): void {
    const now = monotonic()
    for (const one of this.#standing) {
      if (one.since !== 0 && now - one.since > this.#options.outage && !one.asking) this.#failLost(one)
    }
    for (const one of this.#byRid.values()) {
      if (one.asking) return
      this.#ask(one, 'look')
      return
    }
  }

  /** The requests of a process that is stopped leave the line and are kept. */
  park(session: Session): void {
    for (const one of this.#standing) {
      if (one.request.call.session !== session || one.rid === '') continue
      const { rid, asking } = one
      this.#void(one)
      if (asking && this.#options.lasting === true) one.former = `${one.former} ${rid}`.trim()
      else this.#options.giveUp(rid, asking, session)
    }
  }

  /** They stand in line again, at its end. */
  resume(session: Session): void {
    for (const one of this.#standing) if (one.request.call.session === session && one.rid === '') this.#enter(one)
  }

  /** The program is known under another name: whoever is not parked asks anew. @param stopped processes whose requests stay parked */
  reenter(stopped: ReadonlySet<Session>): void {
    for (const one of this.#standing) {
      // Any of them may have been done, and its answer lost.
      if (one.rid !== '') one.former = `${one.former} ${one.rid}`.trim()
      this.#void(one)
      if (!stopped.has(one.request.call.session)) this.#enter(one)
    }
  }

  /** The request ids that stand for something now, in order. */
  get rids(): readonly string[] {
    return [...this.#byRid.keys()]
  }

  /** All calls fail. */
  fail(reason: Error): void {
    const all = [...this.#standing]
    this.#standing.clear()
    this.#byRid.clear()
    for (const { request } of all) request.call.fail(reason)
  }

  #enter(one: Standing, rid: string = this.#options.rid(one.request.call.session)): void {
    one.rid = rid
    this.#byRid.set(one.rid, one)
    this.#ask(one, one.request.poll ? 'poll' : 'wait')
  }

  #void(one: Standing): void {
    this.#byRid.delete(one.rid)
    one.rid = ''
    one.asking = false
    one.again = false
  }

  #remove(one: Standing): void {
    this.#standing.delete(one)
    this.#byRid.delete(one.rid)
  }

  #cancel(one: Standing): void {
    const { rid, asking, request } = one
    this.#remove(one)
    if (rid !== '') this.#options.giveUp(rid, asking, request.call.session)
  }

  #ask(one: Standing, mode: Mode): void {
    if (one.asking) {
      one.again = true
      return
    }
    one.asking = true
    one.asked = monotonic()
    const { rid } = one
    one.request.ask(rid, mode, one.former).then(
      (settle) => this.#answered(one, rid, mode, settle),
      (error: unknown) => this.#refused(one, rid, error as Error),
    )
  }

  #answered(one: Standing, rid: string, mode: Mode, settle: (() => void) | null): void {
    if (this.#byRid.get(rid) !== one) {
      this.#answeredLate(one, rid, settle)
      return
    }
    one.asking = false
    one.since = 0
    if (settle === null) {
      if (!one.again) return
      one.again = false
      this.#ask(one, 'wait')
      return
    }
    this.#remove(one)
    settle()
    if (mode === 'look') this.look()
  }

  /**
   * It was given up, parked or lost meanwhile. What Redis did for it was taken back there, but for what a process asked just before its
   * end, and for what lasts.
   */
  #answeredLate(one: Standing, rid: string, settle: (() => void) | null): void {
    const { session } = one.request.call
    const lasting = this.#options.lasting === true
    if (settle === null) {
      if (session.over || lasting) this.#options.giveUp(rid, false, session)
    } else if (lasting && this.#standing.has(one) && one.former.split(' ').includes(rid)) {
      // Redis may soon forget that it was done.
      this.#remove(one)
      settle()
    }
  }

  #refused(one: Standing, rid: string, error: Error): void {
    if (this.#byRid.get(rid) !== one) return
    one.asking = false
    if (error instanceof ConnectionError && !one.request.poll) {
      if (one.since === 0) one.since = one.asked
      if (monotonic() - one.since <= this.#options.outage) return
    }
    this.#remove(one)
    // Refused now, it may have stood in line before: there it would be in the way of others for ever.
    if (!one.request.poll || error instanceof ConnectionError)
      this.#options.giveUp(rid, false, one.request.call.session)
    one.request.call.fail(error)
  }

  #failLost(one: Standing): void {
    const { rid, request } = one
    this.#remove(one)
    if (rid !== '') this.#options.giveUp(rid, false, request.call.session)
    request.call.fail(
      new ConnectionError('the connection to Redis did not come back in time; raise `outage` to wait longer'),
    )
  }
}
