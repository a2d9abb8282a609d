/**
 * Checks of what users pass in: option names and numbers, each refused with one sentence. What a number or a name means is the
 * business of the noun that takes it.
 */
import { ArgumentError } from '../errors.ts'
import { describe } from './describe.ts'

/**
 * The options as a copy without prototype, so that a polluted `Object.prototype` never sets one.
 *
 * @param known the names that `where` takes
 * @param where the call, as in `pool.map()`
 * @throws ArgumentError on something that is no object, or on a name that is not known
 */
export function checkOptions<T extends object>(options: T | undefined, known: readonly string[], where: string): T {
  const own: T = Object.create(null)
  if (options === undefined) return own
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new ArgumentError(
      `${where}: options must be an object with any of ${known.join(', ')}, got ${describe(options)}`,
    )
  }
  for (const name of Object.keys(options)) {
    if (!known.includes(name))
      throw new ArgumentError(`${where}: unknown option ${describe(name)}; ${advise(name, known)}`)
  }
  return Object.assign(own, options)
}

export interface IntegerBounds {
  readonly min: number
  readonly max?: number
  /** Opens the sentence: `chunkSize`. */
  readonly what: string
}

/** @throws ArgumentError unless `value` is a safe integer from `min` to `max` */
export function checkInteger(value: unknown, { min, max = Number.MAX_SAFE_INTEGER, what }: IntegerBounds): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max) return value
  const tooLarge = typeof value === 'number' && Number.isFinite(value) && value > max
  const unbounded = max === Number.MAX_SAFE_INTEGER && !tooLarge
  const range = unbounded ? `of ${min} or more` : `from ${min} to ${max}`
  throw new ArgumentError(`${what} must be an integer ${range}, got ${describe(value)}`)
}

/**
 * @param what opens the sentence: `lock.with(): body`
 * @throws ArgumentError unless it is a function
 */
export function checkFunction(value: unknown, what: string): void {
  if (typeof value !== 'function') throw new ArgumentError(`${what} must be a function, got ${describe(value)}`)
}

function advise(name: string, known: readonly string[]): string {
  const near = known
    .map((option) => ({ option, steps: editSteps(name.toLowerCase(), option.toLowerCase()) }))
    .filter(({ option, steps }) => steps <= Math.max(1, Math.floor(Math.max(option.length, name.length) / 3)))
    .toSorted((a, b) => a.steps - b.steps)[0]
  if (near !== undefined) return `did you mean "${near.option}"?`
  return known.length === 0 ? 'it takes none' : `it takes ${known.join(', ')}`
}

/** Levenshtein's distance: how many letters to add, drop or replace. */
function editSteps(from: string, to: string): number {
  // A key may be as long as its caller likes; the table below is not to be.
  if (Math.abs(from.length - to.length) > to.length) return from.length
  let above = Array.from({ length: to.length + 1 }, (_, column) => column)
  for (let row = 1; row <= from.length; row += 1) {
    const line = [row]
    for (let column = 1; column <= to.length; column += 1) {
      const replace = (above[column - 1] ?? 0) + (from[row - 1] === to[column - 1] ? 0 : 1)
      line.push(Math.min(replace, (above[column] ?? 0) + 1, (line[column - 1] ?? 0) + 1))
    }
    above = line
  }
  return above[to.length] ?? 0
}
