/**
 * How long what this process holds is surely its own. A holding remembers the epoch in which it was granted: a loss ends the epoch,
 * and what is renewed afterwards brings nothing back.
 */
import { LeaseLostError } from '../errors.ts'
import { monotonic } from '../util/clock.ts'
import type { ReadSlot, TenureNumber } from '../wire/tenure-slot.ts'

export interface Tenure {
  /** The present one, by what the supervisor has told so far. */
  readonly epoch: number
  /** Milliseconds left for what was granted in this epoch; 0 or less: it is lost. Never waits, and right after any block. */
  remaining(epoch: number): number
}

/** Where holding ends with the process alone. */
export const forever: Tenure = { epoch: 0, remaining: () => Number.POSITIVE_INFINITY }

/** Why something is lost that nobody has called lost: only the clock has. */
export function expired(): LeaseLostError {
  return new LeaseLostError('it was not renewed in time: this process or its connection stood still')
}

/** Longer than Node's timers can count. */
const LONGEST_TIMER = 2 ** 31 - 1

export class SlotTenure implements Tenure {
  readonly #number: TenureNumber
  readonly #read: ReadSlot | null
  #epoch = 0

  /** @param read `null` where there is no slot: then only what was told counts */
  constructor(number: TenureNumber, read: ReadSlot | null) {
    this.#number = number
    this.#read = read
  }

  get epoch(): number {
    return this.#epoch
  }

  /** The supervisor has told of a loss. */
  lost(epoch: number): void {
    this.#epoch = epoch
  }

  remaining(epoch: number): number {
    if (epoch !== this.#epoch) return 0
    if (this.#read === null) return Number.POSITIVE_INFINITY
    const slot = this.#read(this.#number)
    return slot.epoch === epoch ? Math.min(slot.mono - monotonic(), slot.wall - Date.now()) : 0
  }
}

/** One thing that is held, until its tenure is over. */
export class Holding {
  readonly #tenure: Tenure
  readonly #epoch: number
  #timer: NodeJS.Timeout | undefined

  /** @param epoch of the moment in which the grant was heard, before anything behind it */
  constructor(tenure: Tenure, epoch: number) {
    this.#tenure = tenure
    this.#epoch = epoch
  }

  get remaining(): number {
    return this.#tenure.remaining(this.#epoch)
  }

  /** Calls `tell` when the time is over, for those who listen instead of asking; keeps nobody alive. */
  watch(tell: () => void): void {
    const { remaining } = this
    if (remaining === Number.POSITIVE_INFINITY) return
    if (remaining <= 0) {
      tell()
      return
    }
    // Mostly it is renewed long before.
    this.#timer = setTimeout(() => this.watch(tell), Math.min(remaining, LONGEST_TIMER))
    this.#timer.unref()
  }

  /** It is over, for whatever reason. */
  end(): void {
    clearTimeout(this.#timer)
  }
}
