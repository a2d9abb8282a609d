/** What becomes of work where a host has other code under the name of the target: refused, or run and said. */
import type { TargetRef } from '../contract/target.ts'

export type OnDrift = 'reject' | 'warn'

let inherited: OnDrift = 'reject'

/** What contexts do that were not told: in a child, what its program does. */
export function inheritedDrift(): OnDrift {
  return inherited
}

/** This process was started to run that. */
export function inheritDrift(ref: TargetRef): void {
  if (ref.onDrift === 'warn') inherited = 'warn'
}

/** The reference as a context sends it that wants its work run all the same. */
export function withDrift(ref: TargetRef, onDrift: OnDrift): TargetRef {
  return onDrift === 'warn' ? { ...ref, onDrift } : ref
}
