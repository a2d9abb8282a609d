/** Options that are numbers. */
import { Failure } from './failure.ts'

/** Reads an integer of that range; whatever else stands there is refused with the range. */
export function integerOption(name: string, min: number, max: number): (text: string) => number {
  return (text) => {
    const number = Number(text)
    if (/^\d+$/.test(text) && number >= min && number <= max) return number
    throw new Failure(2, `${name} takes an integer from ${min} to ${max}, got ${JSON.stringify(text)}`)
  }
}
