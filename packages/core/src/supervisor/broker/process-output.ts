/** What a process writes to its descriptors 1 and 2, as far as it comes this way: for those who read it, and for those who only look. */
import type { Stdio } from '../../contract/process.ts'
import { StateError } from '../../errors.ts'
import type { Frame } from '../../wire/frame.ts'
import { Log } from './log.ts'
import { Output } from './output.ts'
import type { Call, Session } from './session.ts'

export class ProcessOutput {
  readonly log: Log = new Log()
  readonly #label: string
  readonly #outputs: readonly [Output, Output]
  /** `null`: whether anybody reads it shows at the start. */
  #stdio: Stdio | null = null
  /** It writes where its program does, past this one. */
  #past = false

  /** @param flow stops the writing to a descriptor, and lets it go on */
  constructor(label: string, flow: (descriptor: 1 | 2, on: boolean) => void) {
    this.#label = label
    this.#outputs = [new Output((on) => flow(1, on)), new Output((on) => flow(2, on))]
  }

  /** What was written and nobody has read. */
  get unread(): readonly Output[] {
    return this.#outputs
  }

  /** Its record is gone. */
  discard(): void {
    for (const output of this.#outputs) output.discard()
    this.log.discard()
  }

  begin(stdio: Stdio): void {
    this.#stdio = stdio
    if (stdio === 'ignore') this.end()
    else if (stdio === 'inherit') this.#endOutputs()
  }

  /** @param here as a child of this program */
  started(here: boolean): void {
    if (here && this.#stdio === 'inherit') {
      this.#past = true
      this.log.end()
    }
    for (const output of this.#outputs) output.renew()
  }

  /** The process has ended; another one may follow. */
  stopped(): void {
    this.log.breakLines()
  }

  /** For good. */
  end(): void {
    this.#endOutputs()
    this.log.end()
  }

  leave(session: Session): void {
    for (const output of this.#outputs) output.leave(session)
  }

  /** The session reads no more of one of the two. */
  leaveOne(session: Session, descriptor: number): void {
    this.#of(descriptor).leave(session)
  }

  heard({ a, payload }: Frame): void {
    const descriptor = a === 2 ? 2 : 1
    this.#of(descriptor).push(payload)
    this.log.push(descriptor, payload)
  }

  read(call: Call): void {
    const [descriptor] = call.args as [number]
    if (this.#stdio === null || this.#stdio === 'pipe') this.#of(descriptor).read(call)
    else {
      const name = descriptor === 2 ? 'stderr' : 'stdout'
      call.fail(new StateError(`${this.#label} has no ${name} to read; make it with { stdio: 'pipe' }`))
    }
  }

  look(call: Call): void {
    const [from, wait] = call.args as [number, boolean]
    if (this.#past) {
      call.fail(
        new StateError(
          `${this.#label} writes where the program does that started it, and what it writes is not seen elsewhere; make it with { stdio: 'pipe' }`,
        ),
      )
    } else if (this.#stdio === 'ignore') {
      call.fail(new StateError(`${this.#label} writes to nowhere; make it with { stdio: 'pipe' }`))
    } else this.log.read(call, from, wait)
  }

  #of(descriptor: number): Output {
    return this.#outputs[descriptor === 2 ? 1 : 0]
  }

  #endOutputs(): void {
    for (const output of this.#outputs) output.end()
  }
}
