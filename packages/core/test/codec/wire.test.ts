import { describe, expect, it } from 'vitest'
import { decode, encode, encodeJson } from '../../src/codec/index.ts'
import { noHandles } from './support/wires.ts'

describe('binary wire', () => {
  it('hands out memory of its own, which no later call touches', () => {
    const first = encode({ a: 'first' })
    const copy = first.slice()
    for (let i = 0; i < 100; i++) encode({ a: 'other', i, large: new Uint8Array(10_000).fill(i) })
    expect(first).toEqual(copy)
    expect(first.buffer.byteLength).toBe(first.byteLength)
    const large = encode(new Uint8Array(10_000))
    expect(large.buffer.byteLength).toBe(large.byteLength)
  })

  it('decodes out of the middle of other bytes, and keeps nothing of them', () => {
    const encoded = encode({ text: 'x'.repeat(50), bytes: Buffer.from('abc'), float: 0.5 })
    const frame = Buffer.concat([Buffer.from('junk'), encoded, Buffer.from('junk')])
    const window = frame.subarray(4, 4 + encoded.length)
    const value = decode(window, noHandles)
    frame.fill(0)
    expect(value).toEqual({ text: 'x'.repeat(50), bytes: Buffer.from('abc'), float: 0.5 })
    expect(Object.keys(window)).toHaveLength(encoded.length)
  })

  it('may be entered again by a getter of the value', () => {
    const value = {
      before: 1,
      get inner() {
        return encode({ deep: 'x'.repeat(20_000) })
      },
      after: 2,
    }
    const received = decode(encode(value), noHandles) as { before: number; inner: Uint8Array; after: number }
    expect([received.before, received.after]).toEqual([1, 2])
    expect(decode(received.inner, noHandles)).toEqual({ deep: 'x'.repeat(20_000) })
  })

  it('works on after a refusal', () => {
    expect(() => encode([1, 2, 'x'.repeat(100), () => 1])).toThrow('value[3] is a function')
    expect(decode(encode([1]), noHandles)).toEqual([1])
  })

  it('is MessagePack after its first byte for plain data', () => {
    expect(Buffer.from(encode({ id: 7, ok: true, n: null, s: ['é', -1, 300] })).toString('hex')).toBe(
      '1084a2696407a26f6bc3a16ec0a17393d902c3a9ffcd012c',
    )
  })
})

describe('JSON wire', () => {
  it('is the JSON of data that is JSON', () => {
    const value = { id: 7, name: 'Zoë "q"\n', list: [1.5, null, true, { a: '' }], nested: {} }
    expect(encodeJson(value)).toBe(JSON.stringify(value))
  })

  it('is readable for what is not', () => {
    expect(encodeJson({ at: new Date(0), u: undefined, tags: new Set(['a']), big: 10n, n: -0 })).toBe(
      '{"at":{"$":"date","v":"1970-01-01T00:00:00.000Z"},"u":{"$":"undefined"},"tags":{"$":"set","v":["a"]},' +
        '"big":{"$":"bigint","v":"10"},"n":{"$":"number","v":"-0"}}',
    )
  })
})
