/**
 * The table of types beyond plain data, and which of them a given object is.
 *
 * An object counts as a Map, a Date, … only if it is exactly that: an instance of a subclass is a class instance and refused, and
 * so is one with properties of its own. Only those of views are left behind: libraries keep notes on the buffers they have read.
 */
import { types } from 'node:util'
import { handleRef } from '../contract/handle.ts'
import { ProtocolError } from '../errors.ts'
import { bytesExtension, isBytes } from './bytes.ts'
import { errorExtension, isError } from './error-codec.ts'
import { handleExtension } from './handle.ts'
import { Refusal, className, propertySegment } from './refusal.ts'
import type { Extension } from './sink.ts'
import { MAX_SPARSE } from './wire/format.ts'

function rebuild<T>(what: string, make: () => T): T {
  try {
    return make()
  } catch (cause) {
    throw new ProtocolError(`The encoded ${what} is malformed.`, { cause })
  }
}

const noSegment = (): string => ''

const map: Extension = {
  tag: 'map',
  code: 16,
  single: false,
  head: 0,
  parts: (value) => [...(value as Map<unknown, unknown>)].flat(1),
  segment(index, parts) {
    if (index % 2 === 0) return `.keys()[${index / 2}]`
    const key = parts[index - 1]
    return typeof key === 'string' || typeof key === 'number'
      ? `.get(${JSON.stringify(key)})`
      : `.values()[${(index - 1) / 2}]`
  },
  make: () => new Map(),
  fill(made, parts) {
    if (parts.length % 2 !== 0) throw new ProtocolError('An encoded Map has a key without a value.')
    for (let i = 0; i < parts.length; i += 2) (made as Map<unknown, unknown>).set(parts[i], parts[i + 1])
  },
}

const set: Extension = {
  tag: 'set',
  code: 17,
  single: false,
  head: 0,
  parts: (value) => [...(value as Set<unknown>)],
  segment: (index) => `.values()[${index}]`,
  make: () => new Set(),
  fill(made, parts) {
    for (const part of parts) (made as Set<unknown>).add(part)
  },
}

const date: Extension = {
  tag: 'date',
  code: 18,
  single: true,
  head: 1,
  parts(value, readable) {
    const time = Date.prototype.getTime.call(value)
    if (Number.isNaN(time)) return [null]
    return [readable ? Date.prototype.toISOString.call(value) : time]
  },
  segment: noSegment,
  make([time]) {
    if (time === null) return new Date(Number.NaN)
    const made = typeof time === 'number' || typeof time === 'string' ? new Date(time) : null
    if (made === null || Number.isNaN(made.getTime())) throw new ProtocolError('An encoded Date is malformed.')
    return made
  },
}

const regexp: Extension = {
  tag: 'regexp',
  code: 19,
  single: false,
  head: 3,
  parts(value) {
    const { source, flags, lastIndex } = value as RegExp
    return [source, flags, lastIndex]
  },
  segment: noSegment,
  make([source, flags, lastIndex]) {
    return rebuild('RegExp', () => {
      if (typeof source !== 'string' || typeof flags !== 'string' || typeof lastIndex !== 'number') {
        throw new TypeError('source, flags and lastIndex expected')
      }
      const made = new RegExp(source, flags)
      made.lastIndex = lastIndex
      return made
    })
  },
}

const url: Extension = {
  tag: 'url',
  code: 20,
  single: true,
  head: 1,
  parts: (value) => [(value as URL).href],
  segment: noSegment,
  make([href]) {
    return rebuild('URL', () => {
      if (typeof href !== 'string') throw new TypeError('text expected')
      return new URL(href)
    })
  },
}

function setKey(made: object, key: unknown, value: unknown): void {
  const isKey = typeof key === 'string' || typeof key === 'number'
  if (!isKey || !Reflect.defineProperty(made, key, { value, writable: true, enumerable: true, configurable: true })) {
    throw new ProtocolError('An encoded property has no possible name.')
  }
}

/** @throws Refusal if an enumerable property's key is a symbol */
export function refuseSymbolKeys(value: object): void {
  for (const symbol of Object.getOwnPropertySymbols(value)) {
    if (Object.prototype.propertyIsEnumerable.call(value, symbol)) {
      throw new Refusal(`has the symbol key ${String(symbol)}`)
    }
  }
}

/** Own enumerable keys and values, one after the other. */
function entries(value: object): unknown[] {
  refuseSymbolKeys(value)
  return Object.entries(value).flat(1)
}

