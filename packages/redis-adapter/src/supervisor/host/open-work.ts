/**
 * The work of a namespace that any program may take which serves and has what it asks for: one BullMQ queue for all that asks for the same. A job only says that there is something to
 * claim, and where; the program that put it decides who gets it. So a job that comes twice, or is forged, starts nothing twice, and one that
 * is gone without a claim is put again.
 */
import { ConnectionError, StateError } from '@skein/core'
import { type QueueShape, reportDefect } from '@skein/core/adapter'
import { Errands } from '../errands.ts'
import { JobLook } from '../job-look.ts'
import { LIST_AGAIN, NeedsList, workKey } from './needs.ts'
import { QueueCommands } from '../queue-commands.ts'
import type { Surround } from '../surround.ts'

/** What was taken but not begun is to be taken again, however often its taker loses it. */
export const UNLIMITED: QueueShape = {
  maxSize: Number.POSITIVE_INFINITY,
  maxDeliveries: Number.POSITIVE_INFINITY,
}

/** In request ids, the program as such. */
const PROGRAM = 'w'

interface Offer {
  readonly what: Readonly<Record<string, unknown>>
  readonly refused: (error: Error) => void
  /** Under which it was put, the last one first. */
  readonly rids: string[]
  /** BullMQ's id of its job, once that is known. */
  job: string | null
  /** Since when it waits for a session of this program, and why. */
  without: { readonly since: number; readonly error: Error } | null
}

export interface Offered {
  /** Somebody has claimed it: it is not put again. */
  taken(): void
  /** Whoever has the job in hand finds that there is nothing to claim. */
  takeBack(): void
}

export class OpenWork {
  readonly #around: Surround
  readonly #needs: string
  readonly #list: NeedsList
  readonly #commands: QueueCommands
  readonly #jobs: JobLook
  readonly #key: string
  readonly #errands = new Errands()
  readonly #offers = new Set<Offer>()
  readonly #stops: readonly (() => void)[]
  #requests = 0
  /** When it was last put on the list of what there is, in ms on the monotonic clock. */
  #listed = Number.NEGATIVE_INFINITY
  #timer: NodeJS.Timeout | null = null

  /** @param needs what it asks for, as `textOf` writes it */
  constructor(around: Surround, needs: string = '') {
    this.#around = around
    this.#needs = needs
    this.#list = new NeedsList(around)
    const key = workKey(around, needs)
    this.#commands = new QueueCommands(around, key, UNLIMITED, () => undefined)
    this.#jobs = new JobLook(around.store)
    this.#key = `{${around.namespace}:${key}}`
    this.#stops = [
      around.store.onConnected(() => this.#errands.again()),
      // A job says where to claim by the sid.
      around.session.onReborn(() => {
        this.#listed = Number.NEGATIVE_INFINITY
        if (this.#offers.size > 0) this.#say()
        for (const offer of this.#offers) void this.#put(offer)
      }),
      around.deaths.onDeath((sids) => this.#errands.run(() => this.#commands.reap(sids))),
    ]
  }

  /** @param what for people, and what there is to claim */
  put(what: Readonly<Record<string, unknown>>, refused: (error: Error) => void): Offered {
    const offer: Offer = { what, refused, rids: [], job: null, without: null }
    this.#offers.add(offer)
    this.#say()
    void this.#put(offer)
    this.#arm()
    return {
      taken: () => void this.#offers.delete(offer),
      takeBack: () => {
        if (this.#offers.delete(offer)) this.#errands.run(() => this.#commands.leave(offer.rids))
      },
    }
  }

  close(): void {
    for (const stop of this.#stops) stop()
    this.#offers.clear()
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#errands.end()
    this.#commands.stop()
  }

  async #put(offer: Offer): Promise<void> {
    const { session } = this.#around
    const { sid } = session
    const rid = `${sid}/${PROGRAM}/${(this.#requests += 1)}`
    offer.rids.unshift(rid)
    offer.job = null
    offer.without = null
    const began = performance.now()
    try {
      const answer = await this.#commands.put(rid, JSON.stringify({ ...offer.what, session: sid }), 'wait')
      if (answer.kind !== 'done') throw new StateError(`${this.#key} takes no work (${answer.kind})`)
      if (offer.rids[0] === rid) offer.job = answer.id
    } catch (error) {
      // Put again when the program has a session again, or was.
      if (sid === session.sid) this.#refuse(offer, error as Error)
      else if (offer.rids[0] === rid) offer.without = { since: began, error: error as Error }
    }
  }

  #refuse(offer: Offer, error: Error): void {
    if (this.#offers.delete(offer)) offer.refused(error)
  }

  /** Hosts find it by the list. */
  #say(): void {
    if (this.#needs === '' || performance.now() - this.#listed < LIST_AGAIN) return
    this.#listed = performance.now()
    this.#errands.run(() => this.#list.add(this.#needs))
  }

  #arm(): void {
    if (this.#offers.size > 0) this.#timer ??= setTimeout(() => void this.#look(), this.#around.beat)
  }

  /** A job may be removed by somebody else, or finished by a program that could not reach this one. */
  async #look(): Promise<void> {
    const { store, session, outage } = this.#around
    const { sid } = session
    for (const offer of this.#offers) {
      const { without } = offer
      if (without !== null && performance.now() - without.since >= outage) this.#refuse(offer, without.error)
    }
    if (this.#offers.size > 0) this.#say()
    try {
      const gone = store.state === 'connected' ? await this.#jobs.gone(this.#key, [...this.#offers]) : []
      for (const offer of gone) if (this.#offers.has(offer) && sid === session.sid) void this.#put(offer)
    } catch (error) {
      if (!(error instanceof ConnectionError)) reportDefect('the queue of open work', error)
    }
    this.#timer = null
    this.#arm()
  }
}
