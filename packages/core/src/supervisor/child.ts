/**
 * One child process, from spawn to the last byte it sent. It is over when the operating system says so and its link has
 * been read to the end, in whichever order that happens, so that nothing a child said before its death is missed.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync } from 'node:fs'
import { Socket } from 'node:net'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { encode } from '../codec/index.ts'
import type { ChildOptions } from '../contract/adapter.ts'
import { SpawnError, StateError } from '../errors.ts'
import { type Frame, type Op, op } from '../wire/frame.ts'
import type { LinkEvents } from '../wire/link.ts'
import { SocketLink } from '../wire/socket-link.ts'
import type { SlotHandle } from '../wire/tenure-slot.ts'
import type { Boot, Surroundings } from './boot.ts'
import { ChildOutput } from './child-output.ts'
import { reportDefect } from './defect.ts'
import { type EncodedExit, exitOf, type LastWords } from './exit-status.ts'
import type { PipeEnds } from './fifo-stock.ts'

/** Milliseconds for the link and the output of an ended child to end, too: something it started may have inherited the descriptors. */
const LINK_GRACE = 1_000

/** Longer than Node's timers can count (2³¹ − 1 ms, 24 days): such a grace has no timer. */
const LONGEST_TIMER = 2 ** 31 - 1

/** The descriptor of the link in the child; what else it inherits follows. */
const LINK = 3

const MAIN = fileURLToPath(new URL('../child-main.js', import.meta.url))

export interface ChildEvents {
  /** A frame of the child's session, not of its control. */
  frame(frame: Frame): void
  /** An `output` frame. */
  output(frame: Frame): void
  loaded(): void
  /** Called once, last. */
  ended(exit: EncodedExit): void
}

const mends: ReadonlyMap<string, string> = new Map([
  ['EMFILE', '; too many files are open in this program'],
  ['ENFILE', '; too many files are open on this machine'],
  ['EAGAIN', '; too many processes are running'],
  ['E2BIG', '; the environment (process.env) is too large for a new process'],
])

/** Where and how a child runs. */
export interface Circumstances {
  readonly surroundings: Surroundings
  readonly options: ChildOptions
  /** The output of its creator, where the child's own goes. */
  readonly shared: ChildOutput | null
}

/** What a child inherits besides the socket of its link. */
export interface Inheritance {
  /** What it writes to; `null`: both directions take the socket. */
  readonly pipe: PipeEnds | null
  /** Where it reads its tenure; `null`: it has none, or hears of it only. */
  readonly slot: SlotHandle | null
}

function directoryOf({ surroundings, options }: Circumstances): string {
  return options.cwd === null ? surroundings.cwd : resolve(surroundings.cwd, options.cwd)
}

/** On a null prototype: what a polluted Object.prototype holds must not become a child's environment. */
function environmentOf({ surroundings, options }: Circumstances): NodeJS.ProcessEnv {
  const env = Object.assign(Object.create(null), surroundings.env) as NodeJS.ProcessEnv
  for (const [name, value] of Object.entries(options.env)) {
    if (value === null) delete env[name]
    else env[name] = value
  }
  return env
}

/** A new Node process. `null` if spawn throws, as it does for some refusals only; `refused` then hears of it in a microtask. */
function launch(
  circumstances: Circumstances,
  { pipe, slot }: Inheritance,
  refused: (error: unknown) => void,
): ChildProcess | null {
  const { surroundings, options } = circumstances
  try {
    return spawn(process.execPath, [...surroundings.execArgv, MAIN], {
      stdio: [
        'ignore',
        options.stdio,
        options.stdio,
        'pipe',
        ...(pipe === null ? [] : [pipe.write]),
        ...(slot === null ? [] : [slot.share as number]),
      ],
      env: environmentOf(circumstances),
      cwd: directoryOf(circumstances),
      shell: false,
      windowsHide: true,
    })
  } catch (error) {
    queueMicrotask(() => refused(error))
    return null
  }
}

/** Whatever the bytes of a child lead to, a defect in here included, fails that child alone: the thread serves all others, too. */
class ChildLink extends SocketLink {
  readonly #failed: (error: unknown) => void
  readonly #flow: (stream: number, on: boolean) => void
  #broken = false

  constructor(
    socket: Socket,
    incoming: Socket | undefined,
    events: LinkEvents,
    of: { failed: (error: unknown) => void; flow: (stream: number, on: boolean) => void },
  ) {
    super(socket, null, events, incoming)
    this.#failed = of.failed
    this.#flow = of.flow
  }

  /** What is told to the one who reads its output is not for the child. */
  override send(kind: Op, a: number, b: number, head?: Uint8Array, tail?: Uint8Array): void {
    if (kind === op.flow) this.#flow(a, b === 1)
    else super.send(kind, a, b, head, tail)
  }

  protected override received(chunk: Uint8Array): void {
    if (this.#broken) return
    try {
      super.received(chunk)
    } catch (error) {
      this.#broken = true
      this.#failed(error)
    }
  }
}

export class Child {
  readonly here = true
  /** `null` where the operating system refused. */
  readonly #process: ChildProcess | null
  readonly #link: SocketLink | null
  /** `null` where nobody here reads it. */
  readonly output: ChildOutput | null
  readonly #shared: ChildOutput | null
  readonly #events: ChildEvents
  #words: LastWords | null = null
  #terminated = false
  #exit: { readonly code: number | null; readonly signal: NodeJS.Signals | null } | null = null
  #linkOver = false
  #outputOver = true
  #over = false
  #timer: NodeJS.Timeout | undefined

