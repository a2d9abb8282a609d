/** The main program's supervisor thread on the local adapter: one per namespace, for as long as a context needs it. */
import { MessageChannel, Worker } from 'node:worker_threads'
import { ClosedError, ConnectionError } from '../errors.ts'
import { currentProcess, nextSerial } from '../current-process.ts'
import { PortLink } from '../wire/port-link.ts'
import { AheadBoard } from './ahead-board.ts'
import { BrokerClient } from './broker-client.ts'
import type { Ground } from './local-adapter.ts'
import { onEnd } from './main-end.ts'
import type { ThreadData } from './supervisor-thread.ts'

const ENTRY = new URL('./supervisor-entry.js', import.meta.url)

/** Milliseconds that children get between SIGTERM and SIGKILL when the program ends early. */
const GRACE = 5_000

const supervisors = new Map<string, LocalSupervisor>()

function pick(env: NodeJS.ProcessEnv, ...names: readonly string[]): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => names.includes(name)))
}

export class LocalSupervisor {
  readonly #namespace: string
  readonly #thread: Worker
  readonly #client: BrokerClient
  readonly #stopped = new Int32Array(new SharedArrayBuffer(4))
  readonly #session: number
  readonly #forgetEnd: () => void
  readonly #ended: Promise<void>
  #users = 0

  /** The supervisor of a namespace, for one more context. */
  static ground(namespace: string): Ground {
    let known = supervisors.get(namespace)
    if (known === undefined) {
      known = new LocalSupervisor(namespace)
      supervisors.set(namespace, known)
    }
    return known.#ground()
  }

  private constructor(namespace: string) {
    this.#namespace = namespace
    const { id, name, pid } = currentProcess()
    const board = new AheadBoard()
    const { port1, port2 } = new MessageChannel()
    const data: ThreadData = {
      port: port2,
      namespace,
      main: { id, name, pid },
      board: board.memory,
      stopped: this.#stopped,
    }
    this.#thread = new Worker(ENTRY, {
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
    this.#session = this.#client.open('session', `~${id}-0`, null, false)
    this.#thread.unref()
    this.#ended = new Promise((resolve) => this.#thread.once('exit', () => resolve()))
    this.#thread.once('error', (error) => {
      this.#retire()
      this.#client.close(
        new ConnectionError('the supervisor thread has failed; what it kept is lost', { cause: error }),
      )
    })
    this.#forgetEnd = onEnd({
      stop: (signal) => this.#stop(signal),
      stopNow: () => this.#stopNow(),
    })
  }

  #ground(): Ground {
    this.#users += 1
    return {
      client: this.#client,
      namespace: this.#namespace,
      processId: currentProcess().id,
      next: nextSerial,
      leave: () => this.#leave(),
    }
  }

  async #leave(): Promise<void> {
    this.#users -= 1
    if (this.#users > 0) return
    this.#retire()
    // A broker that is lost has nothing left to stop; the thread's end is to be awaited all the same.
    await Promise.allSettled([this.#stop(null)])
    this.#forgetEnd()
    this.#thread.ref()
    this.#client.close(new ClosedError('the context is closed; connect() again'))
    await this.#ended
  }

  /** The next context of the namespace gets another supervisor, and may have it already. */
  #retire(): void {
    if (supervisors.get(this.#namespace) === this) supervisors.delete(this.#namespace)
  }

  /** Ends all children: those of a signal at once from a second signal on. */
  async #stop(signal: AbortSignal | null): Promise<void> {
    if (this.#client.lost.aborted) return
    signal?.addEventListener('abort', () => this.#client.post(this.#session, 'kill'), { once: true })
    await this.#client.call(this.#session, 'stop', [GRACE])
  }

  /** As `stop`, for a main thread whose event loop has ended. */
  #stopNow(): void {
    if (this.#client.lost.aborted) return
    this.#client.post(this.#session, 'stop', GRACE)
    this.#client.flush()
    Atomics.wait(this.#stopped, 0, 0, GRACE + 1_000)
  }
}
