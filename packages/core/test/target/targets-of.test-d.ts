import { expectTypeOf, it } from 'vitest'
import type { Target } from '../../src/contract/target.ts'
import { bind, targetsOf } from '../../src/target/index.ts'

interface Module {
  resize(width: number, file: string): Promise<boolean>
  first<T>(items: readonly T[]): T | undefined
  readonly sync: () => number
  readonly limit: number
  readonly Thing: new () => object
  readonly default: (name?: string) => string
}

declare function run<A extends unknown[], R>(target: Target<A, R>, args: NoInfer<A>): R

const targets = targetsOf<Module>('file:///work.ts')

it('has the functions of the module, and nothing else', () => {
  expectTypeOf(targets).toHaveProperty('resize').toEqualTypeOf<Module['resize']>()
  expectTypeOf(targets.sync).toEqualTypeOf<() => number>()
  expectTypeOf(targets.default).toEqualTypeOf<(name?: string) => string>()
  expectTypeOf<keyof typeof targets>().toEqualTypeOf<'resize' | 'first' | 'sync' | 'default'>()
})

it('gives targets, whose arguments and results are checked', () => {
  expectTypeOf(run(targets.resize, [800, 'a'])).toEqualTypeOf<boolean>()
  expectTypeOf(bind(targets.resize, 800)).toEqualTypeOf<(file: string) => Promise<boolean>>()
  // @ts-expect-error a string is no width
  run(targets.resize, ['800', 'a'])
  // @ts-expect-error there is no such function
  run(targets.shrink, [])
  // @ts-expect-error a number is no target
  run(targets.limit, [])
  // @ts-expect-error nothing can be put into it
  targets.sync = () => 1
})

it('gives nothing without a module', () => {
  expectTypeOf(targetsOf('file:///work.ts')).toBeNever()
})
