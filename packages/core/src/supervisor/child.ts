/**
 * One child process, from spawn to the last byte it sent. It is over when the operating system says so and its link has
 * been read to the end, in whichever order that happens, so that nothing a child said before its death is missed.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import type { Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { encode } from '../codec/index.ts'
import { SpawnError } from '../errors.ts'
import { type Frame, op } from '../wire/frame.ts'
import { SocketLink } from '../wire/socket-link.ts'
import type { Boot, Surroundings } from './boot.ts'
import { type EncodedExit, exitOf, type LastWords } from './exit-status.ts'

/** Milliseconds for the link of an ended child to end, too: something it started may have inherited the descriptor. */
const LINK_GRACE = 1_000

const MAIN = fileURLToPath(new URL('../child-main.js', import.meta.url))

export interface ChildEvents {
  /** A frame of the child's session, not of its control. */
  frame(frame: Frame): void
  loaded(): void
  /** Called once, last. */
  ended(exit: EncodedExit): void
}

export class Child {
  readonly #process: ChildProcess
  readonly #link: SocketLink
  readonly #events: ChildEvents
  #words: LastWords | null = null
  #terminated = false
  #exit: { readonly code: number | null; readonly signal: NodeJS.Signals | null } | null = null
  #linkOver = false
  #over = false
  #timer: NodeJS.Timeout | undefined

  /** @throws SpawnError if the operating system refuses at once */
  constructor(boot: (pid: number) => Boot, surroundings: Surroundings, events: ChildEvents) {
    this.#events = events
    this.#process = spawn(process.execPath, [...surroundings.execArgv, MAIN], {
      stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
      // On a null prototype: what a polluted Object.prototype holds must not become a child's environment.
      env: Object.assign(Object.create(null), surroundings.env) as NodeJS.ProcessEnv,
      cwd: surroundings.cwd,
      shell: false,
      windowsHide: true,
    })
    const { pid } = this.#process
    if (pid === undefined) {
      // The reason comes as an 'error' event in the next tick.
      this.#process.once('error', (error) => this.#refused(error, surroundings.cwd))
    } else {
      this.#process.once('error', () => this.kill())
      this.#process.once('exit', (code, signal) => this.#exited(code, signal))
    }
    this.#link = new SocketLink(this.#process.stdio[3] as Socket, null, {
      frame: (frame) => this.#frame(frame),
      ended: () => {
        this.#linkOver = true
        this.#finish()
      },
    })
    if (pid !== undefined) this.#link.send(op.boot, 0, 0, encode(boot(pid)))
  }

  get pid(): number | undefined {
    return this.#process.pid
  }

  get link(): SocketLink {
    return this.#link
  }

  /** SIGTERM now, SIGKILL after `grace` milliseconds. */
  terminate(grace: number): void {
    if (this.#exit !== null) return
    this.#terminated = true
    this.#process.kill('SIGTERM')
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.kill(), grace)
  }

  kill(): void {
    if (this.#exit === null) this.#process.kill('SIGKILL')
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
    if (this.#linkOver) this.#finish()
    else this.#timer = setTimeout(() => this.#link.destroy(), LINK_GRACE)
  }

  #refused(error: NodeJS.ErrnoException, cwd: string): void {
    const where = error.code === 'ENOENT' ? ` (is the working directory ${cwd} there?)` : ''
    const mend = error.code === 'EMFILE' || error.code === 'EAGAIN' ? '; too many are open or running' : ''
    const payload = encode(
      new SpawnError(`no process could be started: ${error.message}${where}${mend}`, { cause: error }),
    )
    this.#words = { kind: 'unloaded', payload }
    this.#exit = { code: 1, signal: null }
    this.#link.destroy()
    this.#linkOver = true
    this.#finish()
  }

  #finish(): void {
    if (this.#exit === null || !this.#linkOver || this.#over) return
    this.#over = true
    clearTimeout(this.#timer)
    this.#events.ended(exitOf(this.#exit.code, this.#exit.signal, this.#words, this.#terminated))
  }
}
