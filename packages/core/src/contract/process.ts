/** A process that runs one target. */
import type { Handle } from './handle.ts'
import type { Labels } from './host.ts'
import type { WaitOptions } from './wait.ts'

/**
 * Where standard output and error go.
 * - `inherit` where those of its creator go · `pipe` to `process.stdout` and `process.stderr` of its handles · `ignore` nowhere
 */
export type Stdio = 'inherit' | 'pipe' | 'ignore'

export interface RestartOptions {
  /**
   * After which ends it is started again. `failure`: all but that its target returned or that its exit code was 0; `always`: all. Never
   * after `terminate()`, `kill()` or `interrupt()`, an abort of its signal, or the end of its parent, and not if the first start failed.
   */
  readonly on: 'failure' | 'always'
  /** At most so many restarts within `within` milliseconds, then it is given up with `CrashLoopError`; default 5. */
  readonly max?: number | undefined
  /** Default 60,000. */
  readonly within?: number | undefined
  /** Milliseconds before the first restart; before each further one within `within` twice as long, at most 30,000. Default 100. */
  readonly backoff?: number | undefined
}

export interface ProcessOptions {
  /** For people; default `Process-N`. */
  readonly name?: string | undefined
  /** Ended, not waited for, when its parent ends normally. Default: the creator's. */
  readonly daemon?: boolean | undefined
  /**
   * Outlives its parent, however that ends: it is neither ended nor waited for, and keeps nobody alive; and Ctrl-C does not reach it. When the
   * program that started it ends, what it holds goes back, its context is lost, and nobody hears how it ends; `connect()` then gives it a
   * context of its own. Never a daemon. Default false.
   */
  readonly detached?: boolean | undefined
  /** Set over the environment that it takes over from its creator at the start; `undefined` removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined
  /** Working directory; a relative one starts from the creator's at the start. Default: the creator's. */
  readonly cwd?: string | undefined
  /**
   * Where it runs: on the machine of that name, and only in a program that has all of these labels. Then it waits for a program that serves
   * and fits, whatever this program says of `serve`; on the local adapter, where there is one machine, neither is supported. Default: where
   * everything runs that this program starts.
   */
  readonly host?: string | undefined
  readonly labels?: Labels | undefined
  /** Of standard output and error; default `inherit`. Standard input is always empty. */
  readonly stdio?: Stdio | undefined
  /** An abort ends the process as `terminate()` does. Aborted before: `start()` rejects with its reason and starts nothing. */
  readonly signal?: AbortSignal | undefined
  /**
   * Starts it again when it ends: another process of the operating system under the same `id`, with the same arguments, which holds
   * nothing of what the last one held. Its handles mean the present one: `start()` resolves when the first has loaded its target, `pid` is `null`
   * between two, `join()` and `result()` wait for the last one. A process that is always started again is waited for without end by a parent
   * that ends, unless it is a daemon. Default: it is started once.
   */
  readonly restart?: RestartOptions | undefined
}

/**
 * How a process ended, and its exit code.
 * - `returned` 0: its target returned
 * - `threw` 1: its target threw, or something else in it threw and nobody caught it; the stack is on its standard error
 * - `exited` n: `process.exit(n)`, or `process.exitCode = n` when the target returned
 * - `signaled` −N for signal N, a graceful end after `terminate()` or `interrupt()` included
 * - `out-of-memory` −N: it reached the limit of its heap (SIGABRT), or the kernel killed it for memory (SIGKILL, where Linux says so)
 * - `spawn-failed` 1, or as above: it ended before its target was loaded
 * - `host-lost` null: the machine that ran it is gone
 */
export type ExitReason = 'returned' | 'threw' | 'exited' | 'signaled' | 'out-of-memory' | 'spawn-failed' | 'host-lost'

export interface ExitStatus {
  readonly exitCode: number | null
  readonly signal: NodeJS.Signals | null
  readonly reason: ExitReason
  /** What it threw, or why it could not be started, or `CrashLoopError` if it was started again too often. */
  readonly error?: Error
}

export interface ProcessStatus {
  readonly id: string
  readonly name: string
  readonly state: 'created' | 'starting' | 'running' | 'ended'
  readonly pid: number | null
  readonly host: string | null
  /** How often it was started again. */
  readonly restarts: number
  readonly exit: ExitStatus | null
}

