/** A shared array: a fixed number of items. */
import { ArgumentError, CapacityError, ConflictError, EncodeError, StateError } from '@skein/core'
import { expect } from 'vitest'
import { failureOf, messageOf, untyped } from './checking.ts'
import type { Suite } from './harness.ts'
import { setShare } from './targets/shared.ts'

export function arraySuite(suite: Suite): void {
  suite('array', (check) => {
    check('made by its length it is full of zeros', async ({ mp }) => {
      const array = mp.array(3)
      expect([await array.length(), await array.slice()]).toEqual([3, [0, 0, 0]])
      await array.set(1, 5)
      await array.set(-1, 7)
      expect(await array.slice()).toEqual([0, 5, 7])
      expect([await array.get(1), await array.get(-1), await array.get(-3)]).toEqual([5, 7, 0])
    })

    check('made of items it has these, as copies', async ({ mp }) => {
      const items = [{ n: 1 }, { n: 2 }]
      const array = mp.array(items)
      ;(items[0] as { n: number }).n = 9
      expect([await array.length(), await array.slice()]).toEqual([2, [{ n: 1 }, { n: 2 }]])
      ;(await array.get(1)).n = 9
      expect(await array.get(1)).toEqual({ n: 2 })
    })

    check('an array of nothing', async ({ mp }) => {
      for (const array of [mp.array(0), mp.array<string>([])]) {
        expect([await array.length(), await array.slice()]).toEqual([0, []])
        expect(await failureOf(() => array.get(0))).toBeInstanceOf(RangeError)
      }
    })

    check('beyond its bounds there is nothing', async ({ mp }) => {
      const array = mp.array([1, 2])
      for (const index of [2, -3, 1e9]) {
        for (const call of [() => array.get(index), () => array.set(index, 1)]) {
          expect(await failureOf(call)).toBeInstanceOf(RangeError)
          expect(await messageOf(call)).toMatch(new RegExp(`${index}.*\\b2\\b`))
        }
      }
      for (const index of [0.5, Number.NaN, '0', undefined]) {
        for (const call of [() => array.get(untyped(index)), () => array.set(untyped(index), 1)]) {
          expect(await failureOf(call)).toBeInstanceOf(ArgumentError)
        }
      }
      expect(await array.slice()).toEqual([1, 2])
    })

    check('slice() is that of arrays', async ({ mp }) => {
      const items = ['a', 'b', 'c', 'd']
      const array = mp.array(items)
      const bounds = [undefined, 0, 1, 4, 9, -1, -4, -9]
      for (const start of bounds) {
        for (const end of bounds)
          expect([start, end, await array.slice(start, end)]).toEqual([start, end, items.slice(start, end)])
      }
    })

    check('each process has its share', async ({ mp, start }) => {
      const array = mp.array(90)
      const children = await Promise.all([0, 1, 2].map((share) => start(mp.process(setShare, [array, share, 3]))))
      await Promise.all(children.map((child) => child.result()))
      expect(await array.slice()).toEqual(Array.from({ length: 90 }, (_, at) => at % 3))
    })

    check('a million items cost nothing until they are set', async ({ mp }) => {
      const array = mp.array(1_000_000)
      await array.set(999_999, 1)
      expect([await array.get(500_000), await array.slice(999_990)]).toEqual([0, [0, 0, 0, 0, 0, 0, 0, 0, 0, 1]])
      expect((await array.slice(0, 2_500)).length).toBe(2_500)
    })

    check('the same name is the same array; the first creator says what it begins with', async ({ mp, unique }) => {
      const name = unique('seats')
      const array = mp.array([1, 2, 3], name)
      expect(await mp.array(3, { name }).slice()).toEqual([1, 2, 3])
      const other = mp.array(4, name)
      expect(await failureOf(() => other.get(0))).toBeInstanceOf(ConflictError)
      expect(await messageOf(() => other.slice())).toMatch(/3.*4/)
      expect(await array.get(2)).toBe(3)
      await array.destroy()
      expect(await failureOf(() => array.length())).toBeInstanceOf(StateError)
      const again = mp.array(4, name)
      expect(await again.slice()).toEqual([0, 0, 0, 0])
      await again.destroy()
    })

    check('what is no length and no items, or cannot be stored, is refused', async ({ mp }) => {
      for (const init of [-1, 1.5, Number.NaN, '3', null, undefined, { length: 2 }]) {
        expect(await failureOf(() => mp.array(untyped(init)))).toBeInstanceOf(ArgumentError)
      }
      expect(await failureOf(() => mp.array([1, untyped(() => 1)]))).toBeInstanceOf(EncodeError)
      expect(await messageOf(() => mp.array([1, untyped(() => 1)]))).toContain('items[1]')
      expect(await failureOf(() => mp.array(Array.from({ length: 100_001 }, () => 0)))).toBeInstanceOf(CapacityError)
      const array = mp.array<unknown>([1])
      expect(await failureOf(() => array.set(0, Symbol('s')))).toBeInstanceOf(EncodeError)
      expect(await array.get(0)).toBe(1)
    })
  })
}
