/**
 * A fleet whose workers run in this very process: the real seam, the real worker half, without a transport. A "killed" worker
 * is cut off: its function may run on, as no process can stop its own code, but nothing of it is heard any more.
 */
import type { TargetRef } from '../../src/contract/target.ts'
import type { WaitOptions } from '../../src/contract/wait.ts'
import type {
  Assignment,
  Chunk,
  Fleet,
  FleetEvents,
  FleetSpec,
  FleetStats,
  WorkerLoss,
  WorkerPort,
} from '../../src/contract/fleet.ts'
import { runWorker, type WorkerDeps } from '../../src/pool/worker.ts'
import { deferred } from '../../src/util/deferred.ts'
import { waitFor } from '../../src/util/wait.ts'

export type Death = Partial<Pick<WorkerLoss, 'exitCode' | 'signal' | 'reason' | 'overdue'>>

/** What one worker has told of its chunk. */
interface Progress {
  readonly chunk: Chunk
  /** Tasks below are settled. */
  settled: number
  until: number
  /** Nobody wants the rest. */
  dropped: boolean
}

export interface Report {
  readonly chunk: number
  readonly first: number
  readonly count: number
  readonly until: number
}

interface LoopbackWorker {
  readonly pid: number
  alive: boolean
  running: Progress | null
  idle: ((assignment: Assignment | null) => void) | null
}

export class LoopbackFleet implements Fleet {
  readonly workers: LoopbackWorker[] = []
  readonly submitted: Chunk[] = []
  readonly cancelled: number[] = []
  readonly left: number[] = []
  readonly reports: Report[] = []
  readonly targets = new Map<number, TargetRef>()
  closed = false
  keptAlive = false
  /** What the next `submit` throws. */
  refuse: Error | null = null
  readonly #spec: FleetSpec
  readonly #events: FleetEvents
  readonly #deps: WorkerDeps
  readonly #queue: { readonly chunk: Chunk; readonly first: number }[] = []
  readonly #ended = deferred()
  #nextPid = 1001

  constructor(spec: FleetSpec, events: FleetEvents, deps: WorkerDeps) {
    this.#spec = spec
    this.#events = events
    this.#deps = deps
    for (let n = 0; n < spec.size; n += 1) this.#start()
  }

  get alive(): number {
    return this.workers.filter((worker) => worker.alive).length
  }

  keepAlive(on: boolean): void {
    this.keptAlive = on
  }

  target(id: number, ref: TargetRef): void {
    if (this.targets.has(id)) throw new Error(`target ${id} was made known twice`)
    this.targets.set(id, ref)
  }

  submit(chunk: Chunk): void {
    if (this.closed) throw new Error('submitted to a closed fleet')
    if (this.refuse !== null) throw this.refuse
    this.submitted.push(chunk)
    this.#queue.push({ chunk, first: 0 })
    this.#dispatch()
  }

  cancel(ids: readonly number[]): void {
    for (const id of ids) {
      this.cancelled.push(id)
      const waiting = this.#queue.findIndex(({ chunk }) => chunk.id === id)
      if (waiting >= 0) this.#queue.splice(waiting, 1)
      const worker = this.workers.find(({ alive, running }) => alive && running?.chunk.id === id)
      if (worker !== undefined) this.#replace(worker)
    }
    this.#endIdle()
  }

  leave(ids: readonly number[]): void {
    for (const id of ids) {
      this.left.push(id)
      const waiting = this.#queue.findIndex(({ chunk }) => chunk.id === id)
      if (waiting >= 0) this.#queue.splice(waiting, 1)
      const worker = this.workers.find(({ alive, running }) => alive && running?.chunk.id === id)
      if (worker?.running != null) worker.running.dropped = true
    }
    this.#endIdle()
  }

  close(): void {
    this.closed = true
    this.#endIdle()
  }

  terminate(): Promise<void> {
    this.closed = true
    this.#queue.length = 0
    for (const worker of this.workers) worker.alive = false
    this.#endIdle()
    return this.#ended.promise
  }

  stats(): Promise<FleetStats> {
    throw new Error('not asked for here')
  }

