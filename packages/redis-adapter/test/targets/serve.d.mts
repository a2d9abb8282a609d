import type { Connection, Event, Lock, Process, Queue } from '@skein/core'

type Pids = [pid: number, parent: number]
export function first(): void
export function pid(): number
export function endAs(door: Event, lines: number, how: 'return' | 'throw' | number | NodeJS.Signals): Promise<string>
export function fall(file: string): void
export function fill(path: string): void
export function mark(file: string): number
export function parentPid(): number
export function holdAndTell(lock: Lock, said: Queue<Pids>): Promise<never>
export function count(said: Queue<Pids>, file: string): Promise<never>
export function putOne<T>(queue: Queue<T>, item: T): Promise<void>
export function swap(connection: Connection<number, number>): Promise<void>
export function joinAnother<R>(other: Process<R>): Promise<[number | null, R]>
export function makeQueue<T>(item: T): Promise<Queue<T>>
export function wait<T>(latch: Queue<T>): Promise<T>
export function slow(ms: number): number
export function surroundings(): Promise<{
  readonly env: Readonly<Record<string, string>>
  readonly argv: readonly string[]
  readonly execArgv: readonly string[]
  readonly cwd: string
  readonly cmdline: string
}>
export function startAnother(url: string, name: string): Promise<unknown>
export function drainHost(): Promise<unknown>
export function drainFromBelow(): Promise<unknown[]>
