/** A process that runs one target. */
import type { Handle } from './handle.ts'
import type { WaitOptions } from './wait.ts'

export interface ProcessOptions {
  /** For people; default `Process-N`. */
  readonly name?: string | undefined
  /** Ended, not waited for, when its parent ends normally. Default: the creator's. */
  readonly daemon?: boolean | undefined
}

/**
 * How a process ended.
 * - `returned` 0 · `threw` 1 · `exited` the code given to `process.exit` · `signaled` −N for signal N, a graceful end after
 *   `terminate()` included · `out-of-memory` · `spawn-failed` · `host-lost` null
 */
export type ExitReason = 'returned' | 'threw' | 'exited' | 'signaled' | 'out-of-memory' | 'spawn-failed' | 'host-lost'

export interface ExitStatus {
  readonly exitCode: number | null
  readonly signal: NodeJS.Signals | null
  readonly reason: ExitReason
  /** What it threw, or why it could not be started. */
  readonly error?: Error
}

export interface ProcessStatus {
  readonly id: string
  readonly name: string
  readonly state: 'created' | 'starting' | 'running' | 'ended'
  readonly pid: number | null
  readonly host: string | null
  readonly exit: ExitStatus | null
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
   * Resolves when the child has loaded the target. An abort or a timeout ends the child.
   * @throws TargetNotFoundError, TargetMismatchError, BootstrapError; SpawnError, with what the target's module threw as its cause; StateError the
   *   second time
   */
  start(wait?: WaitOptions): Promise<this>
  /** Resolves when it has ended; never rejects for how it ended. @throws StateError before `start()` */
  join(wait?: WaitOptions): Promise<ExitStatus>
  /** What the target returned. Its error is thrown here; a death without result throws `WorkerLostError`. */
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
}
