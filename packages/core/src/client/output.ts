/** The lines that a process writes, as a loop in another one reads them. */
import type { OutputAnswer } from '../supervisor/broker/output.ts'

/** 1: standard output; 2: standard error. */
export type Descriptor = 1 | 2

export interface OutputSource {
  read(): Promise<OutputAnswer>
  /** No more will be asked for. */
  leave(): void
}

export async function* outputLines(open: () => OutputSource): AsyncGenerator<string, void, void> {
  const source = open()
  try {
    for (;;) {
      const answer = await source.read()
      if (answer === null) return
      const { bytes, dropped } = answer
      if (dropped > 0) yield `[skein: ${dropped} bytes before this line were dropped, since nobody read them]`
      yield* linesOf(bytes)
    }
  } finally {
    source.leave()
  }
}

/** What ends in the middle of a line is the last of all, or a piece of a very long one. */
function linesOf(bytes: Uint8Array): string[] {
  // A mark at the beginning of a line is text like any other.
  const lines = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes).split(/\r?\n/)
  if (lines.at(-1) === '') lines.pop()
  return lines
}

/** As `promise`, but an abort that came first is why it rejects. */
export async function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  try {
    return await promise
  } catch (error) {
    throw signal.aborted ? signal.reason : error
  }
}
