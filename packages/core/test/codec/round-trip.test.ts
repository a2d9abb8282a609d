import { createContext, runInContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { decodeJson } from '../../src/codec/index.ts'
import { NotSupportedError } from '../../src/errors.ts'
import { difference } from './support/difference.ts'
import { noHandles, wires } from './support/wires.ts'

function own(key: string, value: unknown): object {
  return Object.defineProperty({}, key, { value, writable: true, enumerable: true, configurable: true })
}

function shared(): unknown {
  const inner = { n: 1 }
  return { a: inner, b: [inner, inner], c: new Map([[inner, inner]]) }
}

function cyclic(): unknown {
  const object: Record<string, unknown> = { name: 'loop' }
  const map = new Map<unknown, unknown>()
  const set = new Set<unknown>([map])
  object['self'] = object
  object['list'] = [object, map]
  map.set('set', set).set(map, object)
  return object
}

function holes(): unknown[] {
  const array: unknown[] = [1, undefined]
  array.length = 5
  array[3] = 'x'
  return array
}

/** An array of 100 numbers, with one of them missing. */
function gap(): number[] {
  const array = Array.from({ length: 100 }, (_, index) => index)
  Reflect.deleteProperty(array, 50)
  return array
}

function matched(): unknown {
  return /(?<word>b+)/.exec('abbc')
}

function resizable(): ArrayBuffer {
  return Reflect.construct(ArrayBuffer, [4, { maxByteLength: 64 }]) as ArrayBuffer
}

const pool = Buffer.from('0123456789').subarray(2, 6)
const bytes = new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16])

const values: Record<string, unknown> = {
  null: null,
  undefined: undefined,
  'undefined in containers': { a: undefined, b: [undefined] },
  booleans: [true, false],
  zeroes: [0, -0],
  'not finite': [NaN, Infinity, -Infinity],
  integers: [
    127,
    128,
    255,
    256,
    65_535,
    65_536,
    2 ** 31,
    2 ** 32,
    2 ** 53 - 1,
    -1,
    -32,
    -33,
    -(2 ** 31),
    -(2 ** 31) - 1,
  ],
  fractions: [0.1, 5e-324, Number.MAX_VALUE, -1.5],
  bigints: [0n, -1n, 2n ** 64n, -(7n ** 300n)],
  strings: [
    '',
    'a',
    'ä',
    '日本語',
    '😀',
    'x'.repeat(23),
    'x'.repeat(24),
    'é'.repeat(90),
    '語'.repeat(30_000),
    'y'.repeat(70_000),
  ],
  'a large string': 'z'.repeat(3_000_000),
  'a string with the replacement character': 'a\ufffdb',
  'lone surrogates': ['\ud800', 'a\udc00b', '\udc00\ud800'.repeat(30), { '\ud800': 1 }],
  'plain objects': { a: 1, b: { c: 'd' }, '': 0, 'with space': 1 },
  'objects with 20 keys': Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`key${i}`, i])),
  'integer keys': { 2: 'b', 1: 'a' },
  'a key __proto__': own('__proto__', { polluted: true }),
  'a key constructor': { constructor: { prototype: { polluted: true } }, toString: 1, hasOwnProperty: null },
  'keys that look like a tag': [{ $: 'map', v: [] }, { $: { $: 1 } }, { $v: 1 }, { a: { $: 'ref', v: 0 } }],
  'an object without prototype': Object.assign(Object.create(null) as object, { a: 1, constructor: 2 }),
  arrays: [[], [[]], [1, 'a', null]],
  'an array of 100': Array.from({ length: 100 }, (_, i) => i * 1000),
  holes: holes(),
  'a hole and a named property, which count as many keys as elements': Object.assign(holes().slice(2, 4), { x: 1 }),
  'a hole in 100': gap(),
  'only holes': Array.from({ length: 0 }).concat(Array(40)),
  'a match, which is an array with named properties': matched(),
  map: new Map<unknown, unknown>([
    [1, 'a'],
    ['1', 'b'],
    [{ k: 1 }, new Map()],
    [NaN, undefined],
  ]),
  set: new Set([1, '1', null, new Set()]),
  dates: [new Date(0), new Date(1.7e12), new Date(-1), new Date(8.64e15), new Date(NaN)],
  'regular expressions': [/a/, /[/]\n/giu, new RegExp(''), Object.assign(/x/g, { lastIndex: 7 })],
  urls: [new URL('https://user:pw@example.org:8080/p?q=ü#h'), new URL('file:///a%20b')],
  'array buffers': [new ArrayBuffer(0), bytes.slice().buffer],
  'a resizable array buffer': resizable(),
  views: [
    new Uint8Array(bytes),
    new Int8Array(bytes),
    new Uint8ClampedArray(bytes),
    new Uint16Array(bytes.slice().buffer),
    new Int16Array(bytes.slice().buffer),
    new Uint32Array(bytes.slice().buffer),
    new Int32Array(bytes.slice().buffer),
    new Float32Array([1.5, NaN, -0]),
    new Float64Array([1.5, NaN, -0]),
    new BigInt64Array([1n, -1n]),
    new BigUint64Array([2n ** 64n - 1n]),
    new DataView(bytes.slice().buffer, 3, 5),
    new Uint8Array(0),
  ],
  'views of one megabyte': { first: new Uint8Array(1 << 20).fill(7), second: Buffer.alloc(5000, 9), third: 'end' },
  'a Buffer out of a pool': pool,
  'one view twice': [pool, pool],
  shared: shared(),
  cyclic: cyclic(),
}

