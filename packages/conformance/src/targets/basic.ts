/** Functions that run elsewhere: small ones that every suite uses. */
import process from 'node:process'
import type { Queue } from '@skein/core'
import { currentProcess, isMainProcess } from '@skein/core'

export function add(a: number, b: number): number {
  return a + b
}

export function double(n: number): number {
  return n * 2
}

export function echo<T>(value: T): T {
  return value
}

export function nothing(): void {}

export function pid(): number {
  return process.pid
}

/** Says that it is there, then waits for a word, which it returns. */
export async function hear<T>(said: Queue<number>, words: Queue<T>): Promise<T> {
  await said.put(process.pid)
  return await words.get()
}

/** Says that it is there, then never ends by itself; its event loop is free. */
export async function idle(said: Queue<number>): Promise<void> {
  await said.put(process.pid)
  setInterval(() => {}, 60_000)
  await new Promise(() => {})
}

/** Says that it is there, then computes for ever. */
export async function spin(said: Queue<number>): Promise<void> {
  await said.put(process.pid)
  for (;;);
}

export function fail(message: string): never {
  throw new RangeError(message)
}

export async function failLater(message: string): Promise<never> {
  await new Promise((resolve) => setImmediate(resolve))
  throw Object.assign(new TypeError(message), { code: 'E_LATER', detail: { at: 7 } })
}

/** What a process knows of itself. */
export interface Self {
  readonly main: boolean
  readonly id: string
  readonly name: string
  readonly pid: number
  readonly daemon: boolean
  readonly parent: { readonly id: string; readonly name: string; readonly pid: number } | null
}

export function self(): Self {
  const { id, name, pid: own, daemon, parent } = currentProcess()
  return {
    main: isMainProcess,
    id,
    name,
    pid: own,
    daemon,
    parent: parent && { id: parent.id, name: parent.name, pid: parent.pid },
  }
}
