import { describe, expect, it } from 'vitest'
import { ArgumentError } from '../../src/errors.ts'
import { bind, refOf } from '../../src/target/index.ts'
import { resize, sizeOf } from './fixtures/acme/src/work.ts'
import { Receiver } from './receiver.ts'

describe('bind', () => {
  it('gives a function that can be called here', async () => {
    expect(bind(resize, 800, 600)('a.png')).toBe('a.png 800x600')
    expect(bind(bind(resize, 800), 600)('a.png')).toBe('a.png 800x600')
    await expect(bind(sizeOf, { size: 3 })()).resolves.toBe(3)
  })

  it('is not changed by what happens to the arguments later', () => {
    const sizes: [number, number] = [800, 600]
    const partial = bind(resize, ...sizes)
    sizes[0] = 1
    expect(partial('a.png')).toBe('a.png 800x600')
    expect(refOf(partial).bound).toEqual([800, 600])
  })

  it('crosses processes', async () => {
    const receiver = new Receiver()
    try {
      expect(await receiver.value(refOf(bind(resize, 800)), 600, 'a.png')).toBe('a.png 800x600')
      expect(await receiver.value(refOf(bind(bind(resize, 800), 600)), 'b.png')).toBe('b.png 800x600')
    } finally {
      await receiver[Symbol.asyncDispose]()
    }
  })

  it('refuses what is no function', () => {
    expect(() => bind('resize' as never, 1)).toThrow(new ArgumentError('bind() needs a function, got string.'))
  })
})
