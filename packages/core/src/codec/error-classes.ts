/**
 * Which class an error is of, and the prototype that gives a decoded error its class back. Known are the built-in classes, the
 * classes of `errors.ts` and those given to `registerError`.
 */
import { ArgumentError, ConflictError, errorClasses } from '../errors.ts'

/** An error class as the codec needs it: its constructor is never called, so it may take any arguments and be abstract. */
export interface ErrorClass {
  readonly name: string
  readonly prototype: Error
}

const registered = new Map<string, object>()
const nameByPrototype = new Map<object, string>()

function know(name: string, prototype: object): void {
  registered.set(name, prototype)
  nameByPrototype.set(prototype, name)
}

function knowBuiltIns(scope: object, names: readonly string[], prefix = ''): void {
  for (const name of names) {
    const type: unknown = Reflect.get(scope, name)
    if (typeof type === 'function') know(prefix + name, type.prototype as object)
  }
}

// Not every supported Node.js has `SuppressedError`. All have `DOMException`, but asking for it would load it.
knowBuiltIns(globalThis, ['Error', 'TypeError', 'RangeError', 'SyntaxError', 'ReferenceError', 'EvalError', 'URIError'])
knowBuiltIns(globalThis, ['AggregateError', 'SuppressedError'])
const wasm: unknown = Reflect.get(globalThis, 'WebAssembly')
if (typeof wasm === 'object' && wasm !== null) {
  knowBuiltIns(wasm, ['CompileError', 'LinkError', 'RuntimeError'], 'WebAssembly.')
}
// By code and not by name: a program may well have a `TimeoutError` of its own.
for (const { prototype } of errorClasses.values()) know(prototype.code, prototype)

/** `node:assert` takes a while to load and is only needed once such an error is about. */
function assertionPrototype(): object {
  return process.getBuiltinModule('node:assert').AssertionError.prototype
}

/** The name under which the class of this prototype crosses; null if the receiver cannot know it. */
export function knownName(prototype: object): string | null {
  const name = nameByPrototype.get(prototype)
  if (name !== undefined) return name
  const type: unknown = Object.hasOwn(prototype, 'constructor') ? Reflect.get(prototype, 'constructor') : null
  if (typeof type !== 'function') return null
  if (type.name === 'DOMException' && prototype === DOMException.prototype) return 'DOMException'
  if (type.name === 'AssertionError' && prototype === assertionPrototype()) return 'AssertionError'
  // Another copy of this package, or a built-in class of another realm: the same class by name.
  const code = errorClasses.get(type.name)?.prototype.code
  if (code !== undefined && code === Reflect.get(prototype, 'code')) return code
  const native = Function.prototype.toString.call(type).includes('[native code]')
  return native && registered.has(type.name) ? type.name : null
}

/** The prototype for a name; null if this process does not know the class. `DOMException` is not made from one. */
export function knownPrototype(name: string): object | null {
  return registered.get(name) ?? (name === 'AssertionError' ? assertionPrototype() : null)
}

/**
 * Lets errors of a class of yours keep it when they cross processes; both sides must have registered it. Its constructor is not
 * called for a decoded error: `message`, `stack`, `cause` and own properties are set, `#private` fields are not.
 * Registering a class again does nothing.
 *
 * @throws ArgumentError if it is no error class or has no name; ConflictError if another class has its name
 */
export function registerError(type: ErrorClass): void {
  const given: unknown = type
  const prototype: unknown = typeof given === 'function' ? given.prototype : null
  if (!(prototype instanceof Error)) {
    throw new ArgumentError(
      `registerError takes a class that extends Error, got ${typeof given === 'function' ? given.name || 'a function' : typeof given}.`,
    )
  }
  const { name } = type
  if (typeof name !== 'string' || name === '') {
    throw new ArgumentError(
      'registerError takes a class with a name, got one without. Write "class MyError extends Error".',
    )
  }
  const other = registered.get(name)
  if (other === prototype) return
  if (other !== undefined || name === 'DOMException' || name === 'AssertionError') {
    throw new ConflictError(`registerError already knows another class ${name}. Give this one a name of its own.`)
  }
  know(name, prototype)
}
