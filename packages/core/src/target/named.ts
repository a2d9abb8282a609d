/** Functions that carry their reference with them, so that nobody has to find out where they were defined. */
import type { TargetRef } from '../contract/target.ts'

// A registered symbol, so that one made by another copy of this package is known, too.
const REFERENCE = Symbol.for('skein.reference')

type Callable = (...args: never[]) => unknown

/** @param refer called when the reference is needed */
export function carry<F extends Callable>(fn: F, name: string, refer: () => TargetRef): F {
  Object.defineProperty(fn, 'name', { value: name, configurable: true })
  Object.defineProperty(fn, REFERENCE, { value: refer })
  return fn
}

/** The reference that a function carries, or `null`. */
export function carried(fn: object): TargetRef | null {
  if (!Object.hasOwn(fn, REFERENCE)) return null
  // Only `carry` writes the property, in whichever copy of the package.
  return (Reflect.get(fn, REFERENCE) as () => TargetRef)()
}
