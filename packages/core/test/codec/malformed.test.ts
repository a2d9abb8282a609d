import { describe, expect, it } from 'vitest'
import { decode, decodeJson, encode, encodeJson } from '../../src/codec/index.ts'
import type { Attach } from '../../src/codec/index.ts'
import { ProtocolError, SkeinError } from '../../src/errors.ts'
import { random } from './support/generate.ts'
import { noHandles } from './support/wires.ts'

const attach: Attach = (ref) => ({ ref }) as never

const rich = {
  text: 'x'.repeat(40),
  short: 'é',
  numbers: [1, -1, 300, 70_000, -70_000, 0.5, 4e9, 200, -0],
  nested: new Map<unknown, unknown>([['a', new Set([1n, undefined])]]),
  bytes: Buffer.from('0123456789'),
  date: new Date(5),
  error: new RangeError('r', { cause: 'c' }),
  lone: '\ud800',
  holes: Object.assign([1], { 3: 4 }),
}
const withReferences = { rich, again: rich }

function bytes(...values: readonly (number | string)[]): Uint8Array {
  return Buffer.concat(values.map((value) => (typeof value === 'string' ? Buffer.from(value) : Buffer.from([value]))))
}

const malformed: readonly (readonly [what: string, bytes: Uint8Array])[] = [
  ['no bytes', bytes()],
  ['only a header', bytes(0x10)],
  ['format 0', bytes(0x00, 0x01)],
  ['format 15', bytes(0xf0, 0x01)],
  ['unknown flags', bytes(0x12, 0x01)],
  ['trailing bytes', bytes(0x10, 0x01, 0x02)],
  ['an array header of 4 Gi elements', bytes(0x10, 0xdd, 0xff, 0xff, 0xff, 0xff)],
  ['a map header of 4 Gi entries', bytes(0x10, 0xdf, 0xff, 0xff, 0xff, 0xff, 0xa1, 'a', 0x01)],
  ['a string of 4 GiB', bytes(0x10, 0xdb, 0xff, 0xff, 0xff, 0xff, 'a')],
  ['bytes of 4 GiB', bytes(0x10, 0xc6, 0xff, 0xff, 0xff, 0xff, 'a')],
  ['a set of 4 Gi elements', bytes(0x10, 0xc1, 17, 0xdd, 0xff, 0xff, 0xff, 0xff)],
  ['a boundless array of holes', bytes(0x10, 0xc1, 24, 0x91, 0xce, 0xff, 0xff, 0xff, 0xff)],
  ['an array of holes of no length', bytes(0x10, 0xc1, 24, 0x91, 0xa1, '5')],
  ['an array with a property length', bytes(0x10, 0xc1, 24, 0x93, 0x01, 0xa6, 'length', 0x05)],
  ['a number as key', bytes(0x10, 0x81, 0x01, 0x02)],
  ['an unknown type', bytes(0x10, 0xc1, 200, 0x90)],
  ['a type without parts', bytes(0x10, 0xc1, 17, 0x01)],
  ['a map with a key alone', bytes(0x10, 0xc1, 16, 0x91, 0x01)],
  ['an extension of MessagePack', bytes(0x10, 0xd4, 0x72, 0x00)],
  ['a reference where there are none', bytes(0x10, 0x91, 0xc1, 2, 0x00)],
  ['a reference to what comes later', bytes(0x11, 0x92, 0xc1, 2, 0x01, 0x90)],
  ['a reference to no number', bytes(0x11, 0x91, 0xc1, 2, 0xa1, '0')],
  ['a reference to an error that is not made yet', bytes(0x11, 0xc1, 22, 0x91, 0xc1, 2, 0x00)],
  ['a string that is not UTF-8', bytes(0x10, 0xa2, 0xc3, 0x28)],
  ['a string cut within a character', bytes(0x10, 0xa3, 0xf0, 0x9f, 0x98)],
  ['half a UTF-16 unit', bytes(0x10, 0xc1, 3, 0xc4, 0x01, 0x61)],
  ['a bigint of letters', bytes(0x10, 0xc1, 1, 0xa2, '0x')],
  ['an empty bigint', bytes(0x10, 0xc1, 1, 0xa0)],
  ['an impossible date', bytes(0x10, 0xc1, 18, 0xcb, 0x7f, 0xf0, 0, 0, 0, 0, 0, 0)],
  ['a date of an object', bytes(0x10, 0xc1, 18, 0x80)],
  ['an impossible regular expression', bytes(0x10, 0xc1, 19, 0x93, 0xa1, '(', 0xa0, 0x00)],
  ['impossible flags', bytes(0x10, 0xc1, 19, 0x93, 0xa1, 'a', 0xa1, 'q', 0x00)],
  ['an impossible URL', bytes(0x10, 0xc1, 20, 0xa1, 'x')],
  ['a URL of an object that cannot be text', bytes(0x10, 0xc1, 20, 0x81, 0xa8, 'toString', 0x01)],
  ['three bytes of 16-bit elements', bytes(0x10, 0xc1, 21, 0x92, 0xab, 'Uint16Array', 0xc4, 0x03, 'abc')],
  ['a view of an unknown type', bytes(0x10, 0xc1, 21, 0x92, 0xa3, 'Foo', 0xc4, 0x01, 'a')],
  ['bytes without bytes', bytes(0x10, 0xc1, 21, 0x91, 0xa6, 'Buffer')],
  ['a handle of no kind', bytes(0x10, 0xc1, 23, 0x80)],
  [
    'a handle of a kind that objects inherit',
    bytes(
      0x10,
      0xc1,
      23,
      0x84,
      0xa4,
      'kind',
      0xab,
      'constructor',
      0xa4,
      'name',
      0xa1,
      'a',
      0xa9,
      'namespace',
      0xa1,
      'a',
      0xa5,
      'scope',
      0xa1,
      'a',
    ),
  ],
  ['an error without parts', bytes(0x10, 0xc1, 22, 0x90)],
  ['an error with a number as message', bytes(0x10, 0xc1, 22, 0x95, 0xa5, 'Error', 0xc0, 0x01, 0xc0, 0x00)],
  [
    'an error with a property without value',
    bytes(0x10, 0xc1, 22, 0x96, 0xa5, 'Error', 0xc0, 0xc0, 0xc0, 0x01, 0xa1, 'a'),
  ],
]

