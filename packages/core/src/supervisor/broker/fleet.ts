/**
 * A pool's workers at the broker. Chunks wait in one line and are pulled by free workers.
 *
 * A quick worker gets some chunks ahead, so that it need not wait for each. What it has ahead it may start only within its
 * lease; then it drops the rest and says so. Past the lease, and with all that it wrote read, the broker takes the rest back
 * for a worker that is free: a slow task never holds up those behind it, and no task is started twice.
 */
import { StateError } from '../../errors.ts'
import type { FleetStats, WorkerLoss } from '../../contract/fleet.ts'
import type { EncodedExit } from '../children.ts'
import { monotonic } from '../../util/clock.ts'
import { type Frame, op } from '../../wire/frame.ts'
import { report, submitCount, submitTerms } from '../../wire/chunk-frames.ts'
import { BrokerObject, type Methods } from './broker-object.ts'
import { Crew, type CrewSpec } from './crew.ts'
import { EndWatch } from './end-watch.ts'
import { FleetLine } from './fleet-line.ts'
import { type FleetWorker, type OpenChunk, sharesAhead } from './fleet-worker.ts'
import type { Call, Session } from './session.ts'
import type { Starter } from './starter.ts'

/** Milliseconds between the end of a lease and taking back what it covered. */
const MARGIN = 5
/** What a client says of its pool. */
export type FleetObjectSpec = CrewSpec

export class FleetObject extends BrokerObject {
  readonly #owner: Session
  readonly #crew: Crew
  readonly #workers: ReadonlySet<FleetWorker>
  readonly #chunks = new Map<number, OpenChunk>()
  readonly #targets = new Map<number, Uint8Array>()
  readonly #line = new FleetLine()
  readonly #ends = new EndWatch<FleetWorker>((worker) => this.#workers.has(worker))
  readonly #joiners = new Set<Call>()
  #number = 0
  /** Tasks whose outcomes have come. */
  #done = 0
  #state: 'open' | 'closing' | 'ending' = 'open'
  #dispatching = false
  #rescue: NodeJS.Timeout | null = null

