import type { Condition, Context } from '@skein/core'
import { expectTypeOf, it } from 'vitest'

declare const mp: Context
declare const condition: Condition

it('waitFor() gives what the predicate gives, without what counts as not yet', () => {
  const items: string[] = []
  expectTypeOf(condition.waitFor(() => items.pop())).toEqualTypeOf<Promise<string>>()
  expectTypeOf(condition.waitFor(() => items.length > 0)).toEqualTypeOf<Promise<true>>()
  expectTypeOf(condition.waitFor(() => Promise.resolve<{ n: number } | null>(null))).toEqualTypeOf<
    Promise<{ n: number }>
  >()
  // @ts-expect-error a predicate is a function
  void condition.waitFor(true)
})

it('takes a lock or an rlock', () => {
  expectTypeOf(mp.condition({ lock: mp.lock() })).toEqualTypeOf<Condition>()
  expectTypeOf(mp.condition('name')).toEqualTypeOf<Condition>()
})
