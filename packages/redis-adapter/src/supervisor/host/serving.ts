/**
 * `serve`: runs what other programs have put up, as many at once as there are slots, and of each queue of open work whose needs this program
 * meets.
 */
import { hostname } from 'node:os'
import { ConnectionError, type HostInfo } from '@skein/core'
import { type Launch, PROTOCOL, reportDefect, type ServeSettings, VERSION } from '@skein/core/adapter'
import type { Job } from '../job-queue.ts'
import type { Peers } from '../peers/peers.ts'
import type { Surround } from '../surround.ts'
import { Warnings } from '../warnings.ts'
import type { HouseRules } from './house-rules.ts'
import { Lodger } from './lodger.ts'
import { NeedsList, WORK_TAG, workKey } from './needs.ts'
import { ServingLine } from './serving-line.ts'

/** How sessions and runs are called; see `program-session.ts` and `open-placement.ts`. */
const NAME = /^[\w.~#-]{1,200}$/

export interface ServingOptions {
  readonly around: Surround
  readonly peers: Pick<Peers, 'reachSession'>
  readonly launch: Launch
  readonly rules: HouseRules
  readonly serve: Pick<ServeSettings, 'slots' | 'labels'>
}

export class Serving {
  readonly #options: ServingOptions
  readonly #needs: NeedsList
  readonly #warnings = new Warnings()
  /** By what those ask for who put something there; `''`: nothing. */
  readonly #lines = new Map<string, ServingLine>()
  /** By where there is something to claim, and what. */
  readonly #lodgers = new Map<string, Lodger>()
  readonly #stops: readonly (() => void)[]
  readonly #timer: NodeJS.Timeout
  /** Lines that are not served any more, as long as they give back what they have. */
  readonly #leaving = new Set<Promise<void>>()
  #busy = 0
  /** Told when nothing runs here for others. */
  readonly #idle: (() => void)[] = []
  #closed = false

  constructor(options: ServingOptions) {
    this.#options = options
    const { around } = options
    this.#needs = new NeedsList(around)
    const look = (): void => void this.#look()
    this.#timer = setInterval(look, around.beat)
    this.#stops = [
      around.wakes.on(WORK_TAG, look),
      around.wakes.onResubscribed(look),
      // To the others this program is dead, and what it ran for them is lost: it must not go on beside what they start instead.
      around.session.onLost(() => {
        for (const lodger of this.#lodgers.values()) lodger.lost()
      }),
    ]
    this.#open('')
    look()
  }

  get info(): Omit<HostInfo, 'program'> {
    const { slots, labels } = this.#options.serve
    const state = this.#closed ? 'draining' : 'serving'
    const own = { host: hostname(), pid: process.pid, version: VERSION, protocol: PROTOCOL }
    return { ...own, slots, labels, busy: this.#busy, skew: 0, state }
  }

  /** Takes nothing more; resolves when what was taken and not begun is given back. What runs goes on until its program or this one ends it. */
  async close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true
      clearInterval(this.#timer)
      for (const stop of this.#stops) stop()
      for (const needs of this.#lines.keys()) this.#leave(needs)
    }
    await Promise.all(this.#leaving)
  }

  /** As `close`, where this program ends, and with it what runs here: what has not begun may begin elsewhere. */
  stop(): void {
    void this.close()
    for (const lodger of this.#lodgers.values()) lodger.giveBack()
  }

  /** As `close`, and resolves when nothing runs here any more: processes end by themselves, workers after what they have begun. */
  async drain(): Promise<void> {
    await this.close()
    for (const lodger of this.#lodgers.values()) lodger.drain()
    if (this.#busy > 0) await new Promise<void>((resolve) => this.#idle.push(resolve))
  }

  #open(needs: string): void {
    const line = new ServingLine(this.#options.around, workKey(this.#options.around, needs), {
      free: () => !this.#closed && this.#busy < this.#options.serve.slots,
      take: (job) => this.#take(job),
    })
    this.#lines.set(needs, line)
  }

  #leave(needs: string): void {
    const left = this.#lines.get(needs)?.close()
    this.#lines.delete(needs)
    if (left === undefined) return
    this.#leaving.add(left)
    void left.then(() => this.#leaving.delete(left))
  }

  /** Which queues there are whose needs this program meets. */
  async #look(): Promise<void> {
    let met: readonly string[]
    try {
      met = await this.#needs.met({ host: hostname(), labels: this.#options.serve.labels })
    } catch (error) {
      // Redis is away: at the next beat.
      if (!(error instanceof ConnectionError)) reportDefect('its list of open work', error)
      return
    }
    if (this.#closed) return
    for (const needs of met) if (!this.#lines.has(needs)) this.#open(needs)
    for (const needs of this.#lines.keys()) if (needs !== '' && !met.includes(needs)) this.#leave(needs)
  }

  async #take(job: Job): Promise<boolean> {
    this.#busy += 1
    let free = (): void => {
      free = () => undefined
      this.#busy -= 1
      if (this.#busy === 0) for (const told of this.#idle.splice(0)) told()
      for (const line of this.#lines.values()) line.stir()
    }
    try {
      return await this.#claim(job, () => free())
    } catch (error) {
      free()
      // Another program may have more luck; without one, this one when Redis is there again.
      if (error instanceof ConnectionError) return false
      reportDefect('work of another program', error)
      return true
    }
  }

  /**
   * Claims what the job is about, and begins with it.
   *
   * @param free called once, when that takes up no slot any more
   * @returns whether the job is over
   */
  async #claim(job: Job, free: () => void): Promise<boolean> {
    const { peers, launch, rules } = this.#options
    const place = placeOf(job)
    if (place === null) {
      this.#warnings.once(job.id, `job ${job.id} of open work says of no program what there is to run, and was dropped`)
      free()
      return true
    }
    const { session, run } = place
    const client = await peers.reachSession(session)
    const key = `${session} ${run}`
    const there = this.#lodgers.get(key)
    // Put up again by who has lost it here.
    if (there?.ending === true) {
      await there.over
      return this.#claim(job, free)
    }
    // A job that came twice is about what is here already.
    if (this.#closed || client === null || there !== undefined) {
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
}

/** Where there is something to claim, and what. `null`: no program of ours has put that. */
function placeOf({ json }: Job): { readonly session: string; readonly run: string } | null {
  let said: unknown
  try {
    said = JSON.parse(json)
  } catch {
    said = null
  }
  const { session, run } = (typeof said === 'object' && said !== null ? said : {}) as Record<string, unknown>
  const isName = (name: unknown): name is string => typeof name === 'string' && NAME.test(name)
  return isName(session) && isName(run) ? { session, run } : null
}