  constructor(name: string, spec: FleetObjectSpec, owner: Session, starter: Starter) {
    super('fleet', name)
    this.#owner = owner
    this.#crew = new Crew(name, spec, owner, starter, {
      ready: () => this.#dispatch(),
      frame: (worker, frame) => this.#heard(worker, frame),
      overdue: (worker) => this.#ends.watch(worker),
      ended: (worker, exit) => this.#workerEnded(worker, exit),
      failed: (error) => this.#fail(error),
    })
    this.#workers = this.#crew.workers
  }

  protected override readonly methods: Methods = {
    terminate: (call) => {
      this.#end()
      this.#whenEmpty(call)
      // Where all have ended idle, nobody's end is to come.
      this.#checkOver()
    },
    join: (call) => this.#whenEmpty(call),
    stats: (call) => call.ok(this.stats()),
  }

  override post(_session: Session, _object: number, method: string, args: readonly unknown[]): void {
    if (method === 'target') this.#targets.set(args[0] as number, args[1] as Uint8Array)
    else if (method === 'cancel') this.#drop(args[0] as readonly number[], true)
    else if (method === 'leave') this.#drop(args[0] as readonly number[], false)
    else if (method === 'close') {
      if (this.#state === 'open') this.#state = 'closing'
      this.#dispatch()
    }
  }

  override frame(_session: Session, frame: Frame): void {
    if (frame.op !== op.submit || this.#state === 'ending') return
    const chunk: OpenChunk = {
      id: frame.b,
      count: submitCount(frame),
      terms: submitTerms(frame),
      payload: frame.payload,
      first: 0,
      wanted: true,
      cancelled: false,
      worker: null,
    }
    this.#chunks.set(chunk.id, chunk)
    this.#line.push(chunk)
    this.#dispatchSoon()
  }

  override check(): void {
    throw new StateError('a pool cannot be opened twice')
  }

  override join(_session: Session, number: number): void {
    this.#number = number
    this.#crew.fill()
  }

  override leave(): void {
    this.remove?.(new StateError('the pool ended with its creator'))
  }

  override end(): void {
    this.#crew.kill()
    this.#end()
  }

  /** As of now. What a subclass keeps back counts as waiting by its own account. */
  protected stats(): FleetStats {
    const workers = [...this.#workers]
    let left = 0
    for (const { wanted, count, first } of this.#chunks.values()) if (wanted) left += count - first
    const running = workers.filter((worker) => worker.state === 'busy').length
    return {
      workers: workers.map(({ child, pid, host, state, tasks }) =>
        child === null ? { pid: null, host: null, state, tasks } : { pid, host, state, tasks },
      ),
      waiting: Math.max(0, left - running),
      running,
      done: this.#done,
      ...this.#crew.turnover,
    }
  }

  // Workers

  #heard(worker: FleetWorker, frame: Frame): boolean {
    if (frame.op === op.report) this.#reported(worker, frame)
    else if (frame.op === op.idle || frame.op === op.recalled) {
      this.#requeue(frame.op === op.idle ? worker.dropped() : worker.recalled(frame.a))
      this.#dispatch()
    } else if (frame.op === op.retire) {
      this.#requeue(worker.retired())
      this.#dispatch()
    } else if (frame.op === op.overdue) worker.condemned(frame.b, frame.a)
    else return false
    return true
  }

  #reported(worker: FleetWorker, frame: Frame): void {
    const count = report.count(frame)
    const chunk = worker.running
    if (chunk === undefined || chunk.id !== frame.b) return
    if (worker.report(report.first(frame), count, report.until(frame), frame.a)) this.#chunks.delete(chunk.id)
    if (count > 0 && chunk.wanted) {
      this.#done += count
      worker.tasks += count
      this.#owner.send(op.done, this.#number, chunk.id, undefined, report.done(frame))
    }
    // A chunk that was cancelled behind this one may be the one that runs now.
    if (worker.suspect) this.#ends.watch(worker)
    this.#dispatchSoon()
  }

  #workerEnded(worker: FleetWorker, exit: EncodedExit): void {
    const { losses, chunks } = worker.died()
    const { exitCode, signal, reason } = exit
    for (const { chunk, count, overdue } of losses) {
      const loss: WorkerLoss = { pid: worker.pid, host: worker.host, exitCode, signal, reason, overdue }
      if (chunk.wanted) this.#owner.event(this.#number, 'lost', chunk.id, chunk.first, count, loss)
      chunk.first += count
      if (chunk.first >= chunk.count) this.#chunks.delete(chunk.id)
    }
    this.#requeue(chunks.filter((chunk) => chunk.first < chunk.count))
    if (this.#state === 'open' || this.#chunks.size > 0) this.#crew.replace(this.#line.length)
    this.#dispatch()
    if (this.#state === 'ending') this.#checkOver()
  }

  /** Nothing is left to do, and nobody to do it. */
  get #over(): boolean {
    return this.#state !== 'open' && this.#workers.size === 0 && this.#chunks.size === 0
  }

  #checkOver(): void {
    if (!this.#over) return
    this.#state = 'ending'
    for (const call of this.#joiners) call.ok(true)
    this.#joiners.clear()
    this.#owner.event(this.#number, 'ended', this.stats())
    this.remove?.(new StateError('the workers of the pool have ended'))
  }

  #fail(error: Error): void {
    if (this.#state === 'ending') return
    this.#owner.event(this.#number, 'failed', error)
    this.#end()
  }

  // Chunks

  #requeue(chunks: readonly OpenChunk[]): void {
    for (const chunk of chunks) {
      chunk.worker = null
      if (!chunk.wanted) this.#chunks.delete(chunk.id)
    }
    this.#line.giveBack(chunks.filter((chunk) => chunk.wanted))
  }

  /** @param cancel ends what runs of them, too */
  #drop(ids: readonly number[], cancel: boolean): void {
    let waiting = 0
    for (const id of ids) {
      const chunk = this.#chunks.get(id)
      if (chunk === undefined || !chunk.wanted) continue
      chunk.wanted = false
      chunk.cancelled = cancel
      if (chunk.worker === null) {
        this.#chunks.delete(id)
        waiting += 1
      } else {
        chunk.worker.drop(chunk)
        if (cancel) this.#ends.watch(chunk.worker)
      }
    }
    this.#line.unwanted(waiting)
    this.#dispatchSoon()
  }

  /** Once for all frames that have come together. */
  #dispatchSoon(): void {
    if (this.#dispatching) return
    this.#dispatching = true
    queueMicrotask(() => {
      this.#dispatching = false
      for (const worker of this.#workers) worker.measure()
      this.#dispatch()
    })
  }

  #dispatch(): void {
    if (this.#state === 'ending') return
    if (this.#line.length > 0) {
      for (const worker of this.#workers) if (worker.idle) this.#give(worker, 1)
      for (const [worker, count] of sharesAhead(this.#workers, this.#line.length)) this.#give(worker, count)
    }
    if (this.#line.length === 0) this.#lookAfterBacklogs()
    else this.#crew.grow(this.#line.length)
    this.#crew.rest()
    if (this.#state !== 'closing' || this.#chunks.size > 0) return
    this.#crew.dismiss()
    this.#checkOver()
  }

  #give(worker: FleetWorker, count: number): void {
    for (let left = count; left > 0; left -= 1) {
      const chunk = this.#line.shift()
      if (chunk === undefined) return
      worker.assign(chunk, (id) => this.#targets.get(id) as Uint8Array)
    }
  }

  /** Nothing waits here. If somebody is free while others have chunks ahead, those come back when their lease is over. */
  #lookAfterBacklogs(): void {
    if (this.#rescue !== null || ![...this.#workers].some((worker) => worker.idle)) return
    const ends = [...this.#workers].flatMap((worker) => worker.leaseEnd ?? [])
    if (ends.length === 0) return
    this.#rescue = setTimeout(
      () => {
        // What a worker wrote before its lease ended may still lie in its socket: two turns of the loop read it.
        setImmediate(() => setImmediate(() => this.#rescueBacklogs()))
      },
      Math.max(0, Math.min(...ends) + MARGIN - monotonic()),
    )
  }

  #rescueBacklogs(): void {
    this.#rescue = null
    if (this.#line.length === 0 && [...this.#workers].some((worker) => worker.idle)) {
      const late = monotonic() - MARGIN
      for (const worker of this.#workers) {
        if (worker.leaseEnd !== null && worker.leaseEnd < late) this.#requeue(worker.takeBack())
      }
    }
    this.#dispatch()
  }

  // The end

  #end(): void {
    if (this.#state === 'ending') return
    this.#state = 'ending'
    if (this.#rescue !== null) clearTimeout(this.#rescue)
    this.#line.clear()
    this.#chunks.clear()
    this.#crew.end()
  }

  #whenEmpty(call: Call): void {
    const [poll] = call.args
    if (this.#over || poll === true) {
      call.ok(this.#over)
      return
    }
    this.#joiners.add(call)
    call.waits(() => this.#joiners.delete(call))
  }
}
