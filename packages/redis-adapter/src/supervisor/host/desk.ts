/**
 * Between a worker that runs here and the pool of another program that it works for. Chunks that come ahead wait here, not in the worker,
 * so that the pool can have back at any moment what was not begun, whatever the clocks of the two machines say. Cancelled chunks, and tasks
 * that exceed their time, are dealt with here, too: only the worker's own machine can stop it and look.
 */
import { Alarm, assignHead, EndWatch, type Frame, KeptFrame, monotonic, op, type Op } from '@skein/core/adapter'
import { type Child, readAssign, report, reportHead } from '@skein/core/adapter'

/** Before what `submit` carries, an `assign` has a lease and an index. */
const SUBMIT = 12

interface Begun {
  readonly id: number
  readonly count: number
  /** Milliseconds that each task may run; 0: any time. */
  readonly timeout: number
  /** The first task without an outcome. */
  first: number
  cancelled: boolean
}

/** How the desk speaks to the pool. */
export type Relay = (kind: Op, a: number, b: number, head?: Uint8Array, tail?: Uint8Array) => void

export class Desk {
  readonly #child: Child
  readonly #relay: Relay
  readonly #waiting: KeptFrame[] = []
  readonly #dropped = new Set<number>()
  readonly #ends = new EndWatch<Desk>((desk) => desk === this && !this.#over)
  readonly #alarm = new Alarm(() => this.#ends.watch(this))
  #begun: Begun | null = null
  /** When the running task has exceeded its time, on the monotonic clock in ms. */
  #deadline: number | null = null
  #leaving = false
  #draining = false
  #over = false
  suspect = false
  heard = 0

  constructor(child: Child, relay: Relay) {
    this.#child = child
    this.#relay = relay
  }

  // What the watch on what must not go on looks at

  get pid(): number {
    return this.#child.pid ?? 0
  }

  get child(): Child {
    return this.#child
  }

  get atRisk(): readonly { readonly cancelled: boolean }[] {
    return this.#begun === null ? [] : [this.#begun]
  }

  get hasCancelled(): boolean {
    return this.#begun?.cancelled === true
  }

  get overdue(): boolean {
    return this.#deadline !== null && monotonic() >= this.#deadline
  }

  condemn(): void {
    if (this.#begun !== null) this.#relay(op.overdue, this.#begun.first, this.#begun.id)
  }

  /** A frame of the pool. */
  told(frame: Frame): void {
    if (frame.op === op.assign) {
      this.#waiting.push(new KeptFrame(frame))
      this.#next()
    } else if (frame.op === op.drop) this.#drop(frame)
    else if (frame.op === op.leave) {
      this.#leaving = true
      this.#next()
    } else this.#child.link.send(frame.op as Op, frame.a, frame.b, undefined, frame.payload)
  }

  /** A frame of the worker for its pool. `false`: it is meant for this program. */
  said(frame: Frame): boolean {
    if (frame.op === op.report) {
      if (this.#begun?.id === frame.b) this.#reported(this.#begun, report.first(frame) + report.count(frame))
      this.#relay(op.report, frame.a, frame.b, undefined, frame.payload)
      this.#next()
    } else if (frame.op === op.retire) {
      // It takes nothing more, so the pool has back what waits here along with the rest.
      this.#begun = null
      this.#waiting.length = 0
      this.#dropped.clear()
      this.end()
      this.#relay(op.retire, 0, 0)
    } else if (frame.op === op.ready || frame.op === op.unready) {
      this.#relay(frame.op, frame.a, frame.b, undefined, frame.payload)
    } else return false
    return true
  }

  /** The pool wants back what was not begun. */
  recall(): void {
    const [first] = this.#waiting.splice(0)
    this.#dropped.clear()
    this.#relay(op.recalled, first?.a ?? 0xffff_ffff, 0)
  }

  /** It runs to its end what it has begun, and nothing after that; then it goes. */
  drain(): void {
    this.#draining = true
    this.#retire()
  }

  /** To its pool it is as a worker that has run all that it may. */
  #retire(): void {
    if (!this.#draining || this.#begun !== null || this.#over) return
    this.#waiting.length = 0
    this.#dropped.clear()
    this.end()
    this.#relay(op.retire, 0, 0)
    this.#child.link.send(op.leave, 0, 0)
  }

  /** The worker has ended. */
  end(): void {
    this.#over = true
    this.#alarm.stop()
  }

  #reported(begun: Begun, first: number): void {
    begun.first = first
    const done = first >= begun.count
    this.#deadline = done || begun.timeout === 0 ? null : monotonic() + begun.timeout
    this.#alarm.set(this.#deadline)
    if (done) this.#begun = null
  }

  #next(): void {
    this.#retire()
    while (this.#begun === null && !this.#over) {
      const chunk = this.#waiting.shift()
      if (chunk === undefined) break
      const { first, count, terms } = readAssign(chunk)
      if (this.#dropped.delete(chunk.b)) {
        // In its turn, as the pool expects it of a worker.
        this.#relay(op.report, 0, chunk.b, reportHead(count, first, count - first))
        continue
      }
      this.#begun = { id: chunk.b, count, timeout: terms?.timeout ?? 0, first, cancelled: false }
      this.#child.link.send(op.assign, chunk.a, chunk.b, assignHead(Infinity, first), chunk.from(SUBMIT))
    }
    if (this.#leaving && this.#begun === null) this.#child.link.send(op.leave, 0, 0)
  }

  #drop({ a: cancel, b: chunk }: Frame): void {
    if (this.#begun?.id === chunk) {
      this.#child.link.send(op.drop, cancel, chunk)
      if (cancel !== 1) return
      this.#begun.cancelled = true
      this.suspect = true
      this.#ends.watch(this)
    } else if (this.#waiting.some(({ b }) => b === chunk)) this.#dropped.add(chunk)
  }
}