const malformedJson: readonly (readonly [what: string, text: string])[] = [
  ['nothing', ''],
  ['no JSON', '{"a":'],
  ['trailing text', '1 2'],
  ['an unknown tag', '{"$":"wat","v":1}'],
  ['a tag that objects inherit', '{"$":"constructor","v":[]}'],
  ['a tag that is no text', '{"$":7}'],
  ['parts that are no array', '{"$":"map","v":{"length":2}}'],
  ['a reference to nothing', '{"$":"ref","v":7}'],
  ['a reference to a method of arrays', '[{"$":"ref","v":"length"}]'],
  ['a bigint of letters', '{"$":"bigint","v":"abc"}'],
  ['an unknown number', '{"$":"number","v":"1e999"}'],
  ['no base64', '{"$":"bytes","v":["Buffer","@@@@"]}'],
  ['cut base64', '{"$":"bytes","v":["Buffer","abc"]}'],
  ['an impossible date', '{"$":"date","v":"soon"}'],
  ['a boundless array', '{"$":"array","v":[4294967295]}'],
  ['too many levels', `${'['.repeat(2000)}{"$":"undefined"}${']'.repeat(2000)}`],
]

describe('binary wire', () => {
  for (const [what, input] of malformed) {
    it(`refuses ${what}`, () => {
      expect(() => decode(input, attach)).toThrow(ProtocolError)
    })
  }

  it('names both formats', () => {
    expect(() => decode(bytes(0x20, 1), attach)).toThrow(
      'A value is encoded in format 2.0; this process reads format 1.',
    )
  })

  it('refuses a valid value cut at any byte, and one with a byte more', () => {
    for (const value of [rich, withReferences]) {
      const whole = encode(value)
      for (let end = 0; end < whole.length; end++) {
        expect(() => decode(whole.subarray(0, end), attach), `${end} of ${whole.length}`).toThrow(ProtocolError)
      }
      expect(() => decode(Buffer.concat([whole, Buffer.from([0])]), attach)).toThrow(ProtocolError)
    }
  })

  it('refuses too many levels', () => {
    for (const depth of [1001, 1_000_000]) {
      expect(() => decode(Buffer.concat([bytes(0x10), Buffer.alloc(depth, 0x91), bytes(0x01)]), attach)).toThrow(
        ProtocolError,
      )
    }
  })

  it('answers any bytes with a value or a refusal', () => {
    const next = random(20_261)
    const whole = encode(withReferences)
    let refused = 0
    for (let round = 0; round < 20_000; round++) {
      const input = round % 2 === 0 ? Buffer.from(whole) : Buffer.alloc(1 + Math.floor(next() * 200))
      const changes = round % 2 === 0 ? 1 + Math.floor(next() * 4) : input.length
      for (let i = 0; i < changes; i++)
        input[round % 2 === 0 ? Math.floor(next() * input.length) : i] = Math.floor(next() * 256)
      if (round % 2 === 1) input[0] = 0x11
      try {
        decode(input, attach)
      } catch (error) {
        if (!(error instanceof SkeinError))
          throw new Error(`not refused but broken: ${input.toString('hex')}`, { cause: error })
        refused++
      }
    }
    expect(refused).toBeGreaterThan(10_000)
    expect(Object.getOwnPropertyNames(Object.prototype).toSorted()).toEqual(prototypeKeys)
  })
})

const prototypeKeys = Object.getOwnPropertyNames(Object.prototype).toSorted()

describe('JSON wire', () => {
  for (const [what, input] of malformedJson) {
    it(`refuses ${what}`, () => {
      expect(() => decodeJson(input, attach)).toThrow(ProtocolError)
    })
  }

  it('refuses a valid value cut anywhere', () => {
    const whole = encodeJson(withReferences)
    for (let end = 0; end < whole.length; end++)
      expect(() => decodeJson(whole.slice(0, end), attach)).toThrow(ProtocolError)
  })

  it('answers any change of one character with a value or a refusal', () => {
    const next = random(7)
    const whole = encodeJson(withReferences)
    const letters = '{}[]",:$v0123456789-abcnulltruefals'
    let refused = 0
    for (let round = 0; round < 5000; round++) {
      const at = Math.floor(next() * whole.length)
      const input = whole.slice(0, at) + (letters[Math.floor(next() * letters.length)] ?? '') + whole.slice(at + 1)
      try {
        decodeJson(input, attach)
      } catch (error) {
        if (!(error instanceof SkeinError)) throw new Error(`not refused but broken: ${input}`, { cause: error })
        refused++
      }
    }
    expect(refused).toBeGreaterThan(500)
  })

  it('does not pollute prototypes', () => {
    const received = decodeJson(
      '{"__proto__":{"polluted":{"$":"set","v":[]}},"constructor":{"prototype":{"polluted":1}}}',
      noHandles,
    )
    expect(Object.getPrototypeOf(received)).toBe(Object.prototype)
    expect(Reflect.get({}, 'polluted')).toBeUndefined()
  })
})
