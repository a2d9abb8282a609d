/** Functions that run elsewhere: ways to begin and to end. */
import process from 'node:process'
import type { Connection, Queue } from '@skein/core'
import { currentProcess } from '@skein/core'
import { self } from './basic.ts'
import type { Self } from './basic.ts'

export function exit(code: number): never {
  process.exit(code)
}

export async function exitAfterPut(queue: Queue<string>, item: string): Promise<never> {
  await queue.put(item)
  process.exit(0)
}

export async function dieBy(signal: NodeJS.Signals): Promise<void> {
  process.kill(process.pid, signal)
  await new Promise((resolve) => setTimeout(resolve, 60_000))
}

export function abort(): never {
  process.abort()
}

export function throwText(text: string): never {
  throw text
}

export async function throwFromTimer(message: string): Promise<void> {
  setTimeout(() => {
    throw new SyntaxError(message)
  }, 1)
  await new Promise(() => {})
}

export async function rejectUnheard(message: string): Promise<void> {
  void Promise.reject(new SyntaxError(message))
  await new Promise((resolve) => setTimeout(resolve, 60_000))
}

/** Ends as a well-behaved process does: hears the signal, cleans up, returns. */
export async function cleanUp(said: Queue<string>): Promise<string> {
  const { signal } = currentProcess()
  const asked = new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
  await said.put('ready')
  await asked
  await said.put('cleaned up')
  return 'tidy'
}

/** Looks at the signal, and never ends for it. */
export async function ignoreSignal(said: Queue<string>): Promise<void> {
  const { signal } = currentProcess()
  signal.addEventListener('abort', () => {})
  setInterval(() => {}, 60_000)
  await said.put('ready')
  await new Promise(() => {})
}

/** Sends 10 MB or so away, and ends without anybody having looked at it. */
export async function putAndEnd(queue: Queue<Uint8Array>, bytes: number): Promise<void> {
  await queue.put(new Uint8Array(bytes).fill(7))
}

export async function sendAndEnd(end: Connection<Uint8Array>, bytes: number): Promise<void> {
  await end.sendBytes(new Uint8Array(bytes).fill(7))
}

export function repeat(byte: number, times: number): Uint8Array {
  return new Uint8Array(times).fill(byte)
}

/** Two that meet: each tells the other that it is there, so both must be running at the same time. */
export async function meet(mine: Queue<string>, theirs: Queue<string>): Promise<string> {
  await mine.put('here')
  return await theirs.get()
}

/** A process started by a process. */
export async function selfOfChild(): Promise<Self> {
  const { context } = currentProcess()
  if (context === null) throw new Error('a child has a context')
  const child = context.process(self)
  await child.start()
  return await child.result()
}

/** Listens to SIGINT itself, and goes on. */
export async function shrugOff(said: Queue<string>): Promise<string> {
  const heard = new Promise<string>((resolve) => process.once('SIGINT', resolve))
  await said.put('ready')
  await said.put(await heard)
  return 'went on'
}

export function exitCodeOf(code: number): string {
  process.exitCode = code
  return 'returned all the same'
}

/** Takes more and more memory of the heap. */
export async function fillHeap(said: Queue<number>): Promise<never> {
  await said.put(process.pid)
  const kept: number[][] = []
  for (;;) kept.push(Array.from({ length: 10_000 }, (_, index) => index + Math.random()))
}

export function throwDeep(depth: number): never {
  if (depth > 0) throwDeep(depth - 1)
  throw new RangeError('from the deep', { cause: new TypeError('because of this') })
}
