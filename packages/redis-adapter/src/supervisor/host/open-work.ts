/**
 * The work of a namespace that any program may take which said `serve: true`: one BullMQ queue. A job only says that there is something to
 * claim, and where; the program that put it decides who gets it. So a job that comes twice, or is forged, starts nothing twice.
 */
import { ConnectionError } from '@skein/core'
import { type QueueShape, reportDefect } from '@skein/core/adapter'
import { QueueCommands } from '../queue-commands.ts'
import type { Surround } from '../surround.ts'

/** The queue's key is `{<namespace>:work:any}`. */
export const OPEN_WORK = 'work:any'

/** What was taken but not begun is to be taken again, however often its taker loses it. */
export const UNLIMITED: QueueShape = {
  maxSize: Number.POSITIVE_INFINITY,
  maxDeliveries: Number.POSITIVE_INFINITY,
}

/** In request ids, the program as such. */
const PROGRAM = 'w'

interface Offer {
  readonly json: string
  readonly refused: (error: Error) => void
  /** Under which it was put, the last one first. */
  rids: string[]
}

export interface Offered {
  /** Somebody has claimed it: it is not put again. */
  taken(): void
  /** Whoever has the job in hand finds that there is nothing to claim. */
  takeBack(): void
}

export class OpenWork {
  readonly #around: Surround
  readonly #commands: QueueCommands
  readonly #offers = new Set<Offer>()
  readonly #stops: readonly (() => void)[]
  #requests = 0

  constructor(around: Surround) {
    this.#around = around
    this.#commands = new QueueCommands(around, OPEN_WORK, UNLIMITED, () => undefined)
    this.#stops = [
      around.session.onReborn(() => this.#again()),
      around.deaths.onDeath((sids) => void this.#commands.reap(sids).catch(noMatter)),
    ]
  }

  put(json: string, refused: (error: Error) => void): Offered {
    const offer: Offer = { json, refused, rids: [] }
    this.#offers.add(offer)
    void this.#put(offer)
    return {
      taken: () => void this.#offers.delete(offer),
      takeBack: () => {
        if (this.#offers.delete(offer) && offer.rids.length > 0) this.#commands.leave(offer.rids).catch(noMatter)
      },
    }
  }

  close(): void {
    for (const stop of this.#stops) stop()
    this.#commands.stop()
  }

  async #put(offer: Offer): Promise<void> {
    const { session, outage } = this.#around
    const rid = `${session.sid}/${PROGRAM}/${(this.#requests += 1)}`
    const former = offer.rids.join(' ')
    offer.rids.unshift(rid)
    const began = performance.now()
    try {
      await this.#commands.put(rid, offer.json, 'wait', { former })
    } catch (error) {
      // Put again when the program has a session again.
      if (error instanceof ConnectionError && performance.now() - began < outage) return
      if (this.#offers.delete(offer)) offer.refused(error as Error)
    }
  }

  /** A Redis that came back empty has lost them. Where it has not, the second job finds nothing to claim. */
  #again(): void {
    for (const offer of this.#offers) void this.#put(offer)
  }
}

/** What stays behind is found by who takes it to be nothing. */
function noMatter(error: unknown): void {
  if (!(error instanceof Error)) reportDefect('the queue of open work', error)
}
