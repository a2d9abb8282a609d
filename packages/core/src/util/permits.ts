/** The check on how many permits are asked for: the same on every adapter. */
import { ArgumentError } from '../errors.ts'
import { describe } from './describe.ts'

/** @param all what is asked of */
export function checkPermits(
  asked: number | undefined,
  all: { readonly permits: number; readonly label: string },
): number {
  const permits = asked === undefined ? 1 : asked
  if (!Number.isSafeInteger(permits) || permits < 1 || permits > all.permits) {
    throw new ArgumentError(
      `permits must be a whole number from 1 to ${all.permits}, all that ${all.label} has; got ${describe(asked)}`,
    )
  }
  return permits
}