/** A process that runs. */
export interface ProcessInfo {
  /** Unique among all programs and hosts; what `find()` takes. */
  readonly id: string
  readonly name: string
  readonly pid: number
  readonly host: string
  /** `main`: of a program; `process`: started by `start()`; `worker`: of a pool. */
  readonly role: 'main' | 'process' | 'worker'
  readonly daemon: boolean
  readonly detached: boolean
  /** Id of who started it; `null`: nobody did. */
  readonly parent: string | null
  /** Id of the main process of the program that started it. */
  readonly program: string
}

export interface LogsOptions {
  /** So many lines of what is kept, the last ones, to begin with. Default: all that is kept. */
  readonly tail?: number | undefined
  /** Goes on with what it writes until it has ended. Default `false`: the loop ends with what there is. */
  readonly follow?: boolean | undefined
  /** An abort ends the loop with its reason. */
  readonly signal?: AbortSignal | undefined
}

/** A line that a process has written. */
export interface LogLine {
  readonly stream: 'stdout' | 'stderr'
  /** Without its end. A line of more than 64 KiB may come in pieces, and bytes that are no UTF-8 as U+FFFD. */
  readonly text: string
  /** Bytes right before it that had to make room before this loop had read them; 0 if none. After the last line an empty one of `stderr` tells them. */
  readonly dropped: number
}

/** Dies with its parent, however the parent died. */
export interface Process<R> extends Handle, AsyncDisposable {
  readonly id: string
  readonly daemon: boolean
  /** As known here; `null` before it runs. */
  readonly pid: number | null
  readonly host: string | null
  /** As known here; `null` until it has ended. `status()` asks. */
  readonly exitCode: number | null
  /**
   * With `stdio: 'pipe'`: what it writes, line by line without the line ends; a line of more than 64 KiB comes in pieces, and bytes that
   * are no UTF-8 as U+FFFD. Ends when the process has ended and all is read. Each line goes to one reader.
   *
   * While somebody reads, a process that writes faster waits. While nobody does, it never waits: of what it writes the last
   * 1 MiB is kept, and the first line read says how much was dropped before it. Of processes that have ended, 32 MiB are kept in all.
   *
   * @throws StateError from the loop, without `stdio: 'pipe'`
   */
  readonly stdout: AsyncIterable<string>
  /** As `stdout`. */
  readonly stderr: AsyncIterable<string>
  /**
   * What it has written lately, and with `follow` what it writes: for any number of loops, in any process that has a handle or has found one, beside
   * those who read `stdout` and `stderr`. At least the last 64 KiB are kept, of both together and also when others have read them. Nobody waits
   * for these loops: one that is slower than the process misses what has to make room, and is told so. Of processes that have ended, 16 MiB are kept
   * in all.
   *
   * Of what is piped, and of what runs in another program, where output comes through this one: a process that this program runs itself, and that
   * inherits its output, writes straight to where that goes.
   *
   * @throws ArgumentError on `tail` that is no integer of 0 or more; StateError from the loop, where it writes elsewhere or nowhere
   */
  logs(options?: LogsOptions): AsyncIterable<LogLine>
  /**
   * Resolves when the child has loaded the target. An abort or a timeout ends the child.
   * @throws TargetNotFoundError, TargetMismatchError, BootstrapError; SpawnError, with what the target's module threw as its cause; StateError the
   *   second time
   */
  start(wait?: WaitOptions): Promise<this>
  /** Resolves when it has ended; never rejects for how it ended. What it wrote is written by then. @throws StateError before `start()` */
  join(wait?: WaitOptions): Promise<ExitStatus>
  /**
   * What the target returned. Its error is thrown here; a death without result throws `WorkerLostError`, one too often for `restart`
   * `CrashLoopError`.
   */
  result(wait?: WaitOptions): Promise<R>
  status(): Promise<ProcessStatus>
  isAlive(): Promise<boolean>
  /**
   * SIGTERM, which aborts `currentProcess().signal` in the child; code that never looked at the signal ends at once.
   * Past `grace` milliseconds (default 5 000) comes SIGKILL. Resolves when it has ended; a no-op once ended.
   */
  terminate(options?: { readonly grace?: number | undefined }): Promise<void>
  /** SIGKILL. Resolves when it has ended; a no-op once ended. */
  kill(): Promise<void>
  /**
   * SIGINT, as `terminate()` with nothing after it: aborts `currentProcess().signal`; code that never looked at the signal ends at once, in
   * a busy loop after a second. A process that listens to SIGINT itself has the say, and may go on. Resolves when it has ended; a no-op once
   * ended.
   */
  interrupt(): Promise<void>
}