for (const wire of wires) {
  describe(`${wire.name} wire`, () => {
    for (const [name, value] of Object.entries(values)) {
      it(`keeps ${name}`, () => {
        expect(difference(value, wire.cross(value))).toBeNull()
      })
    }

    it('keeps much plain data', () => {
      const value = {
        ints: Array.from({ length: 100_000 }, (_, i) => i),
        objects: Array.from({ length: 5000 }, (_, i) => ({ i })),
      }
      expect(wire.cross(value)).toEqual(value)
    })

    it('takes only the window of a view along', () => {
      const received = wire.cross([pool, new Uint8Array(bytes.buffer, 4, 2)]) as [Buffer, Uint8Array]
      expect(Buffer.isBuffer(received[0])).toBe(true)
      expect(received.map((view) => view.buffer.byteLength)).toEqual([4, 2])
    })

    it('leaves the properties of views behind', () => {
      expect(wire.cross(Object.assign(new Uint8Array([1]), { dataView: () => 1 }))).toEqual(new Uint8Array([1]))
    })

    it('gives two views of one ArrayBuffer memory of their own', () => {
      const [first, second] = wire.cross([new Uint8Array(bytes.buffer), new Uint8Array(bytes.buffer)]) as [
        Uint8Array,
        Uint8Array,
      ]
      first[0] = 99
      expect(second[0]).toBe(1)
    })

    it('keeps a Float16Array, where there is one', () => {
      const type: unknown = Reflect.get(globalThis, 'Float16Array')
      if (typeof type === 'function') {
        const half: unknown = Reflect.construct(type, [[1.5, NaN, -0]])
        expect(difference(half, wire.cross(half))).toBeNull()
      } else {
        const sent = '{"$":"bytes","v":["Float16Array","AAA="]}'
        expect(() => decodeJson(sent, noHandles)).toThrow(NotSupportedError)
      }
    })

    it('reads getters and passes proxies of plain data as the data', () => {
      const value = {
        get now() {
          return 42
        },
        proxied: new Proxy({ a: 1 }, {}),
        list: new Proxy([1, 2], {}),
      }
      expect(difference({ now: 42, proxied: { a: 1 }, list: [1, 2] }, wire.cross(value))).toBeNull()
    })

    it('reads a getter once, so what was checked is what is sent', () => {
      let reads = 0
      const value = {
        get shifty() {
          reads++
          return reads === 1 ? 'first' : () => 'second'
        },
      }
      expect(wire.cross(value)).toEqual({ shifty: 'first' })
      expect(reads).toBe(1)
    })

    it('keeps every kind of number in long arrays, among other things, too', () => {
      const edges = [0, -0, 1, -1, 0x7f, 0x80, 0xff, 0x100, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff]
      const numbers = [...edges, ...edges.map((n) => -n), -0x20, -0x21, 0.5, NaN, Infinity, -Infinity, 2 ** 53]
      const long = Array.from({ length: 5000 }, (_, index) => numbers[(index * 7) % numbers.length])
      expect(difference(long, wire.cross(long))).toBeNull()
      const mixed = long.map((n, index) => (index % 100 < 60 ? n : [`${index}`, [n, n], null, undefined][index % 4]))
      expect(difference(mixed, wire.cross(mixed))).toBeNull()
      expect(difference({ a: [long, mixed], b: long }, wire.cross({ a: [long, mixed], b: long }))).toBeNull()
    })

    it('leaves what is not enumerable behind', () => {
      const value = Object.defineProperty({ a: 1 }, 'hidden', { value: () => 1 })
      expect(difference({ a: 1 }, wire.cross(value))).toBeNull()
    })

    it('takes built-ins of another realm as our own', () => {
      const foreign: unknown = runInContext(
        `({ map: new Map([[1, [2]]]), set: new Set([1]), date: new Date(5), re: /a/g, bytes: new Uint8Array([1]), error: new RangeError('far', { cause: { a: 1 } }) })`,
        createContext({}),
      )
      const received = wire.cross(foreign) as { error: RangeError }
      expect(received).toMatchObject({ map: new Map([[1, [2]]]), set: new Set([1]), date: new Date(5), re: /a/g })
      expect(received).toHaveProperty('bytes', new Uint8Array([1]))
      expect(received.error).toBeInstanceOf(RangeError)
      expect(received.error.cause).toEqual({ a: 1 })
    })

    it('does not pollute prototypes', () => {
      const received = wire.cross(values['a key __proto__']) as object
      expect(Object.getPrototypeOf(received)).toBe(Object.prototype)
      expect(Object.hasOwn(received, '__proto__')).toBe(true)
      expect(Reflect.get({}, 'polluted')).toBeUndefined()
    })
  })
}