  join(wait?: WaitOptions): Promise<void> {
    return waitFor(this.#ended.promise, wait, 'the loopback fleet had not ended')
  }

  /** The worker that runs a chunk dies. */
  kill(chunk: number, death: Death = { signal: 'SIGKILL' }): void {
    const worker = this.workers.find(({ alive, running }) => alive && running?.chunk.id === chunk)
    if (worker?.running == null) throw new Error(`no worker runs chunk ${chunk}`)
    const { chunk: lost, settled, until } = worker.running
    if (until < lost.count) this.#queue.unshift({ chunk: lost, first: until })
    this.#replace(worker)
    const { exitCode = null, signal = null, reason = 'signaled', overdue = 0 } = death
    const loss = { pid: worker.pid, host: 'build-1', exitCode, signal, reason, overdue }
    this.#events.lost(lost.id, settled, until - settled, loss)
    this.#dispatch()
  }

  /** The news of a death that a cancel has overtaken. */
  lose(chunk: number, first: number, count: number): void {
    const how = { exitCode: null, signal: 'SIGKILL', reason: 'signaled', overdue: 0 } as const
    this.#events.lost(chunk, first, count, { pid: 1, host: 'build-1', ...how })
  }

  /** The pool as a whole fails. */
  fail(error: Error): void {
    this.#queue.length = 0
    for (const worker of this.workers) worker.alive = false
    this.#events.failed(error)
  }

  /** A report as a buggy or late worker would send it. */
  report(chunk: number, first: number, count: number, outcomes: Uint8Array): void {
    this.#events.done(chunk, first, count, outcomes)
  }

  #replace(worker: LoopbackWorker): void {
    worker.alive = false
    this.#start()
  }

  #start(): void {
    const worker: LoopbackWorker = { pid: this.#nextPid++, alive: true, running: null, idle: null }
    this.workers.push(worker)
    const port: WorkerPort = {
      next: () => this.#next(worker),
      dropped: () => worker.running?.dropped === true,
      report: (chunk, first, count, outcomes, until) => {
        if (worker.alive) this.#report(worker, { chunk, first, count, until }, outcomes)
      },
    }
    void this.#run(worker, port)
  }

  async #run(worker: LoopbackWorker, port: WorkerPort): Promise<void> {
    try {
      if (this.#spec.initializer !== null) {
        const initialize = await this.#deps.resolveTarget(this.#spec.initializer)
        const args = this.#deps.decode(this.#spec.initArgs)
        await initialize(...(Array.isArray(args) ? args : []))
      }
    } catch (error) {
      this.fail(error instanceof Error ? error : new Error(String(error)))
      return
    }
    await runWorker(port, this.#deps)
    worker.alive = false
    this.#endIdle()
  }

  #report(worker: LoopbackWorker, report: Report, outcomes: Uint8Array): void {
    const { running } = worker
    if (running?.chunk.id !== report.chunk || running.settled !== report.first) {
      throw new Error(`a report out of order: ${JSON.stringify(report)}`)
    }
    this.reports.push(report)
    running.settled += report.count
    running.until = report.until
    if (report.count > 0 && !running.dropped) this.#events.done(report.chunk, report.first, report.count, outcomes)
  }

  #next(worker: LoopbackWorker): Assignment | null | Promise<Assignment | null> {
    const { running } = worker
    if (worker.alive && running !== null && running.settled < running.chunk.count) {
      throw new Error(`chunk ${running.chunk.id} was left after ${running.settled} of ${running.chunk.count} tasks`)
    }
    worker.running = null
    // A dead worker never hears again; its promise is left to the garbage collector.
    if (!worker.alive) return new Promise(() => undefined)
    const assignment = this.#take(worker)
    if (assignment !== null) return assignment
    if (this.closed) return null
    return new Promise((resolve) => {
      worker.idle = resolve
    })
  }

  #take(worker: LoopbackWorker): Assignment | null {
    const entry = this.#queue.shift()
    if (entry === undefined) return null
    const { chunk, first } = entry
    const target = this.targets.get(chunk.target)
    if (target === undefined) throw new Error(`target ${chunk.target} is not known`)
    worker.running = { chunk, settled: first, until: first + 1, dropped: false }
    const { id, shape, count, payload, terms } = chunk
    return { chunk: id, target, shape, count, payload, timed: terms !== null && terms.timeout > 0, first }
  }

  #dispatch(): void {
    for (const worker of this.workers) {
      if (!worker.alive || worker.idle === null) continue
      const assignment = this.#take(worker)
      if (assignment === null) return
      const resume = worker.idle
      worker.idle = null
      resume(assignment)
    }
  }

  #endIdle(): void {
    if (!this.closed) return
    for (const worker of this.workers) {
      worker.idle?.(null)
      worker.idle = null
    }
    if (this.alive === 0) this.#ended.resolve()
  }
}
