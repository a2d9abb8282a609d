/** What goes wrong, as the command line tells it. */
import { SkeinError } from '@skein/core'

/** One sentence, and how the command ends: 1 failed, 2 the command line was wrong. */
export class Failure extends Error {
  readonly exitCode: 1 | 2

  constructor(exitCode: 1 | 2, sentence: string) {
    super(sentence)
    this.exitCode = exitCode
  }
}

export function exitCodeOf(error: unknown): 1 | 2 {
  return error instanceof Failure ? error.exitCode : 1
}

/** Of what nobody has foreseen, the whole stack: that is a defect, and wants to be reported. */
export function sentenceOf(error: unknown): string {
  if (error instanceof Failure || error instanceof SkeinError) return error.message
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
