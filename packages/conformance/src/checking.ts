/** Small things that checks are written with: how a call fails, whether it throws or rejects; values of a wrong type; order. */

/** What `call` threw or rejected with. Rejects if it did neither. */
export async function failureOf(call: () => unknown): Promise<unknown> {
  let value: unknown
  try {
    value = await call()
  } catch (error) {
    return error
  }
  throw new Error(`expected a failure, got ${String(value)}`)
}

/** The message of what `call` threw or rejected with. */
export async function messageOf(call: () => unknown): Promise<string> {
  const error = await failureOf(call)
  return error instanceof Error ? error.message : String(error)
}

/** A value that TypeScript would refuse here: what a program without types may pass. */
export function untyped(value: unknown): never {
  return value as never
}

export function ascending(numbers: readonly number[]): number[] {
  return numbers.toSorted((a, b) => a - b)
}
