/**
 * A worker's way to its fleet. Chunks may come ahead of need; they may be started while the lease lasts,
 * and past it they are dropped and asked for again, since the broker may have given them to another worker.
 */
import { encode, encodeThrown, withOrigin } from '../codec/index.ts'
import type { TargetRef } from '../contract/target.ts'
import type { Assignment, WorkerPort } from '../contract/fleet.ts'
import { runWorker } from '../pool/worker.ts'
import type { Role } from '../supervisor/boot.ts'
import { origin } from '../supervisor/last-word.ts'
import type { RoleDeps } from '../supervisor/run-process.ts'
import { resolveTarget } from '../target/index.ts'
import { monotonic } from '../util/clock.ts'
import { deferred, type Deferred } from '../util/deferred.ts'
import { Fifo } from '../util/fifo.ts'
import { type Frame, op } from '../wire/frame.ts'
import type { Link } from '../wire/link.ts'
import { readAssign, reportHead } from '../wire/chunk-frames.ts'

/** A task under so many milliseconds is quick; only after so many quick ones in a row do reports share a write. */
const QUICK = 0.05
const CAREFUL = 32
/** Milliseconds of finished work that may lie in this process. */
const GATHER = 0.4
/** A chunk of so many bytes at most is read in a moment. */
const SMALL = 64 * 1024

export class LinkedWorkerPort implements WorkerPort {
  readonly #link: Link
  readonly #decode: (bytes: Uint8Array) => unknown
  readonly #targets = new Map<number, TargetRef>()
  readonly #ahead = new Fifo<Assignment>()
  /** What `next` gave, until its last task is reported, and how many of its tasks are. */
  #started: Assignment | null = null
  #reported = 0
  /** Chunks that nobody wants any more, some of them perhaps in `#ahead`. */
  readonly #unwanted = new Set<number>()
  /** The running chunk is one of those. */
  #dropped = false
  #lease = 0
  /** What comes before the broker has heard of the drop was given without knowing of it, and is dropped, too: else it would overtake. */
  #dropping = false
  #leaving = false
  /** When the last report was made, and when the last one was written; as of `performance.now()`. */
  #last = 0
  #written = 0
  #quick = 0
  /** How many more chunks may start before the next write. */
  #runAhead = 0
  #waiting: Deferred<Assignment | null> | null = null

  constructor(link: Link, decodeWithHandles: (bytes: Uint8Array) => unknown) {
    this.#link = link
    this.#decode = decodeWithHandles
  }

