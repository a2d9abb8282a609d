/**
 * Whether two values are the same graph: same types, same contents, and the same objects met again in the same places.
 * `util.isDeepStrictEqual` does not look at sharing, and on older Node.js not at an error's cause.
 */
import { types } from 'node:util'

const slots: readonly ((value: object) => unknown)[] = [
  (value) => (types.isDate(value) ? value.getTime() : null),
  (value) => (types.isRegExp(value) ? `${String(value)} ${value.lastIndex}` : null),
  (value) => (value instanceof URL ? value.href : null),
  (value) => types.isNativeError(value),
  (value) => (value instanceof DOMException ? `${value.name} ${value.message}` : null),
  (value) => (types.isAnyArrayBuffer(value) ? Buffer.from(value).toString('hex') : null),
  (value) =>
    ArrayBuffer.isView(value) ? Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex') : null,
]

class Comparison {
  readonly #partners = new Map<object, object>()

  /** The path to the first difference; null if there is none. */
  find(a: unknown, b: unknown, path: string): string | null {
    if (Object.is(a, b)) return typeof a === 'object' && a !== null ? `${path}: the very same object` : null
    if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) {
      return `${path}: ${String(a)} (${typeof a}) became ${String(b)} (${typeof b})`
    }
    const partner = this.#partners.get(a)
    if (partner !== undefined) return partner === b ? null : `${path}: shared before, a copy now`
    if ([...this.#partners.values()].includes(b)) return `${path}: a copy before, shared now`
    this.#partners.set(a, b)
    if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return `${path}: another prototype`
    for (const slot of slots) {
      if (!Object.is(slot(a), slot(b))) return `${path}: ${String(slot(a))} became ${String(slot(b))}`
    }
    return this.#contents(a, b, path)
  }

  #contents(a: object, b: object, path: string): string | null {
    if (types.isMap(a) && types.isMap(b)) return this.find([...a].flat(), [...b].flat(), `${path}.entries()`)
    if (types.isSet(a) && types.isSet(b)) return this.find([...a], [...b], `${path}.values()`)
    if (ArrayBuffer.isView(a)) return null
    const keys = Object.getOwnPropertyNames(a)
    const others = Object.getOwnPropertyNames(b)
    const ordered =
      types.isNativeError(a) || a instanceof DOMException ? [keys.toSorted(), others.toSorted()] : [keys, others]
    if (JSON.stringify(ordered[0]) !== JSON.stringify(ordered[1])) {
      return `${path}: keys ${JSON.stringify(ordered[0])} became ${JSON.stringify(ordered[1])}`
    }
    for (const key of keys) {
      if (Array.isArray(a) && key === 'length') continue
      const isShown = (object: object): boolean => Object.prototype.propertyIsEnumerable.call(object, key)
      if (isShown(a) !== isShown(b)) return `${path}.${key}: enumerable ${isShown(a)} became ${isShown(b)}`
      const found = this.find(Reflect.get(a, key), Reflect.get(b, key), `${path}.${key}`)
      if (found !== null) return found
    }
    return null
  }
}

export function difference(sent: unknown, received: unknown): string | null {
  return new Comparison().find(sent, received, 'value')
}
