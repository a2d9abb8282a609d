import { expectTypeOf, it } from 'vitest'
import type { Target } from '../../src/contract/target.ts'
import { bind } from '../../src/target/index.ts'

declare function resize(width: number, file: string): Promise<boolean>
declare function write(path: string, text?: string, ...flags: number[]): void
declare function run<A extends unknown[], R>(target: Target<A, R>, args: NoInfer<A>): R
declare function each<T, R>(target: Target<[item: T], R>, items: Iterable<NoInfer<T>>): R[]

it('leaves the other parameters and the result as they are', () => {
  expectTypeOf(bind(resize, 800)).toEqualTypeOf<(file: string) => Promise<boolean>>()
  expectTypeOf(bind(resize, 800)).toExtend<Target<[file: string], boolean>>()
  expectTypeOf(bind(resize, 800, 'a')).toEqualTypeOf<() => Promise<boolean>>()
  expectTypeOf(bind(bind(resize, 800), 'a')).toEqualTypeOf<() => Promise<boolean>>()
  expectTypeOf(bind(resize)).toEqualTypeOf<typeof resize>()
  expectTypeOf(bind(write, 'p')).toEqualTypeOf<(text?: string, ...flags: number[]) => void>()
})

it('is a target like any other', () => {
  expectTypeOf(run(bind(resize, 800), ['a'])).toEqualTypeOf<boolean>()
  expectTypeOf(each(bind(resize, 800), ['a', 'b'])).toEqualTypeOf<boolean[]>()
})

it('refuses wrong arguments where they are given', () => {
  // @ts-expect-error a string is no width
  bind(resize, '800')
  // @ts-expect-error one argument too many
  bind(resize, 800, 'a', 1)
  // @ts-expect-error the item is no file name
  each(bind(resize, 800), [1])
  // @ts-expect-error no function
  bind('resize', 1)
})
