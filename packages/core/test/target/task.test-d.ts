import { expectTypeOf, it } from 'vitest'
import { registerError, task, type Target } from '@skein/core'

declare function run<A extends unknown[], R>(target: Target<A, R>, args: NoInfer<A>): R

it('is a function like the one that it was made from', () => {
  const resize = task({ id: 'resize', retries: 3 }, async (file: string, width = 800) => file.length > width)
  expectTypeOf(resize).toEqualTypeOf<(file: string, width?: number) => Promise<boolean>>()
  expectTypeOf(run(resize, ['a'])).toEqualTypeOf<boolean>()
  const first = task({ id: 'first' }, <T>(items: readonly T[]): T | undefined => items[0])
  expectTypeOf(first([1, 2])).toEqualTypeOf<number | undefined>()
})

it('refuses what is none', () => {
  // @ts-expect-error no id
  task({}, () => 1)
  // @ts-expect-error no function
  task({ id: 'a' }, 7)
  // @ts-expect-error an unknown option
  task({ id: 'a', retry: 1 }, () => 1)
  // @ts-expect-error an abort is for one run
  task({ id: 'a', signal: AbortSignal.abort() }, () => 1)
})

it('registerError takes error classes, whatever their constructors take', () => {
  class Broken extends Error {
    constructor(parts: number) {
      super(`broken into ${parts}`)
    }
  }
  abstract class Base extends RangeError {}
  registerError(Broken)
  registerError(Base)
  // @ts-expect-error a Map is no error
  registerError(Map)
  // @ts-expect-error nor is an object
  registerError({})
})
