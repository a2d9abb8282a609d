/** `serve: true`: takes the work that other programs of the namespace have put up, one piece at a time, as long as there is a free slot. */
import { ConnectionError } from '@skein/core'
import type { Launch, Surroundings } from '@skein/core/adapter'
import { reportDefect } from '@skein/core/adapter'
import { type Job, type JobQueue, jobQueue } from '../job-queue.ts'
import type { Peers } from '../peers/peers.ts'
import type { Surround } from '../surround.ts'
import { Lodger } from './lodger.ts'
import { OPEN_WORK, UNLIMITED } from './open-work.ts'

export interface ServingOptions {
  readonly around: Surround
  readonly peers: Peers
  readonly launch: Launch
  /** What the processes inherit: this program's, not that of the program that started them. */
  readonly surroundings: Surroundings
  /** How many processes of others may run here at once. */
  readonly slots: number
}

export class Serving {
  readonly #options: ServingOptions
  readonly #queue: JobQueue
  /** By the run's program and id. */
  readonly #lodgers = new Map<string, Lodger>()
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
    this.#queue = jobQueue(around, OPEN_WORK, UNLIMITED)
    this.#stops = [
      this.#queue.onWake(() => this.#stir()),
      around.session.onReborn(() => this.#stir()),
      // To the others this program is dead, and what it ran for them is lost: it must not go on beside what they start instead.
      around.session.onLost(() => {
        for (const lodger of this.#lodgers.values()) lodger.kill()
      }),
      around.deaths.onDeath((sids) => {
        this.#queue.reap(sids).catch(() => this.#stir())
      }),
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
    while (!this.#closed) {
      const { sid } = this.#options.around.session
      try {
        await this.#finish()
        if (this.#begun >= this.#options.slots) await this.#rest()
        else {
          if (asked !== sid || rid === '') rid = `${sid}/s/${(this.#requests += 1)}`
          asked = sid
          const job = await this.#queue.fetch(rid, 'wait')
          if (job === null) await this.#rest()
          else {
            rid = ''
            const taking = this.#take(job)
            this.#taking.add(taking)
            void taking.then(() => this.#taking.delete(taking))
          }
        }
      } catch {
        // Redis is away, or the session was lost: again when it is back, or at the next beat.
        await this.#rest()
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
    const { peers, launch, surroundings } = this.#options
    this.#begun += 1
    let free = (): void => {
      this.#begun -= 1
      free = () => undefined
      this.#stir()
    }
    try {
      const { program, id } = placeOf(job)
      const client = await peers.reach(program)
      const key = `${program} ${id}`
      if (this.#closed) {
        this.#back.push(job)
        free()
        return
      }
      // A job that came twice is about what is here already.
      if (client === null || this.#lodgers.has(key)) free()
      else {
        const lodger: Lodger = new Lodger({
          client,
          program,
          id,
          surroundings,
          launch,
          closing: () => this.#closed,
          ended: () => {
            this.#lodgers.delete(key)
            free()
          },
        })
        this.#lodgers.set(key, lodger)
        await lodger.begin()
      }
    } catch (error) {
      free()
      if (error instanceof ConnectionError) {
        this.#back.push(job)
        this.#stir()
        return
      }
      reportDefect('work of another program', error)
    }
    this.#over.push(job)
    this.#stir()
  }

  #stir(): void {
    this.#woken = true
    this.#wake?.()
  }

  /** Until something has changed, or it is time for another look. */
  async #rest(): Promise<void> {
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
    this.#woken = false
  }
}

/** Where there is something to claim, and what. A job that does not say so leads nowhere, as any that nobody has put up does. */
function placeOf({ json }: Job): { readonly program: string; readonly id: string } {
  let said: unknown
  try {
    said = JSON.parse(json)
  } catch {
    said = null
  }
  const { program, id } = (typeof said === 'object' && said !== null ? said : {}) as Record<string, unknown>
  return { program: String(program), id: String(id) }
}
