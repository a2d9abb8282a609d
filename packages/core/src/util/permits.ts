/** The check on how many permits are asked for: the same on every adapter. */
import { ArgumentError } from '../errors.ts'

/** @param all what is asked of */
export function checkPermits(
  asked: number | undefined,
  all: { readonly permits: number; readonly label: string },
): number {
  const permits = asked ?? 1
  if (!Number.isSafeInteger(permits) || permits < 1 || permits > all.permits) {
    throw new ArgumentError(
      `permits must be a whole number from 1 to ${all.permits}, all that ${all.label} has; got ${String(asked)}`,
    )
  }
  return permits
}
