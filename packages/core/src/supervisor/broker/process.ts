/** A process at the broker: its state, and who is told of its end. The handles of all processes hear the same events. */
import { SpawnError, StateError } from '../../errors.ts'
import { decode } from '../../codec/index.ts'
import type { ChildOptions } from '../../contract/adapter.ts'
import { type Frame, op } from '../../wire/frame.ts'
import type { ProcessInfo, Surroundings } from '../boot.ts'
import type { EncodedExit } from '../children.ts'
import { BrokerObject, type Methods } from './broker-object.ts'
import { Output } from './output.ts'
import type { Call, Session } from './session.ts'
import type { Placed } from '../backend.ts'
import type { Running, Starter } from './starter.ts'

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
  readonly exit: EncodedExit | null
}

/** Who made a process, from its id, `<creator>.<n>`. */
function creatorOfProcess(id: string): string {
  return id.slice(0, id.lastIndexOf('.'))
}

function noHandles(): never {
  throw new StateError('an error cannot hold a handle here')
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
  /** What it writes to its descriptors 1 and 2; whether anybody here reads it shows at the start. */
  readonly #outputs: readonly [Output, Output] = [this.#output(1), this.#output(2)]
  #stdio: ChildOptions['stdio'] | null = null

  constructor(name: string, spec: ProcessObjectSpec, starter: Starter) {
    super('process', name)
    this.#spec = spec
    this.#starter = starter
  }

  protected override readonly methods: Methods = {
    start: (call) => this.#start(call),
    terminate: (call) => {
      const [grace] = call.args as [number]
      this.#whenEnded(call, () => this.#stop(grace))
    },
    kill: (call) => this.#whenEnded(call, () => this.#kill()),
    interrupt: (call) =>
      this.#whenEnded(call, () => {
        this.#placed?.cancel()
        this.#child?.interrupt()
      }),
    read: (call) => this.#read(call),
    status: (call) => call.ok(this.#news()),
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
    if (method === 'unread') this.#outputs[args[0] === 2 ? 1 : 0].leave(session)
  }

  override leave(session: Session): void {
    this.#users.delete(session)
    for (const output of this.#outputs) output.leave(session)
    // Only its creator can start it, so nobody ever will.
    if (this.#state === 'created' && session.process.id === creatorOfProcess(this.name)) {
      this.remove?.(new StateError(`${this.label} was not started before its creator ${session.process.name} ended`))
    }
  }

  override end(): void {
    this.#kill()
  }

  #stop(grace: number): void {
    this.#placed?.cancel()
    this.#child?.terminate(grace)
  }

  #kill(): void {
    this.#placed?.cancel()
    this.#child?.kill()
  }

  #start(call: Call): void {
    const [target, args, surroundings, options] = call.args as [Uint8Array, Uint8Array, Surroundings, ChildOptions]
    if (this.#state !== 'created') {
      const now = this.#state === 'ended' ? 'has ended' : 'was started already'
      call.fail(new StateError(`${this.label} ${now}; a process starts once, make another one`))
      return
    }
    this.#state = 'starting'
    this.#stdio = options.stdio
    if (options.stdio !== 'pipe') this.#endOutput()
    this.#startCall = call
    call.waits(() => {
      this.#startCall = null
      this.#kill()
    })
    this.#placed = this.#starter.start(
      {
        id: this.name,
        name: this.#spec.label,
        daemon: this.#spec.daemon,
        parent: call.session.process,
        role: { kind: 'process', target, args },
        surroundings,
        options,
      },
      {
        frame: (frame) => this.#heard(frame),
        started: (child, info) => {
          this.#child = child
          this.#info = info
          for (const output of this.#outputs) output.renew()
          this.#tell()
        },
        loaded: () => {
          this.#state = 'running'
          this.#tell()
          this.#startCall?.ok()
          this.#startCall = null
        },
        ended: (exit) => this.#ended(exit),
      },
    )
  }

  #ended(exit: EncodedExit): void {
    const wasRunning = this.#state === 'running'
    this.#state = 'ended'
    const asItIs = wasRunning || ['signaled', 'out-of-memory', 'host-lost'].includes(exit.reason)
    this.#exit = asItIs ? exit : { ...exit, reason: 'spawn-failed' }
    this.#child = null
    this.#endOutput()
    this.#tell()
    this.#startCall?.fail(this.#startError(exit))
    this.#startCall = null
    for (const call of this.#enders) call.ok()
    this.#enders.clear()
    this.#starter.remember(this, this.#outputs)
  }

  #output(descriptor: number): Output {
    return new Output((on) => this.#child?.link.send(op.flow, descriptor, on ? 1 : 0))
  }

  #endOutput(): void {
    for (const output of this.#outputs) output.end()
  }

  /** A frame that is not its session's. */
  #heard(frame: Frame): boolean {
    if (frame.op !== op.output) return false
    this.#outputs[frame.a === 2 ? 1 : 0].push(frame.payload)
    return true
  }

  #read(call: Call): void {
    const [descriptor] = call.args as [number]
    if (this.#stdio !== null && this.#stdio !== 'pipe') {
      const name = descriptor === 2 ? 'stderr' : 'stdout'
      call.fail(new StateError(`${this.label} has no ${name} to read; make it with { stdio: 'pipe' }`))
    } else this.#outputs[descriptor === 2 ? 1 : 0].read(call)
  }

  #startError(exit: EncodedExit): Error {
    if (exit.error !== null) {
      try {
        const error = decode(exit.error, noHandles)
        if (error instanceof Error) return error
      } catch (cause) {
        // Its target's module may throw what cannot be read in here, such as an error that holds a handle.
        return new SpawnError(`${this.label} failed to load its target, and its error cannot be read`, { cause })
      }
    }
    const how = exit.signal === null ? `exited with code ${String(exit.exitCode)}` : `was ended by ${exit.signal}`
    return new SpawnError(`${this.label} ${how} before its target was loaded`)
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
      exit: this.#exit,
    }
  }

  #tell(): void {
    const news = this.#news()
    for (const [session, number] of this.#users) session.event(number, 'news', news)
  }
}
