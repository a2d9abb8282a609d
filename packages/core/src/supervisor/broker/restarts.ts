/**
 * Whether a process that has ended is started again, and when: at most `max` times within `within` milliseconds, as Erlang's supervisors
 * have it (Erlang/OTP, `supervisor`, restart intensity and period), each time after a longer pause.
 */
import type { RestartSpec } from '../../contract/adapter.ts'
import { CrashLoopError } from '../../errors.ts'
import { monotonic } from '../../util/clock.ts'
import type { EncodedExit } from '../exit-status.ts'

/** The longest pause in milliseconds. */
const LONGEST_PAUSE = 30_000

export class Restarts {
  readonly #spec: RestartSpec
  readonly #clock: () => number
  /** When it was started again, within the last `within` milliseconds. */
  #times: number[] = []
  #count = 0

  constructor(spec: RestartSpec, clock: () => number = monotonic) {
    this.#spec = spec
    this.#clock = clock
  }

  /** How often it was started again. */
  get count(): number {
    return this.#count
  }

  /** Whether this is an end after which it is to be started again. */
  concerns({ reason, exitCode }: EncodedExit): boolean {
    return this.#spec.on === 'always' || !(reason === 'returned' || (reason === 'exited' && exitCode === 0))
  }

  /** Milliseconds to the next start, which counts from now on; `null`: it was started again too often. */
  next(): number | null {
    const { max, within, backoff } = this.#spec
    const now = this.#clock()
    this.#times = this.#times.filter((time) => now - time < within)
    const recent = this.#times.length
    if (recent >= max) return null
    this.#times.push(now)
    this.#count += 1
    return Math.min(backoff * 2 ** recent, LONGEST_PAUSE)
  }

  /** @param label of the process @param how completes "it", of its last end @param cause what it threw then */
  loop(label: string, how: string, cause: unknown): CrashLoopError {
    const { max, within } = this.#spec
    return new CrashLoopError(
      `${label} was started again ${max} times within ${within} ms, ended once more and is given up; the last time it ${how}`,
      cause === undefined ? {} : { cause },
    )
  }
}
