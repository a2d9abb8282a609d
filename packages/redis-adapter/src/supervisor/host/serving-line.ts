/** A queue of open work, as one who serves takes from it: a piece at a time, as long as there is a free slot. */
import type { Surround } from '../surround.ts'
import { Errands } from '../errands.ts'
import { type Job, type JobQueue, jobQueue } from '../job-queue.ts'
import { UNLIMITED } from './open-work.ts'

export interface LineEvents {
  /** Whether a slot is free for the next piece. */
  free(): boolean
  /** Looks into a piece; takes a slot before it returns. @returns whether its job is over; else somebody else is to have it */
  take(job: Job): Promise<boolean>
}

/** Of all lines, so that no request id comes twice. */
let requests = 0

export class ServingLine {
  readonly #around: Surround
  readonly #events: LineEvents
  readonly #queue: JobQueue
  readonly #errands = new Errands()
  readonly #stops: readonly (() => void)[]
  /** Taken, and Redis was not told yet that they are over. */
  #over: Job[] = []
  /** Taken, and not to be begun here. */
  #back: Job[] = []
  readonly #ended: Promise<void>
  /** Jobs that are looked into. */
  readonly #taking = new Set<Promise<void>>()
  #wake: (() => void) | null = null
  #woken = false
  #closed = false

  /** @param key of the queue */
  constructor(around: Surround, key: string, events: LineEvents) {
    this.#around = around
    this.#events = events
    this.#queue = jobQueue(around, key, UNLIMITED)
    this.#stops = [
      this.#queue.onWake(() => this.stir()),
      around.store.onConnected(() => this.#errands.again()),
      around.session.onReborn(() => this.stir()),
      around.deaths.onDeath((sids) => this.#errands.run(() => this.#queue.reap(sids))),
    ]
    this.#ended = this.#run()
  }

  /** Something has changed, such as a slot that is free. */
  stir(): void {
    this.#woken = true
    this.#wake?.()
  }

  /** Takes nothing more; resolves when what was taken and not begun is given back. */
  async close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true
      for (const stop of this.#stops) stop()
      this.stir()
    }
    await this.#ended
  }

  async #run(): Promise<void> {
    let rid = ''
    let asked = ''
    let woken = true
    while (!this.#closed) {
      const { sid } = this.#around.session
      if (asked !== sid) rid = ''
      asked = sid
      try {
        await this.#finish()
        if (this.#events.free()) {
          if (rid === '') rid = `${sid}/s/${(requests += 1)}`
          // What has not been heard of for a beat may be in the hands of a program that is gone.
          const job = await this.#queue.fetch(rid, woken ? 'wait' : 'look')
          if (job === null) woken = await this.#rest()
          else {
            rid = ''
            this.#take(job)
          }
        } else {
          // Another line has the last slot: what would be given to this place is for a host that has one.
          if (rid !== '') await this.#queue.giveBack([{ rid }], false)
          rid = ''
          woken = await this.#rest()
        }
      } catch {
        // Redis is away, or the session was lost: again when it is back, or at the next beat.
        woken = await this.#rest()
      }
    }
    try {
      // Its place in line, or what it has been given meanwhile.
      if (rid !== '') await this.#queue.giveBack([{ rid }], false)
      await Promise.all(this.#taking)
      await this.#finish()
    } catch {
      // This program may live on for long, and what stands in its name would be in the way.
      const given = rid
      this.#errands.insist(async () => {
        if (given !== '') await this.#queue.giveBack([{ rid: given }], false)
        await Promise.all(this.#taking)
        await this.#finish()
      })
    }
    this.#errands.end()
    this.#queue.stop()
  }

  /** Forgotten only when Redis has said so: until then they count as taken. */
  async #finish(): Promise<void> {
    const [over, back] = [[...this.#over], [...this.#back]]
    if (over.length > 0) await this.#queue.finish(over)
    this.#over = this.#over.slice(over.length)
    if (back.length > 0) await this.#queue.giveBack(back, false)
    this.#back = this.#back.slice(back.length)
  }

  #take(job: Job): void {
    // Another line may have taken the last slot meanwhile.
    const over = !this.#closed && this.#events.free() ? this.#events.take(job) : Promise.resolve(false)
    const taking = over.then((isOver) => {
      if (isOver) this.#over.push(job)
      else this.#back.push(job)
      this.#taking.delete(taking)
      this.stir()
    })
    this.#taking.add(taking)
  }

  /** Until something has changed (`true`), or it is time for another look. */
  async #rest(): Promise<boolean> {
    if (!this.#woken) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, this.#around.beat)
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
      this.#wake = null
    }
    const woken = this.#woken
    this.#woken = false
    return woken
  }
}
