/** A process at the broker: its state, and who is told of its end. The handles of all processes hear the same events. */
import { SpawnError, StateError } from '../../errors.ts'
import { decode, encode } from '../../codec/index.ts'
import type { ChildOptions, RestartSpec } from '../../contract/adapter.ts'
import { type Frame, op } from '../../wire/frame.ts'
import type { ProcessInfo, Surroundings } from '../boot.ts'
import type { EncodedExit } from '../children.ts'
import { BrokerObject, type Methods } from './broker-object.ts'
import { ProcessOutput } from './process-output.ts'
import { Restarts } from './restarts.ts'
import type { Call, Session } from './session.ts'
import type { Placed } from '../backend.ts'
import type { Running, Starter, StarterEvents } from './starter.ts'

export interface ProcessObjectSpec {
  /** For people. */
  readonly label: string
  readonly daemon: boolean
}

/** What a handle is told, first in full when it comes to know the process, then at each change. */
export interface ProcessNews {
  readonly state: 'created' | 'starting' | 'running' | 'ended'
  readonly pid: number | null
  readonly host: string | null
  readonly restarts: number
  readonly exit: EncodedExit | null
}

/** What its creator says to have it started. */
export type StartArgs = [
  target: Uint8Array,
  args: Uint8Array,
  surroundings: Surroundings,
  options: ChildOptions,
  restart: RestartSpec | null,
]

/** Runs under one id make things whose names must not meet: each has so many numbers for them. */
const SERIALS = 2 ** 32

/** Who made a process, from its id, `<creator>.<n>`. */
function creatorOfProcess(id: string): string {
  return id.slice(0, id.lastIndexOf('.'))
}

function nothing(): void {
  // There is nothing to start.
}

function noHandles(): never {
  throw new StateError('an error cannot hold a handle here')
}

/** What was thrown. Not all can be read in here, such as an error that holds a handle: then what that reading threw, and `readable` is false. */
function read(error: Uint8Array): { readonly thrown: unknown; readonly readable: boolean } {
  try {
    return { thrown: decode(error, noHandles), readable: true }
  } catch (thrown) {
    return { thrown, readable: false }
  }
}

/** Completes "the process …". */
function howItEnded({ exitCode, signal }: EncodedExit): string {
  return signal === null ? `exited with code ${String(exitCode)}` : `was ended by ${signal}`
}

export class ProcessObject extends BrokerObject {
  readonly #spec: ProcessObjectSpec
  readonly #starter: Starter
  readonly #users = new Map<Session, number>()
  readonly #enders = new Set<Call>()
  #state: ProcessNews['state'] = 'created'
  #info: ProcessInfo | null = null
  #exit: EncodedExit | null = null
  #child: Running | null = null
  #startCall: Call | null = null
  #placed: Placed | null = null
  readonly #output: ProcessOutput
  #options: ChildOptions | null = null
  /** `null`: it is started once. */
  #restarts: Restarts | null = null
  /** Its next end is its last. */
  #final = false
  /** Starts it; the first time and again. */
  #launch: () => void = nothing
  /** Until the next start. */
  #pause: NodeJS.Timeout | null = null

