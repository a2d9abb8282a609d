/** What a child says of its end. It leaves at once: the process may not get another turn. */
import { inspect } from 'node:util'
import { encodeThrown, withOrigin } from '../codec/index.ts'
import { currentProcess, endingBy } from '../current-process.ts'
import { type Op, op } from '../wire/frame.ts'
import type { Link } from '../wire/link.ts'
import { outputWritten } from './own-output.ts'

/** This process, as the stacks of errors that come from it name it. */
export function origin(): string {
  const { name, pid } = currentProcess()
  return `${name}, pid ${pid}`
}

export class LastWord {
  readonly #link: Link

  constructor(link: Link) {
    this.#link = link
    // Node prints the error and ends the process with 1; the supervisor learns what it was.
    process.on('uncaughtExceptionMonitor', (error) => this.say(op.threw, encodeThrown(error)))
  }

  say(kind: Op, payload?: Uint8Array): void {
    this.#link.send(kind, 0, 0, payload)
    this.#link.flush()
  }

  /** The target, or the load of it, has thrown: as a full stack on standard error, and to the supervisor. */
  threw(kind: typeof op.threw | typeof op.unloaded, error: unknown): void {
    const { name, pid } = currentProcess()
    // The error of an end that was asked for is no news; the one of a failed load reaches the caller of start().
    if (kind === op.threw && endingBy() === null) process.stderr.write(`${name} (pid ${pid}) threw ${inspect(error)}\n`)
    this.say(kind, encodeThrown(withOrigin(error, origin())))
  }

  /** Ends this process when its last word has been written. */
  async end(code: number): Promise<never> {
    await Promise.all([this.#link.flushed(), outputWritten()])
    const by = endingBy()
    if (by !== null) {
      // It ended in good order after the signal; to the world it ended by the signal all the same.
      process.removeAllListeners(by)
      process.kill(process.pid, by)
      // The signal is delivered before the next turn of the loop, which never comes.
      await new Promise<void>((resolve) => setTimeout(resolve, 1_000))
    }
    return process.exit(code)
  }
}
