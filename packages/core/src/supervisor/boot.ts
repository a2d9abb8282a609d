/** What a child is told first of all. */
import type { ChildOptions } from '../contract/adapter.ts'
import type { WorkerLimits } from '../contract/fleet.ts'
import type { ProcessInfo as PublicInfo } from '../contract/process.ts'
import type { TargetPolicy } from '../target/index.ts'

/** What differs between adapters for a process's half of them. */
export interface Nature {
  readonly kind: 'local' | 'redis'
  /** What the program was told to connect to, in short: a child that connects to the same is at home. */
  readonly place: string
  /** Where the state is, as references name it: the store's own id, whatever it was reached by. */
  readonly scope: string
  /** By which others name the same store. */
  readonly aliases?: readonly string[]
  /** Items of queues are encoded as JSON text. */
  readonly json: boolean
  /**
   * Whether something is still held is for a store elsewhere to confirm: holding ends with a deadline unless that is renewed, and `ack` and
   * `nack` are calls. Else it ends with the process alone, and they are frames.
   */
  readonly confirmed: boolean
  /** Locks are kept by a majority of stores, not by the one that keeps everything else: their tenure is another one. */
  readonly quorum?: boolean
}

/** As much of a process as others see of it. */
export interface ProcessInfo {
  readonly id: string
  readonly name: string
  readonly pid: number
  readonly host: string
}

/** What is known of a process that has a session, beside who it is. */
export type About = Pick<PublicInfo, 'role' | 'daemon' | 'detached' | 'parent' | 'program'>

/**
 * - `process`: runs `target(...args)` once.
 * - `worker`: runs the initializer, then the tasks of a pool.
 */
export type Role =
  | { readonly kind: 'process'; readonly target: Uint8Array; readonly args: Uint8Array }
  | {
      readonly kind: 'worker'
      readonly initializer: Uint8Array | null
      readonly initArgs: Uint8Array
      readonly limits: WorkerLimits | null
    }

export interface Boot {
  readonly process: ProcessInfo
  /** Whose supervisor started it: the id of that program's main process. */
  readonly program: string
  readonly daemon: boolean
  readonly parent: ProcessInfo
  readonly namespace: string
  readonly nature: Nature
  readonly role: Role
  /** The descriptor of the pipe that it writes to; 0: it writes to the socket. */
  readonly pipe: number
  /** The descriptor of the slot of its tenures; 0: none. */
  readonly slot: number
  /** The descriptor of the file for what Node reports of its end; 0: none. */
  readonly report: number
  /** Somebody may read what it writes to standard output and error. */
  readonly piped: boolean
  /** It goes on when its program ends. */
  readonly detached: boolean
  /** What it may run; `null`: whatever Node finds. */
  readonly policy: TargetPolicy | null
  /** It loads and runs nothing before it is told to `go`. */
  readonly held: boolean
  /** After which number it may count what it makes; see `StartSpec`. */
  readonly serial: number
}

/** What a child gets whose creator asks for nothing in particular. */
export const plainOptions: ChildOptions = { env: {}, cwd: null, stdio: 'inherit', detached: false, needs: null }

/** What the starter gives its child besides work: taken from the starter's own process, as Python's spawn does. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
  readonly execArgv: readonly string[]
}
