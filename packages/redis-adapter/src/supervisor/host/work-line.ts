/**
 * Work that this program sends to itself: each piece is a job of a BullMQ queue, and its turn comes when this program has taken the
 * job back.
 *
 * What runs is the piece that was kept here, and only if its job came back as it was sent. So a piece runs once, however often its job
 * is delivered; a Redis that lost everything delays it; and nothing that somebody else wrote into Redis ever runs.
 */
import { AuthenticationError, ConnectionError, ProtocolError, TlsError } from '@skein/core'
import { reportDefect } from '@skein/core/adapter'
import { JobLook } from '../job-look.ts'
import type { Job, JobQueue } from '../job-queue.ts'
import { keyOf, type Surround } from '../surround.ts'

export interface Piece {
  /** What the job holds, as JSON. */
  readonly json: string
  /** Its turn has come. Not called before `send` has returned, and never with `refused`. */
  taken(): void
  /** It will not come: the store refused it, or could not be reached for longer than `outage`. */
  refused(error: Error): void
}

/** Opens the queue whose keys begin with `{<namespace>:<key>}`. */
export type OpenQueue = (key: string) => JobQueue

/** A queue belongs to one session of the program: the next one starts afresh. */
interface Line {
  readonly sid: string
  readonly name: string
  readonly queue: JobQueue
  readonly pieces: Map<string, Entry>
  /** Taken, and Redis was not told yet. */
  over: Job[]
}

interface Entry {
  readonly piece: Piece
  /** Names its requests, in one line; '' in a line that has not heard of it. */
  put: string
  fetch: string
  /** BullMQ's id of its job, once that is known. */
  job: string | null
  /** Since when the store cannot be reached, in ms on the monotonic clock. */
  stuck: number | null
}

/** In request ids, the program as such: sessions of its processes count from 1. */
const PROGRAM = 0

/** Of all lines, so that no request id comes twice. */
let requests = 0

export class WorkLine {
  readonly #around: Surround
  readonly #kind: string
  readonly #name: (sid: string) => string
  readonly #open: OpenQueue
  readonly #stopListening: () => void
  readonly #jobs: JobLook
  readonly #waiting = new Set<Entry>()
  #line: Line | null = null
  #pumping = false
  #closed = false
  #wake: (() => void) | null = null

