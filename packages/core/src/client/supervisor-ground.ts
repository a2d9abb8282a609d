/** The main program's supervisor thread: one per place and namespace, for as long as a context needs it. */
import { MessageChannel, Worker } from 'node:worker_threads'
import { decode } from '../codec/index.ts'
import { ClosedError, ConnectionError } from '../errors.ts'
import { currentProcess, nextSerial } from '../current-process.ts'
import type { ConnectSettings } from '../contract/adapter-module.ts'
import type { Nature } from '../supervisor/boot.ts'
import type { Opening, ThreadData } from '../supervisor/supervise.ts'
import { AheadBoard } from '../wire/ahead-board.ts'
import { PortLink } from '../wire/port-link.ts'
import { sharedReader, SLOT_BYTES } from '../wire/tenure-slot.ts'
import { BrokerClient } from './broker-client.ts'
import type { Ground } from './linked-adapter.ts'
import { onEnd, type Registered } from './main-end.ts'
import { checkSame } from './same-settings.ts'

/** Milliseconds that children get between SIGTERM and SIGKILL when the program ends early. */
const GRACE = 5_000

/** How a supervisor is started. */
export interface Plan {
  /** The thread's module: it makes a `Backend` and calls `supervise`. */
  readonly entry: URL
  /** For that module: whatever a message may carry. */
  readonly start: unknown
  readonly nature: Nature
  readonly namespace: string
  readonly settings: ConnectSettings
  /** How the place is entered (user, password, certificates), by name: compared as it stands, and never shown. Default: nothing. */
  readonly access?: Readonly<Record<string, string>>
}

const supervisors = new Map<string, Supervisor>()

function pick(env: NodeJS.ProcessEnv, ...names: readonly string[]): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => names.includes(name)))
}

class Supervisor {
  readonly #key: string
  readonly #plan: Plan
  readonly #thread: Worker
  readonly #client: BrokerClient
  readonly #stopped = new Int32Array(new SharedArrayBuffer(8))
  readonly #session: number
  #nature: Nature
  readonly #ended: Promise<void>
  readonly #opened: Promise<void>
  #end: Registered | null = null
  /** Contexts that it serves, those included that wait for it to open. */
  #users = 0
  #begun = false

