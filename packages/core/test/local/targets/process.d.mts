import type { Connection, Lock, Process, Queue } from '@skein/core'

export function echo<T>(value: T): T
export function fill(bytes: number): Uint8Array
export function stateOf(other: Process<unknown>): Promise<string>
export function endSlowly(said: Queue<string>): Promise<void>
export function openSecondNamespace(said: Queue<string>): Promise<void>
export function writeNoise(): Promise<void>
export function makeUnstarted(queue: Queue<Process<number>>): Promise<void>
export function holdUntilTold(lock: Lock, connection: Connection<string, string>, mark: string): Promise<void>
export function closeAndGoOn(lock: string): Promise<{
  readonly wasFirst: boolean
  readonly none: null
  readonly same: boolean
  readonly known: boolean
  readonly namespace: string
  readonly result: string
  readonly locked: boolean
}>
