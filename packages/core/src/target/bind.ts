/** A partial that crosses processes: the target by name, the arguments in front as values. */
import { ArgumentError } from '../errors.ts'

interface Binding {
  readonly target: unknown
  readonly args: readonly unknown[]
}

// A registered symbol, so that a partial made by another copy of this package is known too.
const BINDING = Symbol.for('skein.binding')

/**
 * `fn` with its first arguments given. The result is called like any function, here as in another process, and may be bound
 * again. The arguments are encoded when the target is sent, not now.
 *
 * @throws ArgumentError if `fn` is not a function
 */
export function bind<B extends unknown[], A extends unknown[], R>(
  fn: (...args: [...B, ...A]) => R,
  ...bound: B
): (...args: A) => R {
  if (typeof fn !== 'function') {
    throw new ArgumentError(`bind() needs a function, got ${fn === null ? 'null' : typeof fn}.`)
  }
  const partial = (...args: A): R => fn(...bound, ...args)
  const binding: Binding = { target: fn, args: [...bound] }
  Object.defineProperty(partial, BINDING, { value: binding })
  return partial
}

/** The function under any number of `bind`s, and all their arguments in calling order. */
export function unbind(target: unknown): Binding {
  const args: unknown[] = []
  let inner = target
  while (typeof inner === 'function' && Object.hasOwn(inner, BINDING)) {
    const binding = Reflect.get(inner, BINDING) as Binding
    args.unshift(...binding.args)
    inner = binding.target
  }
  return { target: inner, args }
}
