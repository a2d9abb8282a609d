/**
 * Errors. An error can always be encoded: whatever its getters, traps and properties do, what can be read of it crosses, and what
 * cannot is replaced by a string that says what was there.
 *
 * Kept: class, message, name, stack, `cause`, `errors`, `code` and all other own properties with string keys. An error of a class
 * that the receiver does not know arrives as `RemoteError`. Not kept: symbol keys, and functions that are not enumerable.
 */
import { inspect, types } from 'node:util'
import { ProtocolError, RemoteError } from '../errors.ts'
import { knownName, knownPrototype } from './error-classes.ts'
import { className } from './refusal.ts'
import type { Extension } from './sink.ts'

export { registerError } from './error-classes.ts'
export type { ErrorClass } from './error-classes.ts'

export function isError(value: unknown): value is Error {
  return types.isNativeError(value) || value instanceof Error
}

/** Reads what may throw. */
function attempt<T>(read: () => T, otherwise: T): T {
  try {
    return read()
  } catch {
    // The error's own getter, trap or toString threw; the caller says what then stands there.
    return otherwise
  }
}

const UNREADABLE = '[could not be read]'

function text(value: unknown): string | null {
  if (typeof value === 'string') return value
  return value === undefined || value === null ? null : attempt(() => inspect(value, { depth: 1 }), UNREADABLE)
}

/** Own properties but message and stack: key, value, key, value, … */
function propertiesOf(error: object): { readonly shown: unknown[]; readonly hidden: unknown[] } {
  const shown: unknown[] = []
  const hidden: unknown[] = []
  for (const key of attempt(() => Reflect.ownKeys(error), [])) {
    if (typeof key !== 'string' || key === 'message' || key === 'stack') continue
    const enumerable = attempt(() => Object.prototype.propertyIsEnumerable.call(error, key), true)
    const value: unknown = attempt<unknown>(() => Reflect.get(error, key), UNREADABLE)
    if (enumerable) shown.push(key, value)
    else if (typeof value !== 'function') hidden.push(key, value)
  }
  return { shown, hidden }
}

/** What a person would call an error of a class that stays behind: its name, or its class's if it never got one of its own. */
function nameOf(error: object): string {
  const name = text(attempt<unknown>(() => Reflect.get(error, 'name'), null))
  const inherited = attempt(() => {
    let holder: object | null = error
    while (holder !== null && !Object.hasOwn(holder, 'name')) holder = Object.getPrototypeOf(holder) as object | null
    return holder === null || knownName(holder) !== null
  }, false)
  return (inherited ? className(error)?.name : null) ?? name ?? 'Error'
}

/** Class, name, message, stack, how many of the following are enumerable, then the properties' keys and values. */
function partsOf(error: object): unknown[] {
  const prototype = attempt<object | null>(() => Object.getPrototypeOf(error) as object | null, null)
  const known = prototype === null ? null : attempt(() => knownName(prototype), null)
  const read = (key: string): unknown => attempt<unknown>(() => Reflect.get(error, key), UNREADABLE)
  const owns = (key: string): boolean => attempt(() => Object.hasOwn(error, key), false)
  const message = known === null || known === 'DOMException' || owns('message') ? text(read('message')) : null
  const { shown, hidden } = propertiesOf(error)
  let name: string | null = null
  if (known === 'DOMException') {
    name = text(read('name'))
  } else if (known === null) {
    name = nameOf(error)
    const code = read('code')
    // A class may answer `code` from its prototype, which stays behind.
    if (!owns('code') && (typeof code === 'string' || typeof code === 'number')) hidden.push('code', code)
  }
  return [known, name, message, text(read('stack')), shown.length / 2, ...shown, ...hidden]
}

function define(target: object, key: string, value: unknown, enumerable = false): boolean {
  return Reflect.defineProperty(target, key, { value, writable: true, enumerable, configurable: true })
}

/**
 * Made with no frames: where nobody catches the error, Node shows the line that the engine has noted with the first one, which would be
 * one of this file.
 */
function withoutPlace<E extends Error>(create: () => E): E {
  const limit = Error.stackTraceLimit
  // By Reflect, since it may be frozen.
  Reflect.set(Error, 'stackTraceLimit', 0)
  try {
    return create()
  } finally {
    Reflect.set(Error, 'stackTraceLimit', limit)
  }
}

/** A real error (it has the engine's error slot) without a stack, whatever its class's constructor would do. */
function blank(prototype: object): Error {
  const error = withoutPlace(() => new Error())
  Reflect.deleteProperty(error, 'stack')
  Object.setPrototypeOf(error, prototype)
  return error
}

function make([type, name, message, stack]: readonly unknown[]): Error {
  const texts = [type, name, message, stack]
  if (!texts.every((each) => each === null || typeof each === 'string')) {
    throw new ProtocolError('An encoded error is malformed.')
  }
  if (type === 'DOMException') return makeDomException(name, message, stack)
  const prototype = typeof type === 'string' ? knownPrototype(type) : null
  const error = blank(prototype ?? RemoteError.prototype)
  if (prototype === null) {
    define(error, 'name', name ?? type)
    define(error, 'retryable', false)
    define(error, 'indeterminate', false)
  }
  if (message !== null) define(error, 'message', message)
  define(error, 'stack', stack ?? undefined)
  return error
}

/** Its message and name live in slots that only its own constructor, which is no user's code, can fill. */
function makeDomException(name: unknown, message: unknown, stack: unknown): Error {
  const [words, kind] = [typeof message === 'string' ? message : '', typeof name === 'string' ? name : 'Error']
  const error = withoutPlace(() => new DOMException(words, kind))
  define(error, 'stack', stack ?? undefined)
  return error
}

export const errorExtension: Extension = {
  tag: 'error',
  code: 22,
  single: false,
  head: 4,
  lenient: true,
  parts: partsOf,
  segment: () => '',
  make,
  fill(made, parts) {
    const shown = parts[4]
    if (typeof shown !== 'number' || parts.length % 2 === 0) throw new ProtocolError('An encoded error is malformed.')
    for (let i = 5; i < parts.length; i += 2) {
      const key = parts[i]
      if (typeof key !== 'string') throw new ProtocolError('An encoded error is malformed.')
      define(made as object, key, parts[i + 1], i < 5 + shown * 2)
    }
  },
}

/**
 * Adds to a decoded error's stack where it comes from, as the line `    at [process 4711]`; once, however often it is called.
 * The value is returned, unchanged if it is no error.
 */
export function withOrigin<T>(error: T, origin: string): T {
  if (!isError(error)) return error
  const line = `\n    at [${origin}]`
  const stack = text(attempt<unknown>(() => error.stack, null)) ?? attempt(() => String(error), 'Error')
  if (!`${stack}\n`.includes(`${line}\n`)) define(error, 'stack', stack + line)
  return error
}
