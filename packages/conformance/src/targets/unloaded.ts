/** A module that only the processes load that run its functions; it leaves a mark where it is loaded. */
import { currentProcess } from '@skein/core'

export const MARK: unique symbol = Symbol.for('skein.conformance.unloaded') as never

Reflect.set(globalThis, MARK, true)

export function greet(name: string, times = 1): string {
  return `hello ${name}`.repeat(times)
}

export async function square(n: number): Promise<number> {
  return n * n
}

export function whoRuns(): string {
  return currentProcess().name
}

export class NoTarget {
  readonly kind: string = 'class'
}

export const notEither = 7
