/** Checks of what is said of an item, and of when it comes again; the same on every adapter. */
import type { Backoff, PutOptions } from '../contract/queue.ts'
import { ArgumentError } from '../errors.ts'
import { describe } from '../util/describe.ts'
import { checkName } from '../util/names.ts'
import { checkInteger, checkOptions } from '../util/options.ts'

/** Milliseconds: a year. What lies further ahead belongs into a store of appointments. */
const LONGEST = 365 * 24 * 3_600_000

/** BullMQ's lowest, 2²¹ − 1. */
const LOWEST = 2_097_151

/** Of an item that is put: milliseconds, 0: none; 0: before all that have a priority; '': none. */
export type PutHow = readonly [delay: number, priority: number, id: string]

export interface BackoffSpec {
  /** Milliseconds after the first failed delivery, doubled with each further one. */
  readonly base: number
  readonly max: number
}

/** @returns null: nothing but how to wait is said. @throws ArgumentError */
export function putHow({ delay, priority, id }: PutOptions): PutHow | null {
  if (delay === undefined && priority === undefined && id === undefined) return null
  return [
    delay === undefined ? 0 : checkDelay(delay, 'queue.put(): delay'),
    priority === undefined ? 0 : checkInteger(priority, { min: 0, max: LOWEST, what: 'queue.put(): priority' }),
    id === undefined ? '' : checkName(id, 'queue.put(): id'),
  ]
}

/** @returns whole milliseconds, never less than asked for. @throws ArgumentError */
export function checkDelay(delay: unknown, what: string): number {
  if (typeof delay === 'number' && delay >= 0 && delay <= LONGEST) return Math.ceil(delay)
  throw new ArgumentError(
    `${what} must be a number of milliseconds from 0 to ${LONGEST} (a year), got ${describe(delay)}`,
  )
}

/** @throws ArgumentError */
export function checkBackoff(backoff: number | Backoff | undefined, where: string): BackoffSpec | undefined {
  if (backoff === undefined) return undefined
  if (typeof backoff === 'number') {
    const delay = checkDelay(backoff, `${where}: backoff`)
    return { base: delay, max: delay }
  }
  const { base, max = LONGEST } = checkOptions(backoff, ['base', 'max'], `${where}: backoff`)
  return { base: checkDelay(base, `${where}: backoff.base`), max: checkDelay(max, `${where}: backoff.max`) }
}

/** @param attempt of the delivery that failed, from 1 */
export function delayAfter({ base, max }: BackoffSpec, attempt: number): number {
  return Math.min(max, base * 2 ** Math.min(attempt - 1, 50))
}
