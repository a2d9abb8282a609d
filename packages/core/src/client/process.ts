/** Process, as its users have it: a handle that hears from the broker what becomes of the child. */
import { decode } from '../codec/index.ts'
import type { ChildOptions, RestartSpec } from '../contract/adapter.ts'
import type { ExitStatus, LogLine, LogsOptions, Process, ProcessStatus } from '../contract/process.ts'
import type { WaitOptions } from '../contract/wait.ts'
import { ArgumentError, NoHostError, StateError, TimeoutError, WorkerLostError } from '../errors.ts'
import { assertNotLoadingTarget } from '../target/index.ts'
import { describe } from '../util/describe.ts'
import { checkInteger, checkOptions } from '../util/options.ts'
import { checkWait, isPoll, waitFor } from '../util/wait.ts'
import type { LogAnswer } from '../supervisor/broker/log.ts'
import type { OutputAnswer } from '../supervisor/broker/output.ts'
import type { ProcessNews, StartArgs } from '../supervisor/broker/process.ts'
import { logLines, type LogSource } from './log-lines.ts'
import { RemoteObject, type Place } from './remote-object.ts'
import { type Descriptor, orAborted, outputLines, type OutputSource } from './output.ts'
import { type Exit, ProcessWatch } from './process-watch.ts'
import { surroundings } from './surroundings.ts'

/** Milliseconds to hear why no host has taken a start. */
const ANSWER = 2_500

/** Milliseconds between SIGTERM and SIGKILL, unless `terminate` says otherwise. */
const GRACE = 5_000

/** Loops over output, of all processes. */
let reading = 0

/** Completes "the process …". */
function howItEnded({ exitCode, signal, reason }: Exit): string {
  if (reason === 'out-of-memory') {
    return signal === 'SIGKILL'
      ? 'was killed by the operating system for want of memory (SIGKILL)'
      : `ran out of memory (${String(signal)}; NODE_OPTIONS in env may give it more, as in --max-old-space-size=4096)`
  }
  return signal === null ? `exited with code ${String(exitCode)}` : `was ended by ${signal}`
}

/** What only the handle that made the process has. */
export interface Plan {
  readonly target: Uint8Array
  readonly args: Uint8Array
  readonly options: ChildOptions
  readonly restart: RestartSpec | null
  readonly signal: AbortSignal | null
}

export class LinkedProcess<R> extends RemoteObject<ProcessWatch> implements Process<R> {
  readonly id: string
  readonly daemon: boolean
  /** It outlives its parent. */
  readonly detached: boolean
  readonly stdout: AsyncIterable<string> = this.#lines(1)
  readonly stderr: AsyncIterable<string> = this.#lines(2)
  readonly #label: string
  #plan: Plan | 'started' | null

  /** @param place with the shape `{ label, daemon, detached }` */
  constructor(place: Place, plan: Plan | null) {
    super(place, (client, number) => new ProcessWatch(client, number))
    this.id = place.name
    this.#label = String(place.shape['label'])
    this.daemon = place.shape['daemon'] === true
    this.detached = place.shape['detached'] === true
    this.#plan = plan
  }

  override get label(): string {
    return `process ${this.#label}`
  }

  get pid(): number | null {
    return this.presence.news.pid
  }

  get host(): string | null {
    return this.presence.news.host
  }

  get exitCode(): number | null {
    return this.presence.news.exit?.exitCode ?? null
  }

  /** Whether it was started and has not ended, as known here. */
  get running(): boolean {
    const { state } = this.presence.news
    return this.presence.gone === null && (state === 'starting' || state === 'running')
  }

  /** Calls `told` once when it has ended or its record is gone. */
  whenOver(told: () => void): void {
    this.presence.ended.promise.then(told, told)
  }

  async start(wait?: WaitOptions): Promise<this> {
    assertNotLoadingTarget()
    const own = this.checked(wait)
    if (this.presence.news.state === 'ended')
      throw new StateError(`${this.label} has ended; a process starts once, make another one`)
    if (this.#plan === null) throw new StateError(`${this.label} is started by the process that made it`)
    if (this.#plan === 'started')
      throw new StateError(`${this.label} was started already; a process starts once, make another one`)
    const { target, args, options, restart, signal } = this.#plan
    signal?.throwIfAborted()
    const asked: StartArgs = [target, args, surroundings(), options, restart]
    const started = this.call('start', asked, {
      wait: own,
      what: `${this.label} had not loaded its target`,
      owner: this.home,
      // Not before: a start that is never asked for (an aborted signal, a lost directory, a destroyed process) leaves it as it was.
      asked: () => this.#starting(signal),
    })
    try {
      await (signal === null ? started : orAborted(started, signal))
    } catch (error) {
      throw error instanceof TimeoutError ? await this.#unplaced(error) : error
    }
    return this
  }

  /** Where it waited for a host, that says why there was none. */
  async #unplaced(late: TimeoutError): Promise<Error> {
    let why: readonly string[] | null
    try {
      why = await this.call<readonly string[] | null>('refusals', [], { wait: { timeout: ANSWER }, what: 'no answer' })
    } catch {
      return late
    }
    if (why === null) return late
    const hosts = why.length === 0 ? 'no program serves: connect(url, { serve: true }), or skein host' : why.join('; ')
    return new NoHostError(`${late.message}, and no host has taken it: ${hosts}`, { cause: late })
  }

  #starting(signal: AbortSignal | null): void {
    // The target and its arguments may be large, and they are needed no more.
    this.#plan = 'started'
    if (signal !== null) this.#endWith(signal)
    const { news } = this.presence
    if (news.state === 'created') this.presence.news = { ...news, state: 'starting' }
    // What is not waited for keeps nobody alive either.
    if (!this.daemon && !this.detached) this.presence.hold()
  }

