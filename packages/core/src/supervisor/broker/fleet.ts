/**
 * A pool's workers at the broker. Chunks wait in one line and are pulled by free workers.
 *
 * A quick worker gets some chunks ahead, so that it need not wait for each. What it has ahead it may start only within its
 * lease; then it drops the rest and says so. Past the lease, and with all that it wrote read, the broker takes the rest back
 * for a worker that is free: a slow task never holds up those behind it, and no task is started twice.
 */
import { decode } from '../../codec/index.ts'
import { CrashLoopError, StateError } from '../../errors.ts'
import type { WorkerLoss } from '../../contract/fleet.ts'
import type { Surroundings } from '../boot.ts'
import type { EncodedExit } from '../children.ts'
import { monotonic } from '../../util/clock.ts'
import { Fifo } from '../../util/fifo.ts'
import { type Frame, op } from '../../wire/frame.ts'
import { CancelWatch } from './cancel-watch.ts'
import { report, submitCount } from '../../wire/chunk-frames.ts'
import { BrokerObject, type Methods } from './broker-object.ts'
import { FleetWorker, type OpenChunk, sharesAhead } from './fleet-worker.ts'
import type { Call, Session } from './session.ts'
import type { Starter } from './starter.ts'

/** Milliseconds between the end of a lease and taking back what it covered. */
const MARGIN = 5
/** So many workers in a row that end before they are ready make a crash loop. */
const MOST_FALSE_STARTS = 3
/** Milliseconds that workers get to end when the pool is terminated. */
const GRACE = 1_000

export interface FleetObjectSpec {
  readonly size: number
  readonly initializer: Uint8Array | null
  readonly initArgs: Uint8Array
  readonly surroundings: Surroundings
}

export class FleetObject extends BrokerObject {
  readonly #spec: FleetObjectSpec
  readonly #owner: Session
  readonly #starter: Starter
  readonly #workers = new Set<FleetWorker>()
  readonly #chunks = new Map<number, OpenChunk>()
  readonly #targets = new Map<number, Uint8Array>()
  /** Cancelled ones among them are passed over when their turn comes, or cleared away when they are many. */
  readonly #waiting = new Fifo<OpenChunk>()
  #cancelledWaiting = 0
  readonly #cancels = new CancelWatch<FleetWorker>((worker) => this.#workers.has(worker))
  readonly #joiners = new Set<Call>()
  #number = 0
  #started = 0
  #falseStarts = 0
  #state: 'open' | 'closing' | 'ending' = 'open'
  #dispatching = false
  #rescue: NodeJS.Timeout | null = null

  constructor(name: string, spec: FleetObjectSpec, owner: Session, starter: Starter) {
    super('fleet', name)
    this.#spec = spec
    this.#owner = owner
    this.#starter = starter
  }

  protected override readonly methods: Methods = {
    terminate: (call) => {
      this.#end()
      this.#whenEmpty(call)
    },
    join: (call) => this.#whenEmpty(call),
  }

