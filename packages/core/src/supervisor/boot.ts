/** What a child is told first of all. */

/** As much of a process as others see of it. */
export interface ProcessInfo {
  readonly id: string
  readonly name: string
  readonly pid: number
  readonly host: string
}

/**
 * - `process`: runs `target(...args)` once.
 * - `worker`: runs the initializer, then the tasks of a pool.
 */
export type Role =
  | { readonly kind: 'process'; readonly target: Uint8Array; readonly args: Uint8Array }
  | { readonly kind: 'worker'; readonly initializer: Uint8Array | null; readonly initArgs: Uint8Array }

export interface Boot {
  readonly process: ProcessInfo
  readonly daemon: boolean
  readonly parent: ProcessInfo
  readonly namespace: string
  readonly role: Role
  /** It writes to a pipe, not to the socket. */
  readonly pipe: boolean
}

/** What the starter gives its child besides work: taken from the starter's own process, as Python's spawn does. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
  readonly execArgv: readonly string[]
}
