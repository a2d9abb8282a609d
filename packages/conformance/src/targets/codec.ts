/** Functions that run elsewhere and look at what arrived. */
import { inspect } from 'node:util'
import { registerError } from '@skein/core'

/** What a value looks like here, so that sender and receiver can be compared without sending it back. */
export function look(value: unknown): string {
  // A view is what it shows, wherever that stands in its buffer.
  if (value instanceof DataView)
    return `DataView ${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')}`
  return inspect(value, { depth: null, maxArrayLength: 50, maxStringLength: 100, breakLength: Infinity })
}

export function lookAtAll(...values: readonly unknown[]): string[] {
  return values.map(look)
}

/** Whether references that were shared are shared. */
export function sharesAndCycles(value: { one: object; two: object; self: unknown }): boolean {
  return value.one === value.two && value.self === value
}

export function cycle(): { one: object; two: object; self: unknown } {
  const one = { shared: true }
  const value = { one, two: one, self: undefined as unknown }
  value.self = value
  return value
}

/** What became of an error: its class as `instanceof` sees it, and what it carries. */
export function lookAtError(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { error: false }
  return {
    error: true,
    type: error instanceof TypeError,
    name: error.name,
    message: error.message,
    code: 'code' in error ? error.code : undefined,
    cause: error.cause instanceof RangeError ? error.cause.message : undefined,
  }
}

export function rethrow(error: unknown): never {
  throw error
}

/** An error class that both sides know, whose constructor takes something else than a message. */
export class RecipeError extends Error {
  override readonly name = 'RecipeError'
  readonly missing: readonly string[]
  constructor(missing: readonly string[]) {
    super(`missing: ${missing.join(', ')}`)
    this.missing = missing
  }
}

registerError(RecipeError)

export function failToCook(missing: readonly string[]): never {
  throw new RecipeError(missing)
}
