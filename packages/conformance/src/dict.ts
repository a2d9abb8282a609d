/** A shared dict: values by key, kept apart by the key's type, in the order in which the keys came. */
import { ArgumentError, EncodeError, StateError, TimeoutError } from '@skein/core'
import type { DictKey, Queue, SharedDict } from '@skein/core'
import { expect } from 'vitest'
import { failureOf, messageOf, untyped } from './checking.ts'
import type { Suite } from './harness.ts'
import { countWords, fill, popAll, readKey, takeNumber } from './targets/shared.ts'

const keys: readonly DictKey[] = [
  '1',
  1,
  1n,
  true,
  'true',
  '',
  '1n',
  -1.5,
  1e21,
  -(2n ** 70n),
  'ä\u{1F9F5}\ud800',
  '__proto__',
]

export function dictSuite(suite: Suite): void {
  suite('dict', (check) => {
    check('what is set is what is read, here and in other processes', async ({ mp, start }) => {
      const dict = mp.dict<unknown>()
      expect([await dict.get('a'), await dict.has('a'), await dict.size()]).toEqual([undefined, false, 0])
      const kept = new Map([['when', new Date(5)]])
      await dict.set('a', kept)
      await dict.set('b', undefined)
      expect([await dict.get('a'), await dict.has('a'), await dict.size()]).toEqual([kept, true, 2])
      expect([await dict.get('b'), await dict.has('b')]).toEqual([undefined, true])
      expect(await (await start(mp.process(readKey<unknown>, [dict, 'a']))).result()).toEqual(kept)
    })

    check('keys of different types are different keys, and come back as what they were', async ({ mp }) => {
      const dict = mp.dict<number>()
      for (const [index, key] of keys.entries()) await dict.set(key, index)
      for (const [index, key] of keys.entries()) expect([key, await dict.get(key)]).toEqual([key, index])
      expect(await dict.keys()).toEqual(keys)
      expect(await dict.entries()).toEqual(keys.map((key, index) => [key, index]))
      await dict.set(-0, 7)
      expect([await dict.get(0), (await dict.keys()).at(-1)]).toEqual([7, 0])
    })

    check('other keys are refused in one sentence', async ({ mp }) => {
      const dict = mp.dict<number>()
      for (const key of [Number.NaN, Infinity, null, undefined, Symbol('s'), {}, [1], new Date(0)]) {
        const calls = [
          () => dict.get(untyped(key)),
          () => dict.set(untyped(key), 1),
          () => dict.delete(untyped(key)),
          () => dict.has(untyped(key)),
          () => dict.update(untyped(key), () => 1),
          () => dict.setDefault(untyped(key), 1),
          () => dict.pop(untyped(key)),
        ]
        for (const call of calls) expect(await failureOf(call)).toBeInstanceOf(ArgumentError)
      }
      expect(await messageOf(() => dict.get(untyped([1])))).toMatch(/a key is a string.*got an array.*make a string/)
      expect(await dict.size()).toBe(0)
    })

    check('the order is that in which the keys came', async ({ mp }) => {
      const dict = mp.dict<number, string>()
      for (const key of ['c', 'a', 'b', 'd']) await dict.set(key, 1)
      await dict.set('a', 2)
      await dict.update('d', (n = 0) => n + 1)
      await dict.delete('c')
      await dict.set('c', 3)
      const now: [string, number][] = [
        ['a', 2],
        ['b', 1],
        ['d', 2],
        ['c', 3],
      ]
      expect(await dict.entries()).toEqual(now)
      const seen: [string, number][] = []
      for await (const entry of dict) seen.push(entry)
      expect(seen).toEqual(now)
    })

    check('delete(), pop() and setDefault() say what was there', async ({ mp }) => {
      const dict = mp.dict<string>()
      expect(await dict.setDefault('a', 'first')).toBe('first')
      expect(await dict.setDefault('a', 'second')).toBe('first')
      expect(await dict.pop('a')).toBe('first')
      expect(await dict.pop('a')).toBeUndefined()
      await dict.set('a', 'third')
      expect(await dict.delete('a')).toBe(true)
      expect(await dict.delete('a')).toBe(false)
      expect(await dict.size()).toBe(0)
    })

    check('clear() empties it', async ({ mp }) => {
      const dict = mp.dict<number>()
      for (const key of ['a', 'b']) await dict.set(key, 1)
      await dict.clear()
      expect([await dict.size(), await dict.keys(), await dict.get('a')]).toEqual([0, [], undefined])
      await dict.clear()
      await dict.set('b', 2)
      expect(await dict.entries()).toEqual([['b', 2]])
    })

    check('no update of a key is lost between processes', async ({ mp, start }) => {
      const dict = mp.dict<number, string>()
      const words = ['a', 'b', 'a', 'c', 'a']
      const children = await Promise.all([1, 2, 3].map(() => start(mp.process(countWords, [dict, words, 10]))))
      await Promise.all(children.map((child) => child.result()))
      expect(new Map(await dict.entries())).toEqual(
        new Map([
          ['a', 90],
          ['b', 30],
          ['c', 30],
        ]),
      )
    })

    check('update() calls again for a change of its key, not of another', async ({ mp }) => {
      const dict = mp.dict<string>()
      const seen: unknown[] = []
      const result = await dict.update('a', async (current) => {
        seen.push(current)
        if (seen.length < 3) await dict.set(seen.length === 1 ? 'b' : 'a', 'else')
        if (seen.length === 1) await dict.set('a', 'there')
        return `${current}!`
      })
      expect([result, seen]).toEqual(['else!', [undefined, 'there', 'else']])
      let calls = 0
      await dict.update('a', async () => {
        calls += 1
        await dict.set('b', 'other')
        return ''
      })
      expect(calls).toBe(1)
      expect(await failureOf(() => dict.update('a', () => untyped(mp)))).toBeInstanceOf(EncodeError)
      const mine = new Error('mine')
      expect(await failureOf(() => dict.update('z', () => Promise.reject(mine)))).toBe(mine)
      expect([await dict.get('a'), await dict.has('z')]).toEqual(['', false])
    })

    check('an update whose key comes and goes meanwhile still fits, or is called again', async ({ mp }) => {
      const dict = mp.dict<number>()
      let calls = 0
      const update = dict.update('a', async (current = 0) => {
        calls += 1
        await dict.set('a', 10)
        if (calls === 1) await dict.pop('a')
        return current + 1
      })
      expect([await update, calls, await dict.get('a')]).toEqual([1, 1, 1])
      const late = dict.update(
        'a',
        async (current) => {
          await dict.set('a', -1)
          return (current ?? 0) + 1
        },
        { timeout: 0 },
      )
      expect(await failureOf(() => late)).toBeInstanceOf(TimeoutError)
      expect(await dict.get('a')).toBe(-1)
    })

    check('each entry is popped by one process', async ({ mp, start }) => {
      const dict = mp.dict<number, number>()
      const all = Array.from({ length: 60 }, (_, n) => n)
      await Promise.all(all.map((n) => dict.set(n, n)))
      const children = await Promise.all([1, 2, 3].map(() => start(mp.process(popAll, [dict, all.length]))))
      const popped = (await Promise.all(children.map((child) => child.result()))).flat()
      expect(popped.toSorted((a, b) => a - b)).toEqual(all)
    })

    check('a stored handle stays shared', async ({ mp, start }) => {
      const queue = mp.queue<number>()
      const dict = mp.dict<Queue<number>>()
      await dict.set('queue', queue)
      const child = await start(mp.process(takeNumber, [dict, 'queue']))
      await queue.put(7)
      expect(await child.result()).toBe(7)
      await (await dict.get('queue'))?.put(8)
      expect(await queue.get()).toBe(8)
    })

    check(
      'a dict in a dict is shared; what is changed in a plain value that was read is not (cpython#91192)',
      async ({ mp }) => {
        const dict = mp.dict<unknown>()
        const inner = mp.dict<number>()
        await dict.set('inner', inner)
        await dict.set('plain', { list: [1] })
        await ((await dict.get('inner')) as SharedDict<number>).set('n', 1)
        ;((await dict.get('plain')) as { list: number[] }).list.push(2)
        expect([await inner.get('n'), await dict.get('plain')]).toEqual([1, { list: [1] }])
      },
    )

    check('ten thousand keys come in pages, each once and in order', async ({ mp, start }) => {
      const dict = mp.dict<number, number>()
      const count = 10_000
      await (await start(mp.process(fill, [dict, count]))).result()
      expect(await dict.size()).toBe(count)
      const all = Array.from({ length: count }, (_, n) => n)
      expect(await dict.keys()).toEqual(all)
      const entries = await dict.entries()
      expect(entries.length).toBe(count)
      expect(entries.every(([key, value], index) => key === index && value === 2 * index)).toBe(true)
    })

    check('whoever reads page by page sees what is there all the time once, and what comes behind', async ({ mp }) => {
      const dict = mp.dict<number, number>()
      await Promise.all(Array.from({ length: 2_500 }, (_, n) => dict.set(n, n)))
      const seen: number[] = []
      for await (const [key] of dict) {
        if (seen.length === 0) {
          await dict.delete(2_000)
          await dict.delete(0)
          await dict.set(5_000, 1)
          await dict.set(1_500, -1)
        }
        seen.push(key)
      }
      const there = Array.from({ length: 2_500 }, (_, n) => n).filter((n) => n !== 2_000)
      expect(seen).toEqual([...there, 5_000])
      for await (const [key] of dict) {
        expect(key).toBe(1)
        break
      }
      await dict.clear()
      await dict.set(1, 1)
      expect(await dict.keys()).toEqual([1])
    })

    check('values of a megabyte', async ({ mp }) => {
      const dict = mp.dict<Uint8Array, number>()
      const large = (n: number): Uint8Array => new Uint8Array(1_000_000).fill(n)
      for (const n of [1, 2, 3]) await dict.set(n, large(n))
      const seen: number[] = []
      for await (const [key, value] of dict) {
        expect(Buffer.compare(value, large(key))).toBe(0)
        seen.push(key)
      }
      expect([seen, await dict.keys()]).toEqual([
        [1, 2, 3],
        [1, 2, 3],
      ])
      expect((await dict.update(2, () => large(9))).at(-1)).toBe(9)
      expect((await dict.pop(2))?.at(0)).toBe(9)
    })

    check('the same name is the same dict until it is destroyed', async ({ mp, start, unique }) => {
      const name = unique('users')
      const dict = mp.dict<number>(name)
      await dict.set('a', 1)
      expect(await mp.dict<number>({ name }).get('a')).toBe(1)
      expect(await (await start(mp.process(readKey<number>, [dict, 'a']))).result()).toBe(1)
      await dict.destroy()
      for (const call of [
        () => dict.get('a'),
        () => dict.set('a', 2),
        () => dict.keys(),
        () => dict.update('a', () => 1),
      ]) {
        expect(await failureOf(call)).toBeInstanceOf(StateError)
      }
      const again = mp.dict<number>(name)
      expect(await again.size()).toBe(0)
      await again.destroy()
    })
  })
}
