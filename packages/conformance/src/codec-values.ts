/** The values that cross processes whole, and how two of them are told apart. */
import { isDeepStrictEqual } from 'node:util'

export interface Sample {
  readonly label: string
  readonly value: unknown
}

const buffer = new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]).buffer

/** Made anew for each caller, who may change them. */
export function samples(): Sample[] {
  const list: [string, unknown][] = [
    ...['', 'text', 'naïve 日本 🧵', '\uD800 alone', '\0', 'x'.repeat(100_000)].map(named),
    ...[0, -0, 1, -1, 0.1, 2 ** 31, 2 ** 53 - 1, -(2 ** 53), 1e308, 5e-324].map(named),
    ...[Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY].map(named),
    ...[0n, -1n, 2n ** 63n, -(2n ** 200n), true, false, null, undefined].map(named),
    ['an empty object', {}],
    ['a plain object', { a: 1, b: { c: [undefined, null] }, 'a key': undefined }],
    ['an object with keys like numbers', { 1: 'one', '-1': 'minus one', '1.5': 'more' }],
    ['an object with keys that name parts of prototypes', JSON.parse('{"__proto__":1,"constructor":2,"toString":3}')],
    ['an array with holes', [, 1, , undefined, ,]], // oxfmt keeps the holes
    ['nested arrays', [[], [[]], [[[1]]]]],
    [
      'a Map',
      new Map<unknown, unknown>([
        ['a', 1],
        [2, new Map([[undefined, null]])],
        [{ k: 1 }, [1]],
      ]),
    ],
    ['a Set', new Set<unknown>([1, '1', undefined, new Set(), { a: 1 }])],
    ['a Date', new Date('2026-02-28T23:59:59.999Z')],
    ['an invalid Date', new Date(Number.NaN)],
    ['a RegExp', Object.assign(/^a\/(?<b>.)$/giu, { lastIndex: 3 })],
    ['a URL', new URL('https://user@example.org:8080/a%20b?c=d#e')],
    ['an ArrayBuffer', buffer.slice(2, 6)],
    ['a Buffer', Buffer.from('a buffer')],
    ['a DataView on a part', new DataView(buffer, 1, 5)],
    ...typedArrays().map((array): [string, unknown] => [`a ${array.constructor.name} on a part`, array]),
    ['a Uint8Array of nothing', new Uint8Array(0)],
  ]
  return list.map(([label, value]) => ({ label, value }))
}

function named(value: unknown): [string, unknown] {
  if (Object.is(value, -0)) return ['-0', value]
  const text = typeof value === 'string' ? JSON.stringify(value.slice(0, 20)) : String(value)
  return [`${typeof value} ${text}`, value]
}

function typedArrays(): ArrayBufferView[] {
  const types = [
    Int8Array,
    Uint8Array,
    Uint8ClampedArray,
    Int16Array,
    Uint16Array,
    Int32Array,
    Uint32Array,
    Float32Array,
  ]
  return [
    ...types.map((Type) => new Type(buffer, 4, 1)),
    new Float64Array(buffer),
    new BigInt64Array(buffer),
    new BigUint64Array(buffer),
  ]
}

/** Whether the two are the same kind of thing with the same content. */
export function isSame(a: unknown, b: unknown): boolean {
  if (a instanceof Date && b instanceof Date) return Object.is(a.getTime(), b.getTime())
  if (a instanceof URL && b instanceof URL) return a.href === b.href
  return isDeepStrictEqual(a, b)
}
