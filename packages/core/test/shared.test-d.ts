import type { Context, DictKey, SharedArray, SharedDict, SharedList, Value } from '@skein/core'
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

it('types a dict by its values, and by its keys where they are said', () => {
  expectTypeOf(mp.dict<User>()).toEqualTypeOf<SharedDict<User>>()
  expectTypeOf(mp.dict<User>().get(1)).toEqualTypeOf<Promise<User | undefined>>()
  expectTypeOf(mp.dict<User>('users').keys()).toEqualTypeOf<Promise<DictKey[]>>()
  expectTypeOf(mp.dict<User, string>('users').entries()).toEqualTypeOf<Promise<[string, User][]>>()
  expectTypeOf(mp.dict<User, string>().setDefault('a', { name: 'a' })).toEqualTypeOf<Promise<User>>()
  void mp.dict<number, 'a' | 'b'>().update('a', (n) => {
    expectTypeOf(n).toEqualTypeOf<number | undefined>()
    return 1
  })
  // @ts-expect-error a date is no key
  void mp.dict<User>().get(new Date(0))
  // @ts-expect-error not one of its keys
  void mp.dict<number, 'a' | 'b'>().get('c')
  // @ts-expect-error no user
  void mp.dict<User>().set('a', 1)
})

it('types lists and arrays by their items', () => {
  expectTypeOf(mp.list<User>()).toEqualTypeOf<SharedList<User>>()
  expectTypeOf(mp.list<User>().pop()).toEqualTypeOf<Promise<User>>()
  expectTypeOf(mp.list<string>('names').slice(1)).toEqualTypeOf<Promise<string[]>>()
  expectTypeOf(mp.array(3)).toEqualTypeOf<SharedArray<number>>()
  expectTypeOf(mp.array(3, 'seats')).toEqualTypeOf<SharedArray<number>>()
  expectTypeOf(mp.array([1, 2])).toEqualTypeOf<SharedArray<number>>()
  expectTypeOf(mp.array<User | null>([null], { name: 'users' })).toEqualTypeOf<SharedArray<User | null>>()
  expectTypeOf(mp.array(['a']).get(0)).toEqualTypeOf<Promise<string>>()
  // @ts-expect-error zeros are no users
  mp.array<User>(3)
  // @ts-expect-error a number is no text
  void mp.list<string>().push(1)
})
