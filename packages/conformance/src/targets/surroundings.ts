/** Functions that run elsewhere: what they take over from their creator, and what they write. */
import { spawn } from 'node:child_process'
import process from 'node:process'
import type { Queue } from '@skein/core'
import { connect, currentProcess } from '@skein/core'

export function environment(...names: string[]): (string | undefined)[] {
  return names.map((name) => process.env[name])
}

export function directory(): string {
  return process.cwd()
}

export function print(out: string, error = ''): void {
  process.stdout.write(out)
  process.stderr.write(error)
}

/** Character by character of UTF-8, each byte in a write of its own. */
export async function printBytes(text: string): Promise<void> {
  for (const byte of Buffer.from(text)) {
    await new Promise<void>((resolve) => {
      process.stdout.write(Uint8Array.of(byte), () => resolve())
    })
  }
}

export function printRaw(bytes: Uint8Array): void {
  process.stdout.write(bytes)
}

export function printAndExit(lines: number, line: string): never {
  for (let count = 0; count < lines; count += 1) console.log(line)
  process.exit(0)
}

/** Says each time that it has written another megabyte, until nobody listens any more. */
export async function printForEver(said: Queue<number>): Promise<void> {
  const line = `${'x'.repeat(1023)}\n`
  for (let megabytes = 1; ; megabytes += 1) {
    for (let kilobytes = 0; kilobytes < 1024; kilobytes += 1) process.stdout.write(line)
    await said.put(megabytes)
  }
}

/** What is written at the wish of whoever reads. */
export async function printWhenTold(lines: Queue<string>): Promise<void> {
  for (let line = await lines.get(); line !== 'end'; line = await lines.get()) console.log(line)
}

/** A process of a process, with its output where that of its creator is. */
export async function printFromBelow(text: string): Promise<void> {
  const mp = await connect()
  const child = mp.process(print, [text])
  await child.start()
  await child.join()
}

/** Leaves a process behind that is none of ours and has our standard output. */
export function printAndLeave(text: string): number {
  process.stdout.write(text)
  const left = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60_000)'], { stdio: 'inherit', detached: true })
  left.unref()
  return left.pid ?? 0
}

/** Looks at the signal, says why it was aborted. */
export async function hearAbort(said: Queue<string>): Promise<string> {
  const { signal } = currentProcess()
  await said.put('ready')
  return await new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve((signal.reason as Error).message), { once: true })
  })
}
