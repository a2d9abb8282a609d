/**
 * Ctrl-C while the main program computes: its listener needs the event loop, and children leave the decision to it, so nothing would
 * happen. A shell in the same process group hears what the terminal sends to all. If the main program does not hear, the supervisor
 * ends what it has started and then the program, as its listener would have done. On Windows there is no such shell.
 */
import type { ChildProcess } from 'node:child_process'
import { runInThisContext } from 'node:vm'
import { monotonic } from '../util/clock.ts'
import { startShell } from './shell.ts'

/** Some shells read on after a trap, others end: then there is another one for the next time. */
const SCRIPT = `trap 'echo' INT
while read -r line; do :; done`

/** Milliseconds for the main program to hear by itself. */
const HEARING = 1_000

/** Milliseconds for a signal to end this process. */
const ENDING = 500

/** Milliseconds until the shell is started. */
const LATER = 100

/** Milliseconds that a shell lives that works. */
const WORKS = 100

export interface CtrlCHost {
  /** Has the main program answer if it hears. */
  ask(): void
  /** When it was heard last, on the monotonic clock. */
  heard(): number
  /** Whether nobody but us listens for Ctrl-C there. */
  ours(): boolean
  /** Ends everything, first politely. */
  stop(): Promise<void>
  /** Ends all children at once. */
  kill(): void
}

export class CtrlC {
  readonly #host: CtrlCHost
  #shell: ChildProcess | null = null
  #timer: NodeJS.Timeout | undefined
  #stopping = false
  #closed = false

  constructor(host: CtrlCHost) {
    this.#host = host
  }

  /** There is something to end from now on. Where no shell can be started, Ctrl-C waits for the main program. */
  watch(): void {
    if (this.#shell !== null || this.#closed || process.platform === 'win32') return
    // Not while the first child is started, which somebody waits for.
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.#start()
    }, LATER)
    this.#timer.unref()
  }

  /** Resolves when the shell has ended. */
  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    const shell = this.#shell
    if (shell === null) return
    await new Promise<void>((resolve) => {
      shell.once('close', () => resolve())
      shell.stdin?.end()
    })
  }

  #start(): void {
    const shell = startShell(SCRIPT, { stdio: ['pipe', 'pipe', 'ignore'] })
    if (shell === null) return
    this.#shell = shell
    const began = monotonic()
    let told = false
    shell.stdout?.on('data', () => {
      told = true
      void this.#pressed()
    })
    shell.stdin?.on('error', () => shell.stdin?.destroy())
    shell.once('exit', () => {
      this.#shell = null
      if (told || monotonic() - began > WORKS) this.watch()
    })
    shell.unref()
  }

  async #pressed(): Promise<void> {
    const host = this.#host
    if (this.#stopping) {
      host.kill()
      return
    }
    const asked = monotonic()
    host.ask()
    await new Promise((resolve) => setTimeout(resolve, HEARING))
    if (host.heard() >= asked || !host.ours() || this.#stopping || this.#closed) return
    this.#stopping = true
    await host.stop()
    endByCtrlC()
  }
}

/**
 * Ends this process by SIGINT, in the middle of whatever its main thread does, so that a shell sees exit code 130. The signal's listener stands in
 * the way, and only the main thread could remove it. But a script that is to be broken by SIGINT takes the signal over from any thread, and
 * leaves it to the operating system when it has run.
 */
function endByCtrlC(): void {
  runInThisContext('0', { breakOnSigint: true })
  process.kill(process.pid, 'SIGINT')
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), ENDING)
}