  constructor(name: string, spec: ProcessObjectSpec, starter: Starter) {
    super('process', name)
    this.#spec = spec
    this.#starter = starter
    this.#output = new ProcessOutput(this.label, (descriptor, on) =>
      this.#child?.link.send(op.flow, descriptor, on ? 1 : 0),
    )
  }

  protected override readonly methods: Methods = {
    start: (call) => this.#start(call),
    terminate: (call) => {
      const [grace] = call.args as [number]
      this.#whenEnded(call, () => this.#stop(grace))
    },
    kill: (call) => this.#whenEnded(call, () => this.#kill()),
    interrupt: (call) => this.#whenEnded(call, () => this.#interrupt()),
    read: (call) => this.#output.read(call),
    log: (call) => this.#output.look(call),
    status: (call) => call.ok(this.#news()),
    refusals: (call) => void this.#refusals(call),
  }

  override get label(): string {
    return `process ${this.#spec.label}`
  }

  override check(): void {
    // Its name is its id: there is no other process to mistake it for.
  }

  override join(session: Session, number: number): void {
    // A further number of the same session reads output, and hears no more.
    if (!this.#users.has(session)) this.#users.set(session, number)
    session.event(number, 'news', this.#news())
  }

  override post(session: Session, _object: number, method: string, args: readonly unknown[]): void {
    if (method === 'unread') this.#output.leaveOne(session, args[0] as number)
  }

  override leave(session: Session): void {
    this.#users.delete(session)
    this.#output.leave(session)
    // Only its creator can start it, so nobody ever will.
    if (session.process.id !== creatorOfProcess(this.name)) return
    if (this.#state === 'created') {
      this.remove?.(new StateError(`${this.label} was not started before its creator ${session.process.name} ended`))
    } else if (this.#options?.detached !== true) this.#startNoMore()
  }

  override end(): void {
    this.#kill()
  }

  #stop(grace: number): void {
    this.#startNoMore()
    this.#placed?.cancel()
    this.#child?.terminate(grace)
  }

  #interrupt(): void {
    this.#startNoMore()
    this.#placed?.cancel()
    this.#child?.interrupt()
  }

  #kill(): void {
    this.#startNoMore()
    this.#placed?.cancel()
    this.#child?.kill()
  }

  /** It may have had its last end already. */
  #startNoMore(): void {
    this.#final = true
    if (this.#pause === null) return
    clearTimeout(this.#pause)
    this.#pause = null
    this.#over()
  }

  #start(call: Call): void {
    const [target, args, surroundings, options, restart] = call.args as StartArgs
    if (this.#state !== 'created') {
      const now = this.#state === 'ended' ? 'has ended' : 'was started already'
      call.fail(new StateError(`${this.label} ${now}; a process starts once, make another one`))
      return
    }
    this.#state = 'starting'
    this.#options = options
    this.#output.begin(options.stdio)
    this.#startCall = call
    call.waits(() => {
      this.#startCall = null
      this.#kill()
    })
    const restarts = restart === null ? null : new Restarts(restart)
    const policy = this.#starter.policyOf(call.session.process.id)
    const lodged = this.#starter.lodges(call.session.process.id)
    this.#restarts = restarts
    this.#launch = () => {
      const role = { kind: 'process', target, args } as const
      const serial = (restarts?.count ?? 0) * SERIALS
      const { name: id } = this
      const { label: name, daemon } = this.#spec
      const parent = call.session.process
      this.#placed = this.#starter.start(
        { id, name, daemon, parent, role, surroundings, options, serial, policy, lodged },
        this.#events,
      )
    }
    this.#launch()
  }

  readonly #events: StarterEvents = {
    frame: (frame) => this.#heard(frame),
    started: (child, info) => {
      this.#child = child
      this.#info = info
      this.#output.started(child.here)
      this.#tell()
    },
    released: () => {
      this.#child = null
      this.#info = null
      this.#tell()
    },
    loaded: () => {
      this.#state = 'running'
      this.#tell()
      this.#startCall?.ok()
      this.#startCall = null
    },
    ended: (exit) => this.#ended(exit),
  }

  #ended(exit: EncodedExit): void {
    const wasRunning = this.#state === 'running'
    const asItIs = wasRunning || ['signaled', 'out-of-memory', 'host-lost'].includes(exit.reason)
    this.#exit = asItIs ? exit : { ...exit, reason: 'spawn-failed' }
    this.#child = null
    this.#output.stopped()
    // One that nobody could load is not tried again.
    if (this.#startCall === null && this.#startAgain(this.#exit)) return
    this.#over()
  }

  #startAgain(exit: EncodedExit): boolean {
    const restarts = this.#restarts
    if (restarts?.concerns(exit) !== true || this.#final || this.#starter.stopping) return false
    const pause = restarts.next()
    if (pause === null) {
      this.#exit = { ...exit, result: null, error: encode(this.#loop(restarts, exit)) }
      return false
    }
    this.#state = 'starting'
    this.#info = null
    this.#tell()
    this.#pause = setTimeout(() => {
      this.#pause = null
      if (this.#starter.stopping) this.#over()
      else this.#launch()
    }, pause)
    return true
  }

  #loop(restarts: Restarts, exit: EncodedExit): Error {
    const { thrown, readable } = exit.error === null ? { thrown: null, readable: false } : read(exit.error)
    return readable
      ? restarts.loop(this.label, `threw ${String(thrown)}`, thrown)
      : restarts.loop(this.label, howItEnded(exit), undefined)
  }

  /** It has ended for good. */
  #over(): void {
    this.#state = 'ended'
    this.#output.end()
    this.#tell()
    if (this.#exit !== null) this.#startCall?.fail(this.#startError(this.#exit))
    this.#startCall = null
    for (const call of this.#enders) call.ok()
    this.#enders.clear()
    // Its arguments and environment are with it: the record stays for long.
    this.#launch = nothing
    this.#placed = null
    const bytes = (this.#exit?.result?.length ?? 0) + (this.#exit?.error?.length ?? 0)
    this.#starter.remember(this, bytes, this.#output)
  }

  /** A frame that is not its session's. */
  #heard(frame: Frame): boolean {
    if (frame.op !== op.output) return false
    this.#output.heard(frame)
    return true
  }

  async #refusals(call: Call): Promise<void> {
    try {
      call.ok(await this.#starter.refusals(this.#options?.needs ?? null))
    } catch (error) {
      call.fail(error as Error)
    }
  }

  #startError(exit: EncodedExit): Error {
    if (exit.error === null) return new SpawnError(`${this.label} ${howItEnded(exit)} before its target was loaded`)
    const { thrown, readable } = read(exit.error)
    if (readable && thrown instanceof Error) return thrown
    return new SpawnError(`${this.label} failed to load its target, and its error cannot be read`, { cause: thrown })
  }

  #whenEnded(call: Call, act: () => void): void {
    if (this.#state === 'created') {
      call.fail(new StateError(`${this.label} was not started; call start() first`))
    } else if (this.#state === 'ended') call.ok()
    else {
      this.#enders.add(call)
      call.waits(() => this.#enders.delete(call))
      act()
    }
  }

  #news(): ProcessNews {
    return {
      state: this.#state,
      pid: this.#info?.pid ?? null,
      host: this.#info?.host ?? null,
      restarts: this.#restarts?.count ?? 0,
      exit: this.#state === 'ended' ? this.#exit : null,
    }
  }

  #tell(): void {
    const news = this.#news()
    for (const [session, number] of this.#users) session.event(number, 'news', news)
  }
}