function entrySegment(index: number, parts: readonly unknown[]): string {
  const key = parts[index - 1]
  return typeof key === 'string' ? propertySegment(key) : `[${String(key)}]`
}

function fillEntries(made: unknown, parts: readonly unknown[], from: number): void {
  if ((parts.length - from) % 2 !== 0) throw new ProtocolError('An encoded property has no value.')
  for (let i = from; i < parts.length; i += 2) setKey(made as object, parts[i], parts[i + 1])
}

/** Plain objects that a wire cannot show as they are: JSON's with a key `$`. */
export const objectExtension: Extension = {
  tag: 'object',
  code: 25,
  single: false,
  head: 0,
  parts: entries,
  segment: entrySegment,
  make: () => ({}),
  fill: (made, parts) => fillEntries(made, parts, 0),
}

/** Objects without a prototype; they come back without one. */
const bare: Extension = {
  ...objectExtension,
  tag: 'bare',
  code: 26,
  make: () => Object.create(null) as object,
}

/** Arrays with holes or with named properties (a match of a regular expression has some): length, then what there is. */
export const sparseExtension: Extension = {
  tag: 'array',
  code: 24,
  single: false,
  head: 1,
  parts(value) {
    const array = value as readonly unknown[]
    if (array.length > MAX_SPARSE) {
      throw new Refusal(`is an array with holes and a length of ${array.length}`, `at most ${MAX_SPARSE} is possible`)
    }
    const parts: unknown[] = [array.length]
    for (const [key, element] of Object.entries(array)) {
      const index = Number(key)
      parts.push(Number.isInteger(index) && String(index) === key && index < array.length ? index : key, element)
    }
    return parts
  },
  segment: entrySegment,
  make([length]) {
    if (typeof length !== 'number' || !Number.isInteger(length) || length < 0 || length > MAX_SPARSE) {
      throw new ProtocolError('An encoded array has an impossible length.')
    }
    const made: unknown[] = []
    made.length = length
    return made
  },
  fill: (made, parts) => fillEntries(made, parts, 1),
}

export { handleExtension } from './handle.ts'

/** All of them by name and by number, for the readers. */
const all: readonly Extension[] = [
  map,
  set,
  date,
  regexp,
  url,
  bytesExtension,
  errorExtension,
  handleExtension,
  sparseExtension,
  objectExtension,
  bare,
]
export const extensionsByTag: ReadonlyMap<string, Extension> = new Map(all.map((each) => [each.tag, each]))
export const extensionsByCode: ReadonlyMap<number, Extension> = new Map(all.map((each) => [each.code, each]))

const byPrototype = new Map<object, Extension>([
  [Map.prototype, map],
  [Set.prototype, set],
  [Date.prototype, date],
  [RegExp.prototype, regexp],
  [URL.prototype, url],
])

function withoutProperties(extension: Extension, value: object): Extension {
  refuseSymbolKeys(value)
  const [key] = Object.keys(value)
  if (key === undefined) return extension
  throw new Refusal(`is a ${className(value)?.name ?? extension.tag} with a property ${JSON.stringify(key)} of its own`)
}

/** How many prototypes lie between the object and null: 2 for a Map of any realm, 3 for an instance of its subclass. */
function ancestry(value: object): number {
  let count = 0
  for (let link: unknown = Object.getPrototypeOf(value); link !== null; link = Object.getPrototypeOf(link)) count++
  return count
}

/** Built-ins that were made in another realm (`node:vm`), told by what they are inside. */
function fromOtherRealm(value: object, proto: object): Extension | null {
  const depth = ancestry(value)
  if (depth === 1 && Object.hasOwn(proto, 'hasOwnProperty')) return objectExtension
  if (depth !== 2) return null
  if (Array.isArray(value)) return sparseExtension
  if (types.isMap(value)) return withoutProperties(map, value)
  if (types.isSet(value)) return withoutProperties(set, value)
  if (types.isDate(value)) return withoutProperties(date, value)
  return types.isRegExp(value) ? withoutProperties(regexp, value) : null
}

/** What an object that is neither plain nor an array crosses as; null if it does not cross. May throw what its traps throw. */
export function extensionOf(value: object, proto: object | null): Extension | null {
  if (proto === null) return Object.hasOwn(value, Symbol.toStringTag) ? null : bare
  const known = byPrototype.get(proto)
  if (known !== undefined) return withoutProperties(known, value)
  if (isBytes(value, proto)) return bytesExtension
  // Before anything that a proxy's traps could make fail: errors must get through.
  if (isError(value)) return errorExtension
  if (handleRef in value) return handleExtension
  return fromOtherRealm(value, proto)
}
