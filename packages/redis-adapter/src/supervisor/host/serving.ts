/** `serve: true`: takes the work that other programs of the namespace have put up, one piece at a time, as long as there is a free slot. */
import { ConnectionError } from '@skein/core'
import type { Launch } from '@skein/core/adapter'
import { reportDefect } from '@skein/core/adapter'
import { Errands } from '../errands.ts'
import { type Job, type JobQueue, jobQueue } from '../job-queue.ts'
import type { Peers } from '../peers/peers.ts'
import type { Surround } from '../surround.ts'
import type { HouseRules } from './house-rules.ts'
import { Lodger } from './lodger.ts'
import { openWorkKey, UNLIMITED } from './open-work.ts'

export interface ServingOptions {
  readonly around: Surround
  readonly peers: Peers
  readonly launch: Launch
  readonly rules: HouseRules
  /** How many processes of others may run here at once. */
  readonly slots: number
}

export class Serving {
  readonly #options: ServingOptions
  readonly #queue: JobQueue
  /** By where there is something to claim, and what. */
  readonly #lodgers = new Map<string, Lodger>()
  readonly #errands = new Errands()
  readonly #stops: readonly (() => void)[]
  /** Taken, and Redis was not told yet that they are over. */
  #over: Job[] = []
  /** Taken, and not to be begun here. */
  #back: Job[] = []
  readonly #ended: Promise<void>
  /** Jobs that are looked into. */
  readonly #taking = new Set<Promise<void>>()
  #requests = 0
  #begun = 0
  #wake: (() => void) | null = null
  #woken = false
  #closed = false

  constructor(options: ServingOptions) {
    this.#options = options
    const { around } = options
    this.#queue = jobQueue(around, openWorkKey(around), UNLIMITED)
    this.#stops = [
      this.#queue.onWake(() => this.#stir()),
      around.store.onConnected(() => this.#errands.again()),
      around.session.onReborn(() => this.#stir()),
      // To the others this program is dead, and what it ran for them is lost: it must not go on beside what they start instead.
      around.session.onLost(() => {
        for (const lodger of this.#lodgers.values()) lodger.kill()
      }),
      around.deaths.onDeath((sids) => this.#errands.run(() => this.#queue.reap(sids))),
    ]
    this.#ended = this.#run()
  }

  /** Takes nothing more; resolves when what was taken and not begun is given back. What runs goes on until its program or this one ends it. */
  async close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true
      for (const stop of this.#stops) stop()
      this.#stir()
    }
    await this.#ended
  }

  async #run(): Promise<void> {
    let rid = ''
    let asked = ''
    let woken = true
    while (!this.#closed) {
      const { sid } = this.#options.around.session
      try {
        await this.#finish()
        if (this.#begun >= this.#options.slots) woken = await this.#rest()
        else {
          if (asked !== sid || rid === '') rid = `${sid}/s/${(this.#requests += 1)}`
          asked = sid
          // What has not been heard of for a beat may be in the hands of a program that is gone.
          const job = await this.#queue.fetch(rid, woken ? 'wait' : 'look')
          if (job === null) woken = await this.#rest()
          else {
            rid = ''
            const taking = this.#take(job)
            this.#taking.add(taking)
            void taking.then(() => this.#taking.delete(taking))
          }
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
      // Others take it back from a program that is gone.
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

  async #take(job: Job): Promise<void> {
    this.#begun += 1
    let free = (): void => {
      this.#begun -= 1
      free = () => undefined
      this.#stir()
    }
    try {
      if (await this.#look(job, () => free())) this.#over.push(job)
      else this.#back.push(job)
    } catch (error) {
      free()
      // Another program may have more luck; without one, this one when Redis is there again.
      if (error instanceof ConnectionError) this.#back.push(job)
      else {
        reportDefect('work of another program', error)
        this.#over.push(job)
      }
    }
    this.#stir()
  }

  /**
   * Claims what the job is about, and begins with it.
   *
   * @param free called once, when that takes up no slot any more
   * @returns whether the job is over
   */
  async #look(job: Job, free: () => void): Promise<boolean> {
    const { peers, launch, rules } = this.#options
    const { session, run } = placeOf(job)
    const client = await peers.reachSession(session)
    const key = `${session} ${run}`
    // A job that came twice is about what is here already.
    if (this.#closed || client === null || this.#lodgers.has(key)) {
      free()
      return !this.#closed
    }
    const ended = (): void => {
      this.#lodgers.delete(key)
      free()
    }
    const lodger = new Lodger({ client, run, rules, launch, closing: () => this.#closed, ended })
    this.#lodgers.set(key, lodger)
    await lodger.begin()
    return true
  }

  #stir(): void {
    this.#woken = true
    this.#wake?.()
  }

  /** Until something has changed (`true`), or it is time for another look. */
  async #rest(): Promise<boolean> {
    if (!this.#woken) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, this.#options.around.beat)
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

/** Where there is something to claim, and what. A job that does not say so leads nowhere, as any that nobody has put up does. */
function placeOf({ json }: Job): { readonly session: string; readonly run: string } {
  let said: unknown
  try {
    said = JSON.parse(json)
  } catch {
    said = null
  }
  const { session, run } = (typeof said === 'object' && said !== null ? said : {}) as Record<string, unknown>
  return { session: String(session), run: String(run) }
}