  /** Runs the initializer, then tasks until there are no more. */
  async run(role: Extract<Role, { kind: 'worker' }>, { word, close }: RoleDeps): Promise<void> {
    try {
      if (role.initializer !== null) {
        const initialize = await resolveTarget(this.#decode(role.initializer) as TargetRef)
        await initialize(...(this.#decode(role.initArgs) as unknown[]))
      }
    } catch (error) {
      word.say(op.unready, encodeThrown(error))
      return word.end(1)
    }
    word.say(op.ready)
    await runWorker(this, {
      resolveTarget,
      encode,
      encodeFailure: (error) => encodeThrown(withOrigin(error, origin())),
      decode: this.#decode,
      limits: role.limits,
      atExit: (settleUp) =>
        process.once('exit', () => {
          settleUp()
          this.settle()
        }),
    })
    await close()
    return word.end(0)
  }

  frame(frame: Frame): boolean {
    if (frame.op === op.assign) this.#assigned(frame)
    else if (frame.op === op.target) this.#targets.set(frame.a, this.#decode(frame.payload) as TargetRef)
    else if (frame.op === op.drop) this.#drop(frame.b)
    else if (frame.op === op.idle) this.#dropping = false
    else if (frame.op === op.leave) {
      this.#leaving = true
      this.#waiting?.resolve(null)
    } else return false
    return true
  }

  next(): Assignment | null | Promise<Assignment | null> {
    // A report that the socket has not taken whole is one that the broker cannot read before the lease is over: it would take back,
    // and give to another worker, what was started here.
    if (this.#link.writing) return this.#nextWhenWritten()
    const assignment = this.#take()
    if (assignment !== null) return assignment
    this.#link.flush()
    if (this.#leaving) return null
    this.#waiting = deferred<Assignment | null>()
    return this.#waiting.promise
  }

  async #nextWhenWritten(): Promise<Assignment | null> {
    await this.#link.flushed()
    return this.next()
  }

  /** The first of those ahead, if the lease lasts. */
  #take(): Assignment | null {
    let passedOver = false
    while (this.#ahead.length > 0) {
      if (monotonic() >= this.#lease) {
        this.#ahead.drain()
        this.#runAhead = 0
        this.#dropping = true
        this.#link.send(op.idle, 0, 0)
        this.#link.flush()
        break
      }
      const assignment = this.#ahead.shift() as Assignment
      this.#started = assignment
      this.#reported = assignment.first
      this.#dropped = false
      if (this.#unwanted.size === 0 || !this.#unwanted.delete(assignment.chunk)) {
        // Before the next one starts: else the broker would take the one before it for the one that runs.
        if (passedOver) this.#link.flush()
        return assignment
      }
      // In its turn, so that the broker, which goes by the order, hears of it as of any other.
      const { chunk, first, count } = assignment
      this.#started = null
      this.#runAhead = 0
      this.#link.send(op.report, 0, chunk, reportHead(count, first, count - first))
      passedOver = true
    }
    // A drop follows its chunk, so what is not ahead now was started before the drop came.
    this.#unwanted.clear()
    return null
  }

  /**
   * Leaves at once, so that it outlives this process, unless the tasks are so short that writing takes longer than they do: those share
   * a write, as many as the last report has announced, and are lost together if the process dies in one of them. Should one of those turn
   * out to be slow and never let the event loop turn, what was finished before it is told after it: nobody knows beforehand.
   */
  report(chunk: number, first: number, count: number, outcomes: Uint8Array, until: number): void {
    const now = performance.now()
    const took = now - this.#last
    this.#last = now
    this.#quick = took < QUICK ? this.#quick + 1 : 0
    this.#reported = first + count
    if (this.#reported === this.#started?.count && this.#started.count > 1 && this.#goesOn(this.#started)) {
      // It leaves with what is said of the next chunk before its first task starts: until then nothing but that chunk is looked at.
      this.#started = null
      this.#runAhead = 0
      this.#link.send(op.report, 0, chunk, reportHead(until, first, count), outcomes)
      return
    }
    // Only whole chunks gather: within a chunk the broker goes by `until`, which has to be there before a task beyond it starts.
    const ends = this.#reported === this.#started?.count
    if (ends) this.#started = null
    const gathers = ends && this.#runAhead > 0 && this.#ahead.length > 0 && now - this.#written < GATHER
    if (gathers) this.#runAhead -= 1
    else {
      const alone = !ends || this.#quick < CAREFUL || this.#ahead.length === 0
      this.#runAhead = alone ? 0 : Math.min(Math.floor(GATHER / Math.max(took, 0.001)), this.#singlesAhead())
    }
    this.#link.send(op.report, this.#runAhead, chunk, reportHead(until, first, count), outcomes)
    if (gathers) return
    this.#written = now
    this.#link.flush()
  }

  dropped(): boolean {
    return this.#dropped
  }

  retire(): void {
    this.#link.send(op.retire, 0, 0)
    this.#link.flush()
  }

  /** What was gathered leaves now, and but for the running chunk all that was given here may run elsewhere. */
  settle(): void {
    if (this.#runAhead > 0) {
      this.#runAhead = 0
      const running = this.#started ?? this.#ahead.peek()
      if (running !== undefined) {
        const first = this.#started === null ? running.first : this.#reported
        this.#link.send(op.report, 0, running.chunk, reportHead(first + 1, first, 0))
      }
    }
    this.#link.flush()
  }

  /** Whether another chunk of many tasks of this kind comes at once. */
  #goesOn({ target }: Assignment): boolean {
    const next = this.#ahead.peek()
    return next !== undefined && next.count > 1 && next.target === target && next.payload.length <= SMALL
  }

  /** How many chunks of one task are next in line. */
  #singlesAhead(): number {
    let singles = 0
    for (const { count } of this.#ahead) {
      if (count > 1) break
      singles += 1
    }
    return singles
  }

  #drop(chunk: number): void {
    if (this.#started?.chunk === chunk) this.#dropped = true
    else this.#unwanted.add(chunk)
  }

  #assigned(frame: Frame): void {
    if (this.#dropping) return
    const { lease, first, target, shape, count, terms, payload } = readAssign(frame)
    this.#lease = lease
    const ref = this.#targets.get(target)
    if (ref === undefined) return
    const timed = terms !== null && terms.timeout > 0
    const assignment: Assignment = { chunk: frame.b, target: ref, shape, count, payload, timed, first }
    this.#ahead.push(assignment)
    if (this.#waiting === null) return
    // Its lease may be over all the same: it lay in the socket as long as the last task kept the event loop from turning.
    const next = this.#take()
    if (next === null) return
    const waiting = this.#waiting
    this.#waiting = null
    waiting.resolve(next)
  }
}
