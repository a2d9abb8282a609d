/** The workers of a fleet: started, heard, replaced, ended. What they work on is the fleet's business. */
import { decode } from '../../codec/index.ts'
import type { Needs } from '../../contract/adapter.ts'
import type { WorkerLimits } from '../../contract/fleet.ts'
import { CrashLoopError, StateError } from '../../errors.ts'
import { type Frame, op } from '../../wire/frame.ts'
import { plainOptions, type Surroundings } from '../boot.ts'
import type { EncodedExit } from '../children.ts'
import { FleetWorker } from './fleet-worker.ts'
import { IdleWatch } from './idle-watch.ts'
import type { Session } from './session.ts'
import type { Starter } from './starter.ts'

/** So many workers in a row that end before they are ready make a crash loop. */
const MOST_FALSE_STARTS = 3
/** Milliseconds that workers get to end when the pool is terminated. */
const GRACE = 1_000

export interface CrewSpec {
  readonly size: number
  readonly initializer: Uint8Array | null
  readonly initArgs: Uint8Array
  readonly limits: WorkerLimits | null
  readonly idleTimeout: number | null
  readonly needs: Needs | null
  readonly surroundings: Surroundings
}

export interface CrewEvents {
  /** A worker can take chunks. */
  ready(): void
  /** What a worker says of its chunks; `false`: it is its session's. */
  frame(worker: FleetWorker, frame: Frame): boolean
  /** The task that a worker runs has exceeded its time. */
  readonly overdue: (worker: FleetWorker) => void
  /** A worker has ended. It counts no more. */
  ended(worker: FleetWorker, exit: EncodedExit): void
  /** No worker can work: the initializer threw, or they end before they can begin. */
  failed(error: Error): void
}

export class Crew {
  readonly workers: Set<FleetWorker> = new Set()
  readonly #name: string
  readonly #spec: CrewSpec
  readonly #owner: Session
  readonly #starter: Starter
  readonly #events: CrewEvents
  /** `null`: workers wait for work, however long. */
  readonly #idlers: IdleWatch<FleetWorker> | null
  #started = 0
  #lost = 0
  #falseStarts = 0
  #over = false

  constructor(name: string, spec: CrewSpec, owner: Session, starter: Starter, events: CrewEvents) {
    this.#name = name
    this.#spec = spec
    this.#owner = owner
    this.#starter = starter
    this.#events = events
    const { idleTimeout } = spec
    this.#idlers = idleTimeout === null ? null : new IdleWatch(idleTimeout, (worker) => this.#dismiss(worker))
  }

  /** How many were started, and how many of them have died, so far. */
  get turnover(): { readonly started: number; readonly lost: number } {
    return { started: this.#started, lost: this.#lost }
  }

  /** As many as the pool has. */
  fill(): void {
    while (!this.#over && this.workers.size < this.#spec.size) this.#start()
  }

  /** Some have ended. @param waiting chunks that nobody has: those that end when idle come again for them only */
  replace(waiting: number): void {
    if (this.#idlers === null) this.fill()
    else this.grow(waiting)
  }

  /** Where workers end when idle: as many more as there are chunks that nobody has, at most. */
  grow(waiting: number): void {
    if (this.#idlers === null) return
    let coming = 0
    for (const worker of this.workers) if (!worker.ready) coming += 1
    for (; !this.#over && coming < waiting && this.workers.size < this.#spec.size; coming += 1) this.#start()
  }

  /** All that there is to do has been given out. */
  rest(): void {
    this.#idlers?.look(this.workers)
  }

  /** They end when what they have is done. */
  dismiss(): void {
    for (const worker of this.workers) this.#dismiss(worker)
  }

  /** They end now. */
  end(): void {
    this.#over = true
    this.#idlers?.stop()
    for (const worker of this.workers) {
      worker.placed?.cancel()
      worker.child?.terminate(GRACE)
    }
  }

  /** They end at once. */
  kill(): void {
    this.#over = true
    this.#idlers?.stop()
    for (const worker of this.workers) {
      worker.placed?.cancel()
      worker.child?.kill()
    }
  }

  #dismiss(worker: FleetWorker): void {
    if (worker.leaving || !worker.ready) return
    worker.leaving = true
    worker.child?.link.send(op.leave, 0, 0)
  }

  #start(): void {
    const worker = new FleetWorker(this.#events.overdue)
    this.workers.add(worker)
    this.#started += 1
    const count = this.#started
    const { initializer, initArgs, limits, needs, surroundings } = this.#spec
    worker.placed = this.#starter.start(
      {
        id: `${this.#name.slice(1)}-w${count}`,
        name: `PoolWorker-${count}`,
        daemon: true,
        parent: this.#owner.process,
        role: { kind: 'worker', initializer, initArgs, limits },
        surroundings,
        options: { ...plainOptions, needs },
      },
      {
        started: (child, { pid, host }) => {
          worker.child = child
          worker.pid = pid
          worker.host = host
        },
        released: () => {
          worker.child = null
        },
        loaded: () => undefined,
        frame: (frame) => this.#heard(worker, frame),
        ended: (exit) => this.#ended(worker, exit),
      },
    )
  }

  #heard(worker: FleetWorker, frame: Frame): boolean {
    if (frame.op === op.ready) {
      worker.ready = true
      this.#falseStarts = 0
      this.#events.ready()
    } else if (frame.op === op.unready) this.#failed(frame.payload)
    else return this.#events.frame(worker, frame)
    return true
  }

  #ended(worker: FleetWorker, exit: EncodedExit): void {
    this.workers.delete(worker)
    if (!this.#over && !worker.leaving) this.#lost += 1
    if (!this.#over && !worker.ready && exit.reason !== 'host-lost') this.#falseStart(exit)
    this.#events.ended(worker, exit)
  }

  #falseStart(exit: EncodedExit): void {
    this.#falseStarts += 1
    if (exit.error !== null) this.#failed(exit.error)
    else if (this.#falseStarts === MOST_FALSE_STARTS) {
      const how = exit.signal === null ? `exit code ${String(exit.exitCode)}` : exit.signal
      this.#events.failed(
        new CrashLoopError(
          `${MOST_FALSE_STARTS} workers of the pool in a row ended before they could take a task, the last with ${how}; see their standard error`,
        ),
      )
    }
  }

  #failed(payload: Uint8Array): void {
    const error = decode(payload, () => {
      throw new StateError('an error cannot hold a handle here')
    })
    this.#events.failed(error instanceof Error ? error : new StateError(`the initializer threw ${String(error)}`))
  }
}
