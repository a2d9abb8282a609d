/** Tasks: which file they lead to, and which ids they may have. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { ConflictError } from '../../src/errors.ts'
import { refOf, targetsOf } from '../../src/target/index.ts'
import { task } from '../../src/task.ts'

const here = fileURLToPath(import.meta.url)

function define(id: string): () => number {
  return task({ id }, () => 1)
}

describe('task()', () => {
  it('refers to the file where it is called, whatever function it gets', () => {
    const one = task({ id: 'unit.one' }, readFileSync)
    expect(refOf(one)).toMatchObject({
      module: '@skein/core/test/target/task.test',
      export: 'unit.one',
      task: true,
      url: import.meta.url,
    })
    expect(refOf(one).source).toMatch(/^test\/target\/task\.test\.ts:\d+:\d+$/)
    expect(refOf(one).identity).toBeUndefined()
    expect(one(here, 'utf8')).toContain('whatever function it gets')
  })

  it('may be defined again at the same place, as when a module is loaded twice, and nowhere else', () => {
    define('unit.twice')
    define('unit.twice')
    expect(() => task({ id: 'unit.twice' }, () => 2)).toThrow(ConflictError)
    expect(() => task({ id: 'unit.twice' }, () => 2)).toThrow(/twice.*task\.test\.ts:\d+:\d+.*task\.test\.ts:\d+:\d+/)
  })

  it('leaves the stack traces of others as they are', () => {
    const look = (): unknown[] => ['prepareStackTrace', 'stackTraceLimit'].map((name) => Reflect.get(Error, name))
    const before = look()
    define('unit.stack')
    expect(look()).toEqual(before)
  })
})

describe('targetsOf()', () => {
  it('refers to the file, whichever way it is given', () => {
    for (const url of [import.meta.url, new URL(import.meta.url), new URL('./task.test.js', import.meta.url)]) {
      const { anything } = targetsOf<{ anything(): void }>(url)
      expect(refOf(anything)).toMatchObject({
        module: '@skein/core/test/target/task.test',
        export: 'anything',
        source: 'test/target/task.test.ts',
        url: import.meta.url,
      })
    }
  })

  it('keeps what it names: nothing can be put in its place', () => {
    const targets = targetsOf<{ f(): void }>(import.meta.url) as { f: unknown }
    expect(() => {
      targets.f = () => 1
    }).toThrow(TypeError)
  })
})
