/** Positions in lists and arrays: from 0, or from the end where they are negative. */
import { ArgumentError } from '../errors.ts'
import { describe } from './describe.ts'

/** @throws ArgumentError unless it is an integer */
export function checkPosition(index: number, label: string): number {
  if (Number.isSafeInteger(index)) return index
  throw new ArgumentError(`${label}: a position is an integer, negative from the end, got ${describe(index)}`)
}

export function outOfRange(label: string, index: number, length: number): RangeError {
  return new RangeError(`${label}: there is nothing at position ${index}; its length is ${length}`)
}