  override post(_session: Session, _object: number, method: string, args: readonly unknown[]): void {
    if (method === 'target') this.#targets.set(args[0] as number, args[1] as Uint8Array)
    else if (method === 'cancel') this.#cancel(args[0] as readonly number[])
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
      payload: frame.payload,
      first: 0,
      cancelled: false,
      worker: null,
    }
    this.#chunks.set(chunk.id, chunk)
    this.#waiting.push(chunk)
    this.#dispatchSoon()
  }

  override check(): void {
    throw new StateError('a pool cannot be opened twice')
  }

  override join(_session: Session, number: number): void {
    this.#number = number
    while (this.#workers.size < this.#spec.size) this.#startWorker()
  }

  override leave(): void {
    this.remove?.(new StateError('the pool ended with its creator'))
  }

  override end(): void {
    for (const worker of this.#workers) worker.child?.kill()
    this.#end()
  }

  // Workers

  #startWorker(): void {
    const worker = new FleetWorker()
    this.#workers.add(worker)
    this.#started += 1
    const count = this.#started
    const { initializer, initArgs, surroundings } = this.#spec
    worker.placed = this.#starter.start(
      {
        id: `${this.name.slice(1)}-w${count}`,
        name: `PoolWorker-${count}`,
        daemon: true,
        parent: this.#owner.process,
        role: { kind: 'worker', initializer, initArgs },
        surroundings,
        options: { env: {}, cwd: null, stdio: 'inherit' },
      },
      {
        started: (child, { pid, host }) => {
          worker.child = child
          worker.pid = pid
          worker.host = host
        },
        loaded: () => undefined,
        frame: (frame) => this.#heard(worker, frame),
        ended: (exit) => this.#workerEnded(worker, exit),
      },
    )
  }

  #heard(worker: FleetWorker, frame: Frame): boolean {
    if (frame.op === op.report) this.#reported(worker, frame)
    else if (frame.op === op.ready) {
      worker.ready = true
      this.#falseStarts = 0
      this.#dispatch()
    } else if (frame.op === op.unready) {
      this.#fail(frame.payload)
    } else if (frame.op === op.idle || frame.op === op.recalled) {
      this.#requeue(frame.op === op.idle ? worker.dropped() : worker.recalled(frame.a))
      this.#dispatch()
    } else return false
    return true
  }

  #reported(worker: FleetWorker, frame: Frame): void {
    const count = report.count(frame)
    const chunk = worker.running
    if (chunk === undefined || chunk.id !== frame.b) return
    if (worker.report(report.first(frame), count, report.until(frame), frame.a)) this.#chunks.delete(chunk.id)
    if (count > 0 && !chunk.cancelled) this.#owner.send(op.done, this.#number, chunk.id, undefined, report.done(frame))
    // A chunk that was cancelled behind this one may be the one that runs now.
    if (worker.suspect) this.#cancels.watch(worker)
    this.#dispatchSoon()
  }

  #workerEnded(worker: FleetWorker, exit: EncodedExit): void {
    this.#workers.delete(worker)
    const { losses, chunks } = worker.died()
    const loss: WorkerLoss = { pid: worker.pid, host: worker.host, exitCode: exit.exitCode, signal: exit.signal }
    for (const { chunk, count } of losses) {
      if (!chunk.cancelled) this.#owner.event(this.#number, 'lost', chunk.id, chunk.first, count, loss)
      chunk.first += count
      if (chunk.first >= chunk.count) this.#chunks.delete(chunk.id)
    }
    this.#requeue(chunks.filter((chunk) => chunk.first < chunk.count))
    if (this.#state !== 'ending') {
      if (!worker.ready && exit.reason !== 'host-lost') this.#falseStart(exit)
      if (this.#state === 'open' || this.#chunks.size > 0) {
        while (this.#workers.size < this.#spec.size) this.#startWorker()
      }
    }
    this.#dispatch()
    if (this.#workers.size > 0) return
    for (const call of this.#joiners) call.ok(true)
    this.#joiners.clear()
    this.#owner.event(this.#number, 'ended')
    this.remove?.(new StateError('the workers of the pool have ended'))
  }

  #falseStart(exit: EncodedExit): void {
    this.#falseStarts += 1
    if (this.#falseStarts < MOST_FALSE_STARTS && exit.error === null) return
    if (exit.error !== null) {
      this.#fail(exit.error)
      return
    }
    const how = exit.signal === null ? `exit code ${String(exit.exitCode)}` : exit.signal
    this.#failWith(
      new CrashLoopError(
        `${MOST_FALSE_STARTS} workers of the pool in a row ended before they could take a task, the last with ${how}; see their standard error`,
      ),
    )
  }

  #fail(payload: Uint8Array): void {
    const error = decode(payload, () => {
      throw new StateError('an error cannot hold a handle here')
    })
    this.#failWith(error instanceof Error ? error : new StateError(`the initializer threw ${String(error)}`))
  }

  #failWith(error: Error): void {
    if (this.#state === 'ending') return
    this.#owner.event(this.#number, 'failed', error)
    this.#end()
  }

  // Chunks

  #requeue(chunks: readonly OpenChunk[]): void {
    for (const chunk of chunks.toReversed()) {
      chunk.worker = null
      if (chunk.cancelled) this.#chunks.delete(chunk.id)
      else this.#waiting.unshift(chunk)
    }
  }

  #cancel(ids: readonly number[]): void {
    for (const id of ids) {
      const chunk = this.#chunks.get(id)
      if (chunk === undefined || chunk.cancelled) continue
      chunk.cancelled = true
      if (chunk.worker === null) {
        this.#chunks.delete(id)
        this.#cancelledWaiting += 1
      } else {
        chunk.worker.drop(chunk)
        this.#cancels.watch(chunk.worker)
      }
    }
    // So that each has been looked at twice at most, however many are cancelled one by one.
    if (this.#cancelledWaiting * 2 > this.#waiting.length) {
      this.#waiting.keep((chunk) => !chunk.cancelled)
      this.#cancelledWaiting = 0
    }
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
    if (this.#waiting.length > 0) {
      for (const worker of this.#workers) if (worker.idle) this.#give(worker, 1)
      const left = this.#waiting.length - this.#cancelledWaiting
      for (const [worker, count] of sharesAhead(this.#workers, left)) this.#give(worker, count)
    }
    if (this.#nothingWaits) this.#lookAfterBacklogs()
    if (this.#state === 'closing' && this.#chunks.size === 0) {
      for (const worker of this.#workers) {
        if (worker.leaving || !worker.ready) continue
        worker.leaving = true
        worker.child?.link.send(op.leave, 0, 0)
      }
    }
  }

  #give(worker: FleetWorker, count: number): void {
    for (let left = count; left > 0; left -= 1) {
      const chunk = this.#nextWaiting()
      if (chunk === undefined) return
      worker.assign(chunk, (id) => this.#targets.get(id) as Uint8Array)
    }
  }

  #nextWaiting(): OpenChunk | undefined {
    for (;;) {
      const chunk = this.#waiting.shift()
      if (chunk?.cancelled !== true) return chunk
      this.#cancelledWaiting -= 1
    }
  }

  get #nothingWaits(): boolean {
    return this.#waiting.length === this.#cancelledWaiting
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
    if (this.#nothingWaits && [...this.#workers].some((worker) => worker.idle)) {
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
    this.#waiting.drain()
    this.#cancelledWaiting = 0
    this.#chunks.clear()
    for (const worker of this.#workers) {
      worker.placed?.cancel()
      worker.child?.terminate(GRACE)
    }
  }

  #whenEmpty(call: Call): void {
    const [poll] = call.args
    if (this.#workers.size === 0 || poll === true) {
      call.ok(this.#workers.size === 0)
      return
    }
    this.#joiners.add(call)
    call.waits(() => this.#joiners.delete(call))
  }
}