  /** The supervisor of a place and namespace, for one more context. @throws ConflictError if it has other settings than those asked for */
  static for(plan: Plan): Supervisor {
    const key = `${plan.nature.place} ${plan.namespace}`
    let known = supervisors.get(key)
    if (known === undefined) {
      known = new Supervisor(key, plan)
      supervisors.set(key, known)
    } else checkSame(known.#plan, plan)
    return known
  }

  private constructor(key: string, plan: Plan) {
    this.#key = key
    this.#plan = plan
    this.#nature = plan.nature
    const { id, name, pid } = currentProcess()
    const board = new AheadBoard()
    const slot = new SharedArrayBuffer(SLOT_BYTES)
    const { port1, port2 } = new MessageChannel()
    const { entry, start, nature, namespace, settings } = plan
    const data: ThreadData = {
      port: port2,
      namespace,
      nature,
      settings,
      start,
      main: { id, name, pid },
      slot,
      board: board.memory,
      stopped: this.#stopped,
    }
    this.#thread = new Worker(entry, {
      workerData: data,
      transferList: [port2],
      name: 'skein supervisor',
      // Loaders and hooks of the program are not for this thread; its children get the environment with each start.
      execArgv: [],
      env: pick(process.env, 'PATH', 'TMPDIR'),
      // A socket closes the descriptor it was given; by the end of the thread the number may be somebody else's.
      trackUnmanagedFds: false,
    })
    this.#client = new BrokerClient((events) => new PortLink(port1, events, false), board)
    // Whoever connects again gets what there is then.
    this.#client.lost.addEventListener('abort', () => this.#retire())
    if (nature.confirmed) this.#client.leased(sharedReader(slot))
    this.#session = this.#client.open('session', `~${id}-0`, null, false)
    this.#ended = new Promise((resolve) => this.#thread.once('exit', () => resolve()))
    this.#opened = this.#opening()
    this.#thread.once('error', (error) => {
      this.#retire()
      this.#client.close(
        new ConnectionError('the supervisor thread has failed; what it kept is lost', { cause: error }),
      )
    })
  }

  /** For a backend that is there as soon as its thread is. */
  groundNow(): Ground {
    this.#users += 1
    return this.#ground()
  }

  /** For one that has to be opened first. It counts from now on: whoever leaves meanwhile is not the last. */
  async ground(): Promise<Ground> {
    this.#users += 1
    await this.#opened
    const ground = this.#ground()
    // What it holds elsewhere is given back when a signal ends it.
    ground.starts?.()
    return ground
  }

  #ground(): Ground {
    if (!this.#begun) this.#begin()
    return {
      client: this.#client,
      nature: this.#nature,
      namespace: this.#plan.namespace,
      program: currentProcess().id,
      processId: currentProcess().id,
      next: nextSerial,
      starts: () => this.#end?.heed(),
      leave: () => this.#leave(),
    }
  }

  /** From now on it keeps nobody alive by itself, and is stopped with the program. */
  #begin(): void {
    this.#begun = true
    this.#thread.unref()
    this.#end = onEnd({
      stop: (signal) => this.#stop(signal),
      stopNow: () => this.#stopNow(),
      ours: (on) => Atomics.store(this.#stopped, 1, on ? 1 : 0),
    })
  }

  #opening(): Promise<void> {
    const opened = new Promise<void>((resolve, reject) => {
      this.#thread.once('message', (opening: Opening) => {
        if (opening.failed === null) {
          this.#nature = { ...this.#nature, scope: opening.scope }
          resolve()
        } else reject(decode(opening.failed, noHandles))
      })
      this.#thread.once('error', reject)
      this.#thread.once('exit', () => reject(new ConnectionError('the supervisor thread ended before it was ready')))
    })
    opened.catch(() => {
      // Whoever waits for it hears the error; for the next one there is another thread.
      this.#retire()
    })
    return opened
  }

  async #leave(): Promise<void> {
    this.#users -= 1
    if (this.#users > 0) return
    this.#retire()
    // A broker that is lost has nothing left to stop; the thread's end is to be awaited all the same.
    await Promise.allSettled([this.#stop(null)])
    this.#end?.forget()
    this.#thread.ref()
    this.#client.close(new ClosedError('the context is closed; connect() again'))
    await this.#ended
  }

  /** The next context of the namespace gets another supervisor, and may have it already. */
  #retire(): void {
    if (supervisors.get(this.#key) === this) supervisors.delete(this.#key)
  }

  /** Ends all children: those of a signal at once from a second signal on. */
  async #stop(signal: AbortSignal | null): Promise<void> {
    if (this.#client.over) return
    signal?.addEventListener('abort', () => this.#client.post(this.#session, 'kill'), { once: true })
    await this.#client.call(this.#session, 'stop', [GRACE])
  }

  /** As `stop`, for a main thread whose event loop has ended. */
  #stopNow(): void {
    if (this.#client.over) return
    this.#client.post(this.#session, 'stop', GRACE)
    this.#client.flush()
    Atomics.wait(this.#stopped, 0, 0, GRACE + 1_000)
  }
}

function noHandles(): never {
  throw new TypeError('an error of the supervisor cannot hold a handle')
}

/**
 * Ground on the supervisor of this place and namespace, started if there is none; at once, its thread still loading.
 *
 * @throws ConflictError if the process has it with other settings than those asked for
 */
export function groundNow(plan: Plan): Ground {
  return Supervisor.for(plan).groundNow()
}

/**
 * As `groundNow`, for a backend that has to be opened first.
 *
 * @throws what the backend's `open` rejects with; ConnectionError if the thread itself fails; ConflictError as `groundNow`
 */
export async function supervisorGround(plan: Plan): Promise<Ground> {
  return Supervisor.for(plan).ground()
}