  /** From now on an abort of the signal ends it. */
  #endWith(signal: AbortSignal): void {
    const end = (): void => {
      // Where it cannot be asked to, it is lost with its broker.
      this.terminate().catch(() => undefined)
    }
    signal.addEventListener('abort', end, { once: true })
    this.whenOver(() => signal.removeEventListener('abort', end))
  }

  async join(wait?: WaitOptions): Promise<ExitStatus> {
    const { error, exitCode, signal, reason } = await this.#ended(wait)
    if (error === null) return { exitCode, signal, reason }
    return { exitCode, signal, reason, error: this.#error(error) as Error }
  }

  async result(wait?: WaitOptions): Promise<R> {
    const exit = await this.#ended(wait)
    const { exitCode, signal, error, result } = exit
    if (result !== null) return this.home.decode(result) as R
    if (error !== null) throw this.#error(error)
    const { pid, host } = this
    throw new WorkerLostError(`${this.label} (pid ${String(pid)}) ${howItEnded(exit)} without a result`, {
      pid,
      host,
      signal,
      exitCode,
    })
  }

  async status(): Promise<ProcessStatus> {
    const { state, pid, host, restarts } = await this.#status()
    const exit = state === 'ended' ? await this.join() : null
    return { id: this.id, name: this.#label, state, pid, host, restarts, exit }
  }

  async isAlive(): Promise<boolean> {
    const { state } = await this.#status()
    return state === 'starting' || state === 'running'
  }

  async terminate(options?: { readonly grace?: number | undefined }): Promise<void> {
    const { grace = GRACE } = checkOptions(options, ['grace'], 'process.terminate()')
    if (typeof grace !== 'number' || !(grace >= 0)) {
      throw new ArgumentError(`grace must be a number of milliseconds, 0 or more, got ${String(grace)}`)
    }
    if (this.presence.news.state !== 'ended') await this.#whenEnded('terminate', [grace])
  }

  async interrupt(): Promise<void> {
    if (this.presence.news.state !== 'ended') await this.#whenEnded('interrupt')
  }

  async kill(): Promise<void> {
    if (this.presence.news.state !== 'ended') await this.#whenEnded('kill')
  }

  /** What is left of an ended process is a record, which the broker drops by itself. */
  protected override get there(): boolean {
    return this.presence.news.state !== 'ended' && super.there
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.running && !this.detached) await this.terminate()
  }

  async #ended(wait: WaitOptions | undefined): Promise<Exit> {
    const own = this.checked(wait)
    // Who does not want to wait wants to know how it is now, not how it was when the last news came.
    if (this.presence.news.state === 'created' || isPoll(own)) {
      const news = await this.#status()
      if (news.state === 'created') throw new StateError(`${this.label} was not started; call start() first`)
    }
    // Not before: the context may be closed by now.
    const { client } = this
    client.hold()
    try {
      return await waitFor(this.presence.endFor(this.home), wait, `${this.label} had not ended`)
    } finally {
      client.release()
    }
  }

  /** Answered when it has ended. */
  #whenEnded(method: 'terminate' | 'interrupt' | 'kill', args?: readonly unknown[]): Promise<void> {
    return this.call(method, args, { owner: this.home })
  }

  async #status(): Promise<ProcessNews> {
    const { news } = this.presence
    return news.state === 'ended' ? news : this.call<ProcessNews>('status')
  }

  #lines(descriptor: Descriptor): AsyncIterable<string> {
    return { [Symbol.asyncIterator]: () => outputLines(() => this.#openOutput(descriptor)) }
  }

  logs(options?: LogsOptions): AsyncIterable<LogLine> {
    const { tail, follow = false, signal } = checkOptions(options, ['tail', 'follow', 'signal'], 'process.logs()')
    if (tail !== undefined) checkInteger(tail, { min: 0, what: 'process.logs(): tail' })
    if (typeof follow !== 'boolean') {
      throw new ArgumentError(`process.logs(): follow must be true or false, got ${describe(follow)}`)
    }
    const wait = checkWait({ signal })
    const begin = { tail: tail ?? Number.POSITIVE_INFINITY, follow }
    return { [Symbol.asyncIterator]: () => logLines(() => this.#openLog(wait), begin) }
  }

  #openLog(wait: WaitOptions): LogSource {
    const number = this.#another()
    return {
      read: async (from, more) => {
        wait.signal?.throwIfAborted()
        return this.client.call<LogAnswer>(number, 'log', [from, more], { wait, owner: this.home })
      },
      leave: () => this.broker.forget(number),
    }
  }

  /** Each loop has a number of its own: it may go on, or begin, when the process has ended and the handle's number is forgotten. */
  #openOutput(descriptor: Descriptor): OutputSource {
    const number = this.#another()
    return {
      read: async () => this.client.call<OutputAnswer>(number, 'read', [descriptor], { owner: this.home }),
      leave: () => {
        this.broker.post(number, 'unread', descriptor)
        this.broker.forget(number)
      },
    }
  }

  #another(): number {
    reading += 1
    const { shape, program } = this.ref
    return this.client.open('process', this.name, { ...shape, reading }, true, program)
  }

  #error(bytes: Uint8Array): unknown {
    return decode(bytes, (ref) => {
      throw new StateError(`an error cannot hold a handle of ${ref.kind}`)
    })
  }
}
