import { expectTypeOf, it } from 'vitest'
import type { AsyncResult, Pool } from '../../src/contract/pool.ts'
import { bind } from '../../src/target/index.ts'

declare const pool: Pool
declare function double(n: number): number
declare function resize(width: number, file: string): Promise<boolean>
declare function now(): Date
declare function log(line?: string): void
declare function numbers(): AsyncIterable<number>

it('apply: the arguments and the result are those of the target', () => {
  expectTypeOf(pool.apply(double, [1])).toEqualTypeOf<Promise<number>>()
  expectTypeOf(pool.apply(resize, [1, 'a'], { retries: 1 })).toEqualTypeOf<Promise<boolean>>()
  expectTypeOf(pool.apply(now)).toEqualTypeOf<Promise<Date>>()
  expectTypeOf(pool.apply(log)).toEqualTypeOf<Promise<void>>()
  expectTypeOf(pool.apply(bind(resize, 1), ['a'])).toEqualTypeOf<Promise<boolean>>()
  // @ts-expect-error an argument is missing
  void pool.apply(double)
  // @ts-expect-error no number
  void pool.apply(double, ['1'])
  // @ts-expect-error one too many
  void pool.apply(double, [1, 2])
  // @ts-expect-error no such option
  void pool.apply(double, [1], { retry: 1 })
})

it('applyAsync: the callback gets the result', () => {
  expectTypeOf(pool.applyAsync(resize, [1, 'a'])).toEqualTypeOf<AsyncResult<boolean>>()
  expectTypeOf(pool.applyAsync(now)).toEqualTypeOf<AsyncResult<Date>>()
  void pool.applyAsync(resize, [1, 'a'], {
    callback: (value) => expectTypeOf(value).toEqualTypeOf<boolean>(),
    errorCallback: (error) => expectTypeOf(error).toEqualTypeOf<unknown>(),
  })
  // @ts-expect-error the result is no string
  void pool.applyAsync(double, [1], { callback: (value: string) => value })
  // @ts-expect-error no number
  void pool.applyAsync(double, ['1'])
})

it('map and mapAsync: an item is the argument', () => {
  expectTypeOf(pool.map(double, [1, 2])).toEqualTypeOf<Promise<number[]>>()
  expectTypeOf(pool.map(double, new Set([1]))).toEqualTypeOf<Promise<number[]>>()
  expectTypeOf(pool.map(bind(resize, 1), ['a'])).toEqualTypeOf<Promise<boolean[]>>()
  expectTypeOf(pool.mapAsync(double, [1])).toEqualTypeOf<AsyncResult<number[]>>()
  void pool.mapAsync(bind(resize, 1), ['a'], { callback: (all) => expectTypeOf(all).toEqualTypeOf<boolean[]>() })
  // @ts-expect-error no numbers
  void pool.map(double, ['1'])
  // @ts-expect-error no numbers
  void pool.mapAsync(double, ['1'])
  // @ts-expect-error two arguments are needed
  void pool.map(resize, [1])
  // @ts-expect-error no iterable
  void pool.map(double, 1)
  // @ts-expect-error a map has no callback
  void pool.map(double, [1], { callback: () => 1 })
})

it('starmap and starmapAsync: an item is the array of arguments', () => {
  expectTypeOf(pool.starmap(resize, [[1, 'a']])).toEqualTypeOf<Promise<boolean[]>>()
  expectTypeOf(pool.starmap(resize, new Map([[1, 'a']]))).toEqualTypeOf<Promise<boolean[]>>()
  expectTypeOf(pool.starmapAsync(resize, [[1, 'a']])).toEqualTypeOf<AsyncResult<boolean[]>>()
  // @ts-expect-error in the wrong order
  void pool.starmap(resize, [['a', 1]])
  // @ts-expect-error an argument is missing
  void pool.starmap(resize, [[1]])
  // @ts-expect-error no array
  void pool.starmap(double, [1])
  // @ts-expect-error an argument is missing
  void pool.starmapAsync(resize, [[1]])
})

it('imap and imapUnordered: an item is the argument, of any kind of iterable', async () => {
  expectTypeOf(pool.imap(double, [1, 2])).toEqualTypeOf<AsyncIterableIterator<number>>()
  expectTypeOf(pool.imapUnordered(bind(resize, 1), ['a'])).toEqualTypeOf<AsyncIterableIterator<boolean>>()
  for await (const value of pool.imap(double, numbers(), { window: 4, chunkSize: 2 })) {
    expectTypeOf(value).toEqualTypeOf<number>()
  }
  // @ts-expect-error no numbers
  pool.imap(double, ['1'])
  // @ts-expect-error two arguments are needed
  pool.imapUnordered(resize, [1])
  // @ts-expect-error a map has no window
  void pool.map(double, [1], { window: 1 })
})

it('an AsyncResult is awaited like a promise', async () => {
  expectTypeOf(await pool.applyAsync(double, [1])).toEqualTypeOf<number>()
  expectTypeOf(pool.applyAsync(double, [1]).get({ timeout: 1 })).toEqualTypeOf<Promise<number>>()
})