  /**
   * @param kind with `name`, the queue's key: `spawn`, `pool`
   * @param name another one for each session
   */
  constructor(around: Surround, kind: string, name: (sid: string) => string, open: OpenQueue) {
    this.#around = around
    this.#kind = kind
    this.#name = name
    this.#open = open
    this.#jobs = new JobLook(around.store)
    const stops = [around.store.onConnected(() => this.#wake?.()), around.session.onReborn(() => this.#wake?.())]
    this.#stopListening = () => {
      for (const stop of stops) stop()
    }
  }

  /** In this order the pieces get their turns. @returns takes the piece back; `false`: its turn has come already */
  send(piece: Piece): () => boolean {
    const entry: Entry = { piece, put: '', fetch: '', job: null, stuck: null }
    this.#waiting.add(entry)
    if (!this.#pumping) {
      this.#pumping = true
      // Later in this turn, so that pieces that are sent together travel together.
      queueMicrotask(() => void this.#pump())
    }
    return () => this.#waiting.delete(entry)
  }

  /** Deletes the queue; no piece gets its turn any more. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#waiting.clear()
    this.#wake?.()
    this.#stopListening()
    if (this.#line !== null) await this.#drop(this.#line)
  }

  async #pump(): Promise<void> {
    while (this.#waiting.size > 0 && !this.#closed) {
      const line = this.#current()
      const entries = [...this.#waiting]
      for (const entry of entries) if (entry.put === '') this.#number(entry, line.sid)
      try {
        const left = await this.#turn(line, entries)
        if (!left) continue
        await this.#later()
        await this.#sendAgain(line)
      } catch (error) {
        reportDefect('its queue of work', error)
        for (const entry of entries) this.#refuse(entry, asError(error))
      }
    }
    this.#pumping = false
  }

  /** One exchange with Redis for all that wait. @returns whether to wait before the next one */
  async #turn(line: Line, entries: readonly Entry[]): Promise<boolean> {
    const began = performance.now()
    // Sent together: each job is there when it is asked for, and all of it takes one round trip.
    const puts = entries.map(async ({ job, put, piece }) => job ?? (await line.queue.put(put, piece.json)))
    const fetches = entries.map((entry) => line.queue.fetch(entry.fetch, 'poll'))
    if (line.over.length > 0) this.#finish(line, line.over.splice(0))
    const put = await Promise.allSettled(puts)
    const fetched = await Promise.allSettled(fetches)
    if (line !== this.#line || line.sid !== this.#around.session.sid || this.#closed) return false
    let moved = false
    const taken: Job[] = []
    for (const [index, entry] of entries.entries()) {
      const sent = put[index] as PromiseSettledResult<string>
      const found = fetched[index] as PromiseSettledResult<Job | null>
      if (sent.status === 'rejected') moved = this.#failed(entry, sent.reason, began) || moved
      else {
        // Where its job overtook the first asking, the next one finds it.
        moved ||= entry.job === null
        entry.job = sent.value
        line.pieces.set(sent.value, entry)
      }
      if (found.status === 'rejected') moved = this.#failed(entry, found.reason, began) || moved
      else if (found.value !== null) {
        moved = true
        // This request has its answer, be it the job of another piece.
        entry.fetch = this.#rid(line.sid)
        taken.push(found.value)
      }
      // One of the two may get through again and again, and be of no use without the other.
      if (sent.status === 'fulfilled' && found.status === 'fulfilled') entry.stuck = null
    }
    for (const job of taken) this.#take(line, job)
    if (taken.length > 0) this.#finish(line, taken)
    return !moved
  }

  #take(line: Line, job: Job): void {
    const entry = line.pieces.get(job.id)
    line.pieces.delete(job.id)
    // Else it was taken back, had its turn before, or is none of ours.
    if (entry === undefined || !this.#waiting.delete(entry)) return
    if (job.json === entry.piece.json) entry.piece.taken()
    else {
      entry.piece.refused(
        new ProtocolError(
          `job ${job.id} of {${this.#around.namespace}:${this.#kind}:${line.name}} was changed in Redis by somebody else, so it is not run`,
        ),
      )
    }
  }

  /** The jobs that are gone although nobody here has taken them: they were removed by somebody else, as a dashboard may. */
  async #sendAgain(line: Line): Promise<void> {
    if (this.#around.store.state !== 'connected' || line.sid !== this.#around.session.sid) return
    const key = keyOf(this.#around, this.#kind, line.name)
    const gone = await this.#jobs.gone(key, [...this.#waiting]).catch((error: unknown) => {
      if (unreachable(asError(error))) return []
      throw error
    })
    for (const entry of gone) {
      line.pieces.delete(entry.job ?? '')
      entry.job = null
      entry.put = ''
    }
  }

  /** @returns whether that settles the piece */
  #failed(entry: Entry, reason: unknown, asked: number): boolean {
    const error = asError(reason)
    if (unreachable(error)) {
      entry.stuck ??= asked
      if (performance.now() - entry.stuck < this.#around.outage) return false
    }
    return this.#refuse(entry, error)
  }

  #refuse(entry: Entry, error: Error): boolean {
    if (!this.#waiting.delete(entry)) return false
    entry.piece.refused(error)
    return true
  }

  /** Nobody waits for it: jobs that stay are finished with the next ones, or go with the queue. */
  #finish(line: Line, jobs: readonly Job[]): void {
    line.queue.finish(jobs).catch((error: unknown) => {
      if (!unreachable(asError(error))) reportDefect('its queue of work', error)
      else line.over.push(...jobs)
    })
  }

  #current(): Line {
    const { sid } = this.#around.session
    const last = this.#line
    if (last?.sid === sid) return last
    if (last !== null) void this.#drop(last)
    const name = this.#name(sid)
    this.#around.owned.add(this.#kind, name)
    const line = { sid, name, queue: this.#open(`${this.#kind}:${name}`), pieces: new Map<string, Entry>(), over: [] }
    this.#line = line
    for (const entry of this.#waiting) {
      entry.job = null
      entry.put = ''
    }
    return line
  }

  async #drop(line: Line): Promise<void> {
    line.queue.stop()
    try {
      await line.queue.obliterate()
      this.#around.owned.remove(this.#kind, line.name)
    } catch (error) {
      // It stays written down as this program's, and goes when that session is swept away.
      if (!unreachable(asError(error))) reportDefect('its queue of work', error)
    }
  }

  /** Something has changed, or it is time for another look. */
  async #later(): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, this.#around.beat)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
    this.#wake = null
  }

  #number(entry: Entry, sid: string): void {
    entry.put = this.#rid(sid)
    entry.fetch = this.#rid(sid)
  }

  #rid(sid: string): string {
    requests += 1
    return `${sid}/${PROGRAM}/${requests}`
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}

/** No answer came: asking again may help. */
function unreachable(error: Error): boolean {
  if (error instanceof AuthenticationError || error instanceof TlsError || error instanceof ProtocolError) return false
  return error instanceof ConnectionError
}
