import type { Context, Value } from '@skein/core'
import { expectTypeOf, it } from 'vitest'

declare const mp: Context

interface User {
  readonly name: string
}

it('infers a value’s type from what it begins with, widened', () => {
  expectTypeOf(mp.value(0)).toEqualTypeOf<Value<number>>()
  expectTypeOf(mp.value('a', 'name')).toEqualTypeOf<Value<string>>()
  expectTypeOf(mp.value(false)).toEqualTypeOf<Value<boolean>>()
  expectTypeOf(mp.value({ a: [1] })).toEqualTypeOf<Value<{ a: number[] }>>()
  expectTypeOf(mp.value<'on' | 'off'>('on')).toEqualTypeOf<Value<'on' | 'off'>>()
  expectTypeOf(mp.value<User | null>(null).get()).toEqualTypeOf<Promise<User | null>>()
})

it('types what update() is given and gives', () => {
  void mp.value(0).update((n) => {
    expectTypeOf(n).toEqualTypeOf<number>()
    return Promise.resolve(n)
  })
  expectTypeOf(mp.value(0).update((n) => n + 1)).toEqualTypeOf<Promise<number>>()
  // @ts-expect-error a number is no text
  void mp.value('a').update(() => 1)
})

it('adds to numbers only', () => {
  expectTypeOf(mp.value(0).add(1)).toEqualTypeOf<Promise<number>>()
  // @ts-expect-error no number
  void mp.value('a').add(1)
  // @ts-expect-error not every user is a number
  void mp.value<number | null>(0).add(1)
})
