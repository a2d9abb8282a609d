import { describe, expect, it } from 'vitest'
import { difference } from './support/difference.ts'
import { Generator } from './support/generate.ts'
import { wires } from './support/wires.ts'

describe('whatever the value', () => {
  for (const wire of wires) {
    it(`comes back the same over the ${wire.name} wire`, () => {
      for (let seed = 1; seed <= 3000; seed++) {
        const value = new Generator(seed).value()
        const found = difference(value, wire.cross(value))
        expect(found, `seed ${seed}`).toBeNull()
      }
    })
  }
})

describe('the comparison that these tests rest on', () => {
  const one = { n: 1 }
  const unlike: readonly (readonly [unknown, unknown])[] = [
    [0, -0],
    [{ a: 1 }, { a: 2 }],
    [{ a: 1 }, { a: 1, b: undefined }],
    [
      { a: 1, b: 2 },
      { b: 2, a: 1 },
    ],
    [[undefined], Array(1)],
    [[1], { 0: 1, length: 1 }],
    [new Map([[1, 2]]), new Map([[1, 3]])],
    [new Set([1]), new Set([2])],
    [new Date(1), new Date(2)],
    [/a/g, /a/],
    [Object.assign(/a/g, { lastIndex: 1 }), /a/g],
    [Buffer.from('a'), new Uint8Array([97])],
    [new Uint8Array([1]), new Uint8Array([2])],
    [
      [one, one],
      [{ n: 1 }, { n: 1 }],
    ],
    [
      [{ n: 1 }, { n: 1 }],
      [one, one],
    ],
    [new Error('a'), new Error('b')],
    [new Error('a'), new TypeError('a')],
    [Object.create(null), {}],
    [one, one],
  ]
  for (const [index, [a, b]] of unlike.entries()) {
    it(`sees a difference (${index})`, () => expect(difference(a, b)).not.toBeNull())
  }
})
