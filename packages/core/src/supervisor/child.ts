/**
 * One child process, from spawn to the last byte it sent. It is over when the operating system says so and its link has
 * been read to the end, in whichever order that happens, so that nothing a child said before its death is missed.
 */
import type { ChildProcess } from 'node:child_process'
import { closeSync } from 'node:fs'
import { Socket } from 'node:net'
import { encode } from '../codec/index.ts'
import { type SpawnError, StateError } from '../errors.ts'
import { type Frame, type Op, op } from '../wire/frame.ts'
import type { LinkEvents } from '../wire/link.ts'
import { SocketLink } from '../wire/socket-link.ts'
import type { Boot } from './boot.ts'
import { ChildOutput } from './child-output.ts'
import { reportDefect } from './defect.ts'
import { type Asked, type EncodedExit, exitOf, type LastWords } from './exit-status.ts'
import { type Circumstances, type Inheritance, type Inherited, launch } from './launch.ts'
import type { DeathReport, KernelKills } from './memory-watch.ts'

/** Milliseconds for the link and the output of an ended child to end, too: something it started may have inherited the descriptors. */
const LINK_GRACE = 1_000

/** Milliseconds for an interrupted child to hear of it, before it is taken for one in a busy loop. */
const HEARING = 1_000

/** Longer than Node's timers can count (2³¹ − 1 ms, 24 days): such a grace has no timer. */
const LONGEST_TIMER = 2 ** 31 - 1

export interface ChildEvents {
  /** A frame of the child's session, not of its control. */
  frame(frame: Frame): void
  /** An `output` frame. */
  output(frame: Frame): void
  loaded(): void
  /** Called once, last. */
  ended(exit: EncodedExit): void
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
  readonly #report: DeathReport | null
  readonly #kills: KernelKills
  #asked: Asked | null = null
  #killed = false
  #exit: { readonly code: number | null; readonly signal: NodeJS.Signals | null } | null = null
  #linkOver = false
  #outputOver = true
  #over = false
  #timer: NodeJS.Timeout | undefined

  /**
   * Never throws: a refusal is told by `ended`, in a later turn as every end is.
   *
   * @param boot given the child's pid and the descriptors that it inherits
   */
  constructor(
    boot: (pid: number, at: Inherited) => Boot,
    circumstances: Circumstances,
    inheritance: Inheritance,
    kills: KernelKills,
    events: ChildEvents,
  ) {
    this.#events = events
    this.#shared = circumstances.shared
    this.#report = inheritance.report
    this.#kills = kills
    const { pipe, slot } = inheritance
    const launched = launch(circumstances, inheritance, (error) => this.#refused(error))
    // Now the child's alone, or nobody's: while it is open here, too, the child's death would not end the pipe.
    if (pipe !== null) closeSync(pipe.write)
    slot?.handedOver()
    if (launched === null) {
      this.#process = null
      this.#link = null
      this.output = null
      this.#linkOver = true
      if (pipe !== null) closeSync(pipe.read)
      return
    }
    const { child, pid, socket, at } = launched
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
      this.#link.send(op.boot, 0, 0, encode(boot(pid, at)))
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

  /** One that is held may begin. */
  go(): void {
    this.#link?.send(op.go, 0, 0)
  }

  /** SIGTERM now, SIGKILL after `grace` milliseconds. */
  terminate(grace: number): void {
    if (this.#exit !== null) return
    this.#asked = 'SIGTERM'
    this.#process?.kill('SIGTERM')
    clearTimeout(this.#timer)
    if (grace <= LONGEST_TIMER) this.#timer = setTimeout(() => this.kill(), grace)
  }

  kill(): void {
    if (this.#exit !== null) return
    this.#killed = true
    this.#process?.kill('SIGKILL')
  }

  /** Lets go of it: it goes on, and nothing more is told of it. */
  leave(): void {
    this.#over = true
    this.#link?.destroy()
    this.output?.destroy()
    this.#report?.close()
    this.#process?.unref()
  }

  /**
   * SIGINT, which the child sends to itself: from outside it could not tell it from the Ctrl-C that reaches the whole group, and that is
   * the main program's. In a busy loop it does not hear of it; then SIGTERM ends it, unless it listens to that.
   */
  interrupt(): void {
    if (this.#exit !== null || this.#link === null || this.#asked !== null) return
    this.#asked = 'SIGINT'
    this.#link.send(op.interrupt, 0, 0)
    this.#timer = setTimeout(() => this.#process?.kill('SIGTERM'), HEARING)
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
    else if (frame.op === op.interrupt) this.#heardInterrupt()
    else this.#events.frame(frame)
  }

  #heardInterrupt(): void {
    if (this.#asked === 'SIGINT') clearTimeout(this.#timer)
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

  #refused(error: SpawnError): void {
    this.#words = { kind: 'unloaded', payload: encode(error) }
    this.#exit = { code: 1, signal: null }
    this.#finish()
  }

  #finish(): void {
    if (this.#exit === null || !this.#linkOver || !this.#outputOver || this.#over) return
    this.#over = true
    clearTimeout(this.#timer)
    const { code, signal } = this.#exit
    const outOfMemory = this.#wasOutOfMemory(signal)
    this.#report?.close()
    this.#events.ended(exitOf({ code, signal, asked: this.#asked, outOfMemory }, this.#words))
  }

  #wasOutOfMemory(signal: NodeJS.Signals | null): boolean {
    if (signal === 'SIGABRT') return this.#report?.outOfMemory === true
    return signal === 'SIGKILL' && !this.#killed && this.#kills.another
  }
}
