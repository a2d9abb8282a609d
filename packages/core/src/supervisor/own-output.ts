/**
 * What this process writes to its standard output and error, which Node keeps in memory while a pipe is full: without end if it writes
 * quickly, and lost with the process if it ends.
 */
import { fstatSync } from 'node:fs'
import type { Writable } from 'node:stream'

/** What makes the writes of Node's streams over a pipe wait. Not documented, and so not relied on. */
interface PipeHandle {
  readonly setBlocking?: (on: boolean) => unknown
}

/** From now on a write waits for its reader. For pipes that no other process writes into. */
export function blockOutput(): void {
  for (const stream of [process.stdout, process.stderr]) {
    const handle = Reflect.get(stream, '_handle') as PipeHandle | null | undefined
    handle?.setBlocking?.(true)
  }
}

/** Whoever read what this process writes is gone, or may be: from now on it writes to nobody instead of ending by it. */
export function outliveReaders(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', ignoreLoss)
}

function ignoreLoss(): void {
  // Nothing to do.
}

/** Resolves when what was written so far would outlive this process. */
export async function outputWritten(): Promise<void> {
  if (isPipe(1)) await written(process.stdout)
  if (isPipe(2)) await written(process.stderr)
}

/** Files and terminals are written at once. To look at the stream itself would make one where none was used. */
function isPipe(descriptor: number): boolean {
  try {
    const stat = fstatSync(descriptor)
    return stat.isFIFO() || stat.isSocket()
  } catch {
    // The program has closed it.
    return false
  }
}

function written(stream: Writable): Promise<void> {
  if (stream.writableLength === 0 || stream.destroyed) return Promise.resolve()
  return new Promise((resolve) => {
    stream.once('error', () => resolve())
    stream.write('', () => resolve())
  })
}
