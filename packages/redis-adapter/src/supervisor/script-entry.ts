/** One call of a script, from its asking to its answer. */
import type { ScriptHead } from './script-command.ts'
import type { ScriptArgument, ScriptOptions } from './surround.ts'

export interface Entry {
  /** Counts the calls: what is sent again is sent in the order of asking. */
  readonly order: number
  readonly head: ScriptHead
  readonly args: readonly ScriptArgument[]
  readonly options: ScriptOptions
  readonly urgent: boolean
  /** On the clock of `performance`. */
  readonly due: number
  readonly waited: number
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
  /** How many times it was sent; an answer to an earlier time is none. */
  sent: number
}
