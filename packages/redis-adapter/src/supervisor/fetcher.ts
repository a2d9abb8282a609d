/**
 * Who of this program waits for an item of one queue. In a loop that puts and gets by turns the put fetches its item as well, before
 * anybody asks. It lies on the board that is shared with the main program, or here if a child is looping; what nobody takes at once
 * goes back as if it had never been fetched, whatever its process is doing.
 */
import { type Call, monotonic } from '@skein/core/adapter'
import type { QueueUser } from './deliveries.ts'
import type { FetchAnswer, JobData, Mode, PutAnswer } from './queue-commands.ts'
import { Line, type LineOptions } from './line.ts'

/** Milliseconds within which a get follows a put in such a loop; how many times in a row make one; and how long its item waits to be asked for. */
const SOON = 2
const STREAK = 4
const PATIENCE = 5

/** Node's timers count no further (2³¹ − 1 ms). */
const LONGEST_TIMER = 2 ** 31 - 1

export interface FetcherOptions extends LineOptions {
  fetch(rid: string, mode: Mode): Promise<FetchAnswer>
  /** As if it had never been fetched. */
  back(rid: string): void
  hand(user: QueueUser, call: Call, job: JobData): void
  /** Sends an item that nobody has asked for. @returns how to take it back: false if the process was first; null if it cannot be sent */
  ahead(user: QueueUser, job: JobData): (() => boolean) | null
  /** These programs are in the way: they may be dead. */
  suspect(others: readonly string[]): void
  closed(): Error
}

const nothing: FetchAnswer = { kind: 'none', others: [] }

function fetchedBy(answer: PutAnswer): FetchAnswer {
  return answer.kind === 'done' && answer.ahead !== null ? { kind: 'job', job: answer.ahead } : nothing
}

interface Ahead {
  readonly user: QueueUser
  readonly rid: string
  readonly timer: NodeJS.Timeout
  /** Of the put, as one to the get. */
  answer: Promise<FetchAnswer> | null
  /** Takes it back from the process that it was sent to. */
  recall: (() => boolean) | null
}

export class Fetcher {
  readonly line: Line
  readonly #options: FetcherOptions
  #ahead: Ahead | null = null
  #lastPut: number = Number.NEGATIVE_INFINITY
  #streak = 0
  #due: NodeJS.Timeout | undefined

  constructor(options: FetcherOptions) {
    this.#options = options
    this.line = new Line(options)
  }

  get(call: Call, user: QueueUser, poll: boolean): void {
    this.#streak = monotonic() - this.#lastPut < SOON ? this.#streak + 1 : 0
    // Its request names the process that it was sent for.
    if (this.#ahead !== null && (this.#ahead.recall !== null || this.#ahead.user !== user)) this.putBack()
    const ahead = this.#ahead
    this.#forget()
    let first = ahead?.answer ?? undefined
    const ask = async (rid: string, mode: Mode): Promise<(() => void) | null> => {
      const foreseen = first
      // Good for one asking: if it failed, the next one must not hear of that again.
      first = undefined
      let answer = await (foreseen ?? this.#options.fetch(rid, mode))
      if (foreseen !== undefined && answer.kind === 'none') answer = await this.#options.fetch(rid, mode)
      if (answer.kind === 'job') {
        const { job } = answer
        return () => this.#options.hand(user, call, job)
      }
      if (answer.kind === 'closed') return () => call.fail(this.#options.closed())
      this.#options.suspect(answer.others)
      if (answer.kind === 'none') return () => call.ok(null)
      if (answer.due !== null) this.#lookIn(answer.due, rid)
      return null
    }
    this.line.add({ call, poll, ask }, ahead?.rid)
  }

  /**
   * A put of this process: who waits for its item, or is likely to ask, need not wait for the answer.
   *
   * @param send sends the put, for it to fetch as well under this request, or ''
   * @returns when the process has what was fetched, if it is to have it before the answer to its put
   */
  async put(user: QueueUser, send: (ahead: string) => Promise<PutAnswer>): Promise<PutAnswer> {
    this.#lastPut = monotonic()
    if (this.line.length > 0 || this.#streak < STREAK || this.#ahead !== null) {
      const sent = send('')
      this.line.hurry()
      return sent
    }
    const rid = this.#options.rid(user.session)
    const timer = setTimeout(() => this.putBack(), PATIENCE)
    const ahead: Ahead = { user, rid, timer, answer: null, recall: null }
    this.#ahead = ahead
    const sent = send(rid)
    // Whoever asks meanwhile asks again when the put has failed.
    ahead.answer = sent.then(fetchedBy, () => nothing)
    const answer = await sent
    if (this.#ahead === ahead && answer.kind === 'done' && answer.ahead !== null)
      ahead.recall = this.#options.ahead(user, answer.ahead)
    return answer
  }

  /** Whoever looks at the queue finds everything there. */
  putBack(): void {
    const ahead = this.#ahead
    if (ahead === null) return
    this.#forget()
    // Taken meanwhile, it is the process's.
    if (ahead.recall !== null && !ahead.recall()) return
    this.#streak = 0
    this.#options.back(ahead.rid)
  }

  /** The process has said that it took something. */
  taken(): void {
    if (this.#ahead !== null && this.#ahead.recall !== null) this.putBack()
  }

  /** A delayed item may be taken then by who is first in line. */
  #lookIn(milliseconds: number, rid: string): void {
    clearTimeout(this.#due)
    this.#due = setTimeout(() => this.line.wake(rid), Math.min(LONGEST_TIMER, milliseconds))
  }

  /** The queue is gone from here. */
  end(): void {
    clearTimeout(this.#due)
    this.putBack()
  }

  #forget(): void {
    clearTimeout(this.#ahead?.timer)
    this.#ahead = null
  }
}
