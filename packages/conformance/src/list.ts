/** A shared list: items by position, live to whoever goes through it. */
import { ArgumentError, EncodeError, StateError } from '@skein/core'
import type { Lock } from '@skein/core'
import { expect } from 'vitest'
import { failureOf, messageOf, untyped } from './checking.ts'
import type { Suite } from './harness.ts'
import { popUntilEmpty, pushEach, readAll } from './targets/shared.ts'

export function listSuite(suite: Suite): void {
  suite('list', (check) => {
    check('what is pushed is there, in order, here and in other processes', async ({ mp, start }) => {
      const list = mp.list<unknown>()
      expect([await list.length(), await list.slice()]).toEqual([0, []])
      const kept = new Map([['when', new Date(5)]])
      expect(await list.push(kept)).toBe(1)
      expect(await list.push(2, undefined, [3])).toBe(4)
      expect(await list.push()).toBe(4)
      const all = [kept, 2, undefined, [3]]
      expect(await list.slice()).toEqual(all)
      expect(await (await start(mp.process(readAll<unknown>, [list]))).result()).toEqual(all)
    })

    check('pop() takes the last, shift() the first; of an empty list that is a RangeError', async ({ mp }) => {
      const list = mp.list<number>()
      await list.push(1, 2, 3)
      expect([await list.pop(), await list.shift(), await list.length()]).toEqual([3, 1, 1])
      expect(await list.pop()).toBe(2)
      for (const call of [() => list.pop(), () => list.shift()]) {
        expect(await failureOf(call)).toBeInstanceOf(RangeError)
        expect(await messageOf(call)).toContain('empty')
      }
      await list.push(4)
      expect(await list.slice()).toEqual([4])
    })

    check('get() and set() by position, from the end where it is negative', async ({ mp }) => {
      const list = mp.list<string>()
      await list.push('a', 'b', 'c')
      expect([await list.get(0), await list.get(2), await list.get(-1), await list.get(-3)]).toEqual([
        'a',
        'c',
        'c',
        'a',
      ])
      await list.set(1, 'B')
      await list.set(-1, 'C')
      expect(await list.slice()).toEqual(['a', 'B', 'C'])
      for (const index of [3, -4, 1e9]) {
        for (const call of [() => list.get(index), () => list.set(index, 'x')]) {
          expect(await failureOf(call)).toBeInstanceOf(RangeError)
          expect(await messageOf(call)).toMatch(new RegExp(`${index}.*\\b3\\b`))
        }
      }
      expect(await list.slice()).toEqual(['a', 'B', 'C'])
    })

    check('a position that is no integer is refused in one sentence', async ({ mp }) => {
      const list = mp.list<number>()
      await list.push(1)
      for (const index of [0.5, Number.NaN, Infinity, '0', undefined, null, 0n]) {
        const calls = [
          () => list.get(untyped(index)),
          () => list.set(untyped(index), 1),
          () => list.insert(untyped(index), 1),
          () => list.slice(untyped(index === undefined ? 'x' : index)),
          () => list.slice(0, untyped(index === undefined ? 'x' : index)),
        ]
        for (const call of calls) expect(await failureOf(call)).toBeInstanceOf(ArgumentError)
      }
    })

    check('insert() puts before a position, the length included', async ({ mp }) => {
      const list = mp.list<string>()
      await list.insert(0, 'b')
      await list.insert(0, 'a')
      await list.insert(2, 'd')
      await list.insert(-1, 'c')
      await list.insert(-4, '')
      expect(await list.slice()).toEqual(['', 'a', 'b', 'c', 'd'])
      for (const index of [6, -6]) {
        expect(await failureOf(() => list.insert(index, 'x'))).toBeInstanceOf(RangeError)
      }
      expect(await list.length()).toBe(5)
    })

    check('slice() is that of arrays', async ({ mp }) => {
      const list = mp.list<number>()
      const array = [0, 1, 2, 3, 4]
      await list.push(...array)
      const bounds = [undefined, 0, 1, 3, 5, 9, -1, -3, -5, -9]
      for (const start of bounds) {
        for (const end of bounds)
          expect([start, end, await list.slice(start, end)]).toEqual([start, end, array.slice(start, end)])
      }
    })

    check('remove() takes out the first that is the same; clear() takes all (cpython#103134)', async ({ mp }) => {
      const list = mp.list<unknown>()
      const lock = mp.lock()
      await list.push(1, '1', 1, { a: [1] }, Number.NaN, -0, lock, undefined, null)
      expect(await list.remove(1)).toBe(true)
      expect(await list.slice(0, 2)).toEqual(['1', 1])
      expect(await list.remove({ a: [2] })).toBe(false)
      expect(await list.remove({ a: [1] })).toBe(true)
      expect([await list.remove(Number.NaN), await list.remove(0), await list.remove(-0)]).toEqual([true, false, true])
      expect([await list.remove(lock), await list.remove(mp.lock()), await list.remove(undefined)]).toEqual([
        true,
        false,
        true,
      ])
      expect(await list.slice()).toEqual(['1', 1, null])
      await list.clear()
      expect([await list.length(), await list.remove(null)]).toEqual([0, false])
      await list.clear()
    })

    check('items that are pushed together stay together, and each is taken once', async ({ mp, start }) => {
      const list = mp.list<number>()
      const pushers = await Promise.all([1, 2].map((who) => start(mp.process(pushEach, [list, who, 20, 3]))))
      await Promise.all(pushers.map((child) => child.result()))
      const all = await list.slice()
      expect(all.length).toBe(120)
      for (let at = 0; at < all.length; at += 3) expect(new Set(all.slice(at, at + 3)).size).toBe(1)
      const takers = await Promise.all([true, false].map((last) => start(mp.process(popUntilEmpty, [list, last]))))
      const taken = (await Promise.all(takers.map((child) => child.result()))).flat()
      expect(taken.toSorted((a, b) => a - b)).toEqual(all.toSorted((a, b) => a - b))
      expect(await list.length()).toBe(0)
    })

    check('a loop visits what is pushed meanwhile, and not what is taken', async ({ mp }) => {
      const list = mp.list<number>()
      await list.push(1, 2, 3)
      const seen: number[] = []
      for await (const item of list) {
        seen.push(item)
        if (item === 1) await list.remove(2)
        if (item < 6) await list.push(item + 3)
      }
      expect(seen).toEqual([1, 3, 4, 6, 7])
      await list.clear()
      for await (const item of list) seen.push(item)
      expect(seen.length).toBe(5)
    })

    check('a loop sees what other processes change while it stands still', async ({ mp, start }) => {
      const list = mp.list<number>()
      await list.push(0, 0, 0, 0)
      let count = 0
      for await (const item of list) {
        if (count === 2) await (await start(mp.process(pushEach, [list, 7, 1, 1]))).result()
        if (count === 4) expect(item).toBe(7)
        count += 1
      }
      expect(count).toBe(5)
    })

    check('ten thousand items come in pages', async ({ mp }) => {
      const list = mp.list<number>()
      const all = Array.from({ length: 10_000 }, (_, n) => n)
      expect(await list.push(...all)).toBe(10_000)
      expect(await list.slice()).toEqual(all)
      expect(await list.slice(5, -5)).toEqual(all.slice(5, -5))
      let next = 0
      for await (const item of list) {
        if (item !== next) expect(item).toBe(next)
        next += 1
      }
      expect(next).toBe(10_000)
      expect([await list.get(9_999), await list.get(-10_000)]).toEqual([9_999, 0])
    })

    check('items of a megabyte', async ({ mp }) => {
      const list = mp.list<Uint8Array>()
      const large = (n: number): Uint8Array => new Uint8Array(1_000_000).fill(n)
      await list.push(large(1), large(2))
      await list.insert(1, large(3))
      expect((await list.slice()).map((item) => [item.length, item[0], item.at(-1)])).toEqual([
        [1_000_000, 1, 1],
        [1_000_000, 3, 3],
        [1_000_000, 2, 2],
      ])
      expect(await list.remove(large(3))).toBe(true)
      expect((await list.pop())[0]).toBe(2)
    })

    check('what cannot be stored is refused, all of it', async ({ mp }) => {
      const list = mp.list<unknown>()
      const call = (): Promise<number> => list.push(1, { f: () => 1 })
      expect(await failureOf(call)).toBeInstanceOf(EncodeError)
      expect(await messageOf(call)).toContain('items[1].f')
      expect(await list.length()).toBe(0)
    })

    check('a stored handle stays shared, and a named list until it is destroyed', async ({ mp, unique }) => {
      const name = unique('locks')
      const list = mp.list<Lock>(name)
      const lock = mp.lock()
      await list.push(lock)
      await lock.acquire()
      expect(await (await mp.list<Lock>({ name }).get(0)).tryAcquire()).toBeNull()
      await list.destroy()
      for (const call of [() => list.length(), () => list.push(lock), () => list.slice()]) {
        expect(await failureOf(call)).toBeInstanceOf(StateError)
      }
      const again = mp.list(name)
      expect(await again.length()).toBe(0)
      await again.destroy()
    })
  })
}
