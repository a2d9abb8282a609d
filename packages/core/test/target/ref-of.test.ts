import { createRequire } from 'node:module'
import { basename } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, it } from 'vitest'
import { ArgumentError } from '../../src/errors.ts'
import { bind, refOf } from '../../src/target/index.ts'
import answer, * as work from './fixtures/acme/src/work.ts'
import { fixture, runNode } from './receiver.ts'

const require = createRequire(import.meta.url)
const file = fixture('acme/src/work.ts')

function refusal(target: unknown): string {
  try {
    refOf(target)
  } catch (error) {
    expect(error).toBeInstanceOf(ArgumentError)
    return error instanceof Error ? error.message : ''
  }
  throw new Error('It was not refused.')
}

describe('refOf', () => {
  it('names an exported function by package, path and export', () => {
    expect(refOf(work.square)).toMatchObject({
      module: 'acme-app/src/work',
      export: 'square',
      digest: expect.stringMatching(/^[0-9a-f]{16}$/),
      url: pathToFileURL(file).href,
    })
  })

  it('says where the function is in the source, not in what the loader made of it', () => {
    expect(refOf(work.square).source).toMatch(/^src\/work\.ts:6:\d+$/)
    expect(refOf(work.increment).source).toMatch(/^src\/work\.ts:16:\d+$/)
  })

  it('is made once for a function', () => {
    expect(refOf(work.square)).toBe(refOf(work.square))
  })

  it('calls a default export "default"', () => {
    expect(refOf(answer).export).toBe('default')
  })

  it('finds the export names of CommonJS functions, which have none of their own', () => {
    const library = require('./fixtures/acme/src/library.cjs')
    expect(refOf(library.twice).export).toBe('twice')
    expect(refOf(library.computed).export).toBe('computed')
    expect(refOf(require('./fixtures/acme/src/single.cjs')).export).toBe('default')
  })

  it('keeps the arguments of bind as they are, outer ones behind inner ones', () => {
    const size = { any: 'value' }
    const once = bind(work.resize, 800)
    const twice = bind(once, 600)
    expect(refOf(once).bound).toEqual([800])
    expect(refOf(twice)).toEqual({ ...refOf(work.resize), bound: [800, 600] })
    expect(refOf(bind(work.sizeOf, { size: 1, extra: size })).bound?.[0]).toHaveProperty('extra', size)
    expect(refOf(twice)).toBe(refOf(twice))
  })

  it.each([
    ['undefined', undefined, 'A target is an exported function, got undefined.'],
    ['null', null, 'A target is an exported function, got null.'],
    ['a name', 'square', 'A target is an exported function, got string.'],
    ['an object', { square: 1 }, 'A target is an exported function, got object.'],
  ])('refuses %s', (_, target, message) => {
    expect(refusal(target)).toBe(message)
  })

  it('refuses a native function', () => {
    expect(refusal(Math.max)).toBe(
      '"max" has no source of its own (it is native or a proxy) and cannot be a target: export a function that calls it.',
    )
  })

  it('refuses a function of Node itself', () => {
    expect(refusal(basename)).toMatch(/^"basename" is part of Node \(node:path\) and cannot be a target: /)
  })

  it('refuses a bound function and names bind', () => {
    expect(refusal(work.square.bind(null))).toBe(
      '"bound square" is the result of Function.prototype.bind, whose arguments cannot cross processes: ' +
        'use bind(fn, …args) of @skein/core instead.',
    )
  })

  it('refuses a class', () => {
    expect(refusal(work.Job)).toBe('"Job" is a class and cannot be a target: export a function that uses it.')
  })

  it('refuses a closure, though one of its name is exported', () => {
    expect(refusal(work.counter)).toMatch(
      /^"counter" \(src\/work\.ts:\d+:\d+\) uses variables of the code around it, and a closure cannot cross processes: /,
    )
  })

  it('refuses evaluated code', () => {
    const evaluated: unknown = (0, eval)('(function made() {})')
    expect(refusal(evaluated)).toBe(
      '"made" is defined in evaluated code, which no other process can load: put it into a module file and export it.',
    )
  })

  it('refuses a function that bind was given, in its own words', () => {
    expect(refusal(bind(Math.max, 1))).toMatch(/^"max" has no source of its own/)
  })

  it('leaves nothing behind on process', () => {
    const before = Reflect.ownKeys(process)
    refOf(work.decrement)
    expect(Reflect.ownKeys(process)).toEqual(before)
    expect(before).not.toContain(Symbol.for('skein.locate'))
  })

  it('says what is missing where no inspector is permitted', async () => {
    const index = new URL('../../dist/target/index.js', import.meta.url).href
    const program = `
      import { refOf } from '${index}'
      import { half } from '${pathToFileURL(fixture('acme/src/library.cjs')).href}'
      try { refOf(half) } catch (error) { console.log(error.name, error.message) }`
    const flag = process.allowedNodeEnvironmentFlags.has('--permission') ? '--permission' : '--experimental-permission'
    const output = await runNode([flag, '--allow-fs-read=*', '--no-warnings', '--input-type=module', '--eval', program])
    expect(output).toMatch(/^NotSupportedError Naming a function for another process needs node:inspector, /)
  })
})
