/** What became of a process, put together from what the operating system says and what the child itself said last. */
import { constants } from 'node:os'
import type { ExitStatus } from '../contract/process.ts'

/** What the child said before it ended. */
export interface LastWords {
  readonly kind: 'returned' | 'threw' | 'unloaded'
  readonly payload: Uint8Array
}

/** An exit status as it crosses processes: the error is encoded. */
export interface EncodedExit {
  readonly exitCode: number | null
  readonly signal: NodeJS.Signals | null
  readonly reason: ExitStatus['reason']
  readonly error: Uint8Array | null
  readonly result: Uint8Array | null
}

export function exitOf(
  code: number | null,
  signal: NodeJS.Signals | null,
  words: LastWords | null,
  terminated: boolean,
): EncodedExit {
  const error = words !== null && words.kind !== 'returned' ? words.payload : null
  const result = words?.kind === 'returned' ? words.payload : null
  // Asked to terminate, a child that ended in good order counts as ended by that signal all the same.
  const cause = signal ?? (terminated && code === 0 ? 'SIGTERM' : null)
  if (cause !== null) {
    return { exitCode: -constants.signals[cause], signal: cause, reason: 'signaled', error, result }
  }
  const exitCode = code ?? 1
  if (words?.kind === 'unloaded') return { exitCode, signal: null, reason: 'spawn-failed', error, result }
  if (words?.kind === 'threw' && exitCode === 1) return { exitCode, signal: null, reason: 'threw', error, result }
  if (words?.kind === 'returned' && exitCode === 0) return { exitCode, signal: null, reason: 'returned', error, result }
  return { exitCode, signal: null, reason: 'exited', error: null, result: null }
}
