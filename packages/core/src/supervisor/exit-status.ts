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

/** How a process was asked to end. */
export type Asked = 'SIGTERM' | 'SIGINT'

/** What the operating system and the starter know of an end. */
export interface Ending {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  /** `null`: nobody has asked it to end. */
  readonly asked: Asked | null
  readonly outOfMemory: boolean
}

export function exitOf({ code, signal, asked, outOfMemory }: Ending, words: LastWords | null): EncodedExit {
  const error = words !== null && words.kind !== 'returned' ? words.payload : null
  const result = words?.kind === 'returned' ? words.payload : null
  const cause = causeOf(code, signal, asked)
  if (cause !== null) {
    const reason = outOfMemory ? 'out-of-memory' : 'signaled'
    return { exitCode: -constants.signals[cause], signal: cause, reason, error, result }
  }
  const exitCode = code ?? 1
  if (words?.kind === 'unloaded') return { exitCode, signal: null, reason: 'spawn-failed', error, result }
  if (words?.kind === 'threw' && exitCode === 1) return { exitCode, signal: null, reason: 'threw', error, result }
  if (words?.kind === 'returned' && exitCode === 0) return { exitCode, signal: null, reason: 'returned', error, result }
  return { exitCode, signal: null, reason: 'exited', error: null, result: null }
}

function causeOf(code: number | null, signal: NodeJS.Signals | null, asked: Asked | null): NodeJS.Signals | null {
  // Asked to end, a child that ended in good order counts as ended by that signal all the same.
  if (signal === null) return code === 0 ? asked : null
  // What did not listen was interrupted by other means.
  return signal === 'SIGTERM' && asked !== null ? asked : signal
}