  /**
   * Never throws: a refusal is told by `ended`, in a later turn as every end is.
   *
   * @param boot given the child's pid, whether it writes to a pipe, and the descriptor of its tenure's slot or 0
   */
  constructor(
    boot: (pid: number, pipe: boolean, slot: number) => Boot,
    circumstances: Circumstances,
    inheritance: Inheritance,
    events: ChildEvents,
  ) {
    this.#events = events
    this.#shared = circumstances.shared
    const { pipe, slot } = inheritance
    const refused = (error: unknown): void => this.#refused(error as NodeJS.ErrnoException, directoryOf(circumstances))
    const child = launch(circumstances, inheritance, refused)
    // Now the child's alone, or nobody's: while it is open here, too, the child's death would not end the pipe.
    if (pipe !== null) closeSync(pipe.write)
    slot?.handedOver()
    // Where no more files can be opened, Node returns a child without streams.
    const socket = (child as Partial<ChildProcess> | null)?.stdio?.[3] as Socket | undefined
    if (child?.pid === undefined || socket === undefined) {
      this.#process = null
      this.#link = null
      this.output = null
      this.#linkOver = true
      // The reason comes as an 'error' event in the next tick.
      child?.once('error', refused)
      socket?.destroy()
      if (pipe !== null) closeSync(pipe.read)
      return
    }
    const { pid } = child
    this.#process = child
    child.once('error', () => this.kill())
    child.once('exit', (code, signal) => this.#exited(code, signal))
    this.output = this.#outputOf(child, circumstances.options.stdio === 'pipe')
    const linkEvents: LinkEvents = {
      frame: (frame) => this.#frame(frame),
      ended: () => {
        this.#linkOver = true
        this.#finish()
      },
    }
    const incoming = pipe === null ? undefined : new Socket({ fd: pipe.read, readable: true, writable: false })
    this.#link = new ChildLink(socket, incoming, linkEvents, {
      failed: (error) => {
        reportDefect(`a message of process ${pid}, which is ended`, error)
        this.kill()
      },
      flow: (stream, on) => this.output?.flow(stream, on),
    })
    try {
      this.#link.send(
        op.boot,
        0,
        0,
        encode(boot(pid, pipe !== null, slot === null ? 0 : LINK + (pipe === null ? 1 : 2))),
      )
    } catch (error) {
      // Too long for a frame. It would wait for ever.
      this.#words = { kind: 'unloaded', payload: encode(error) }
      this.kill()
    }
  }

  get pid(): number | undefined {
    return this.#process?.pid
  }

  /** Of a child that has a pid. */
  get link(): SocketLink {
    if (this.#link === null) throw new StateError('a process that could not be started has no link')
    return this.#link
  }

  /** SIGTERM now, SIGKILL after `grace` milliseconds. */
  terminate(grace: number): void {
    if (this.#exit !== null) return
    this.#terminated = true
    this.#process?.kill('SIGTERM')
    clearTimeout(this.#timer)
    if (grace <= LONGEST_TIMER) this.#timer = setTimeout(() => this.kill(), grace)
  }

  kill(): void {
    if (this.#exit === null) this.#process?.kill('SIGKILL')
  }

  #outputOf(child: ChildProcess, piped: boolean): ChildOutput | null {
    if (!piped) return null
    this.#outputOver = false
    const output = new ChildOutput(
      child,
      (frame) => this.#events.output(frame),
      () => {
        this.#outputOver = true
        this.#shared?.unshare(output)
        this.#finish()
      },
    )
    this.#shared?.share(output)
    return output
  }

  #frame(frame: Frame): void {
    if (frame.op === op.loaded) this.#events.loaded()
    else if (frame.op === op.returned) this.#words = { kind: 'returned', payload: frame.payload }
    else if (frame.op === op.threw) this.#words = { kind: 'threw', payload: frame.payload }
    else if (frame.op === op.unloaded) this.#words = { kind: 'unloaded', payload: frame.payload }
    else this.#events.frame(frame)
  }

  #exited(code: number | null, signal: NodeJS.Signals | null): void {
    clearTimeout(this.#timer)
    this.#exit = { code, signal }
    this.output?.finish()
    this.#timer = setTimeout(() => {
      this.#link?.destroy()
      this.output?.destroy()
    }, LINK_GRACE)
    this.#finish()
  }

  #refused(error: NodeJS.ErrnoException, cwd: string): void {
    const where = error.code === 'ENOENT' ? ` (is the working directory ${cwd} there?)` : ''
    const mend = mends.get(error.code ?? '') ?? ''
    const payload = encode(
      new SpawnError(`no process could be started: ${error.message}${where}${mend}`, { cause: error }),
    )
    this.#words = { kind: 'unloaded', payload }
    this.#exit = { code: 1, signal: null }
    this.#finish()
  }

  #finish(): void {
    if (this.#exit === null || !this.#linkOver || !this.#outputOver || this.#over) return
    this.#over = true
    clearTimeout(this.#timer)
    this.#events.ended(exitOf(this.#exit.code, this.#exit.signal, this.#words, this.#terminated))
  }
}
