/** Handles cross as their references and are attached again by the receiving context. */
import { handleRef } from '../contract/handle.ts'
import type { HandleKind, HandleRef } from '../contract/handle.ts'
import { ProtocolError } from '../errors.ts'
import { Refusal } from './refusal.ts'
import type { Extension } from './sink.ts'

const kinds: Readonly<Record<HandleKind, true>> = {
  process: true,
  queue: true,
  pipe: true,
  lock: true,
  rlock: true,
  rwlock: true,
  election: true,
  condition: true,
  semaphore: true,
  barrier: true,
  event: true,
  value: true,
  latch: true,
  dict: true,
  list: true,
  array: true,
  topic: true,
}

function isShape(value: unknown): value is NonNullable<HandleRef['shape']> {
  return (
    typeof value === 'object' &&
    value !== null &&
    Object.getPrototypeOf(value) === Object.prototype &&
    Object.values(value).every((each) => ['string', 'number', 'boolean'].includes(typeof each))
  )
}

/** The reference if `value` has the form of one; null otherwise. */
function asHandleRef(value: unknown): HandleRef | null {
  if (typeof value !== 'object' || value === null) return null
  const { kind, name, namespace, scope, program, shape } = value as Partial<Record<keyof HandleRef, unknown>>
  if (typeof kind !== 'string' || !Object.hasOwn(kinds, kind)) return null
  if (typeof name !== 'string' || typeof namespace !== 'string' || typeof scope !== 'string') return null
  if (program !== undefined && typeof program !== 'string') return null
  const ref = { kind: kind as HandleKind, name, namespace, scope, ...(program === undefined ? {} : { program }) }
  if (shape === undefined) return ref
  return isShape(shape) ? { ...ref, shape } : null
}

export const handleExtension: Extension = {
  tag: 'handle',
  code: 23,
  single: true,
  head: 1,
  parts(value) {
    const ref = asHandleRef((value as { readonly [handleRef]?: unknown })[handleRef])
    if (ref === null) throw new Refusal('is a handle without kind, name, namespace and scope')
    return [ref]
  },
  segment: () => '',
  make([value], attach) {
    const ref = asHandleRef(value)
    if (ref === null) throw new ProtocolError('An encoded handle carries no reference.')
    return attach(ref)
  },
}
