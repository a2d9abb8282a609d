import { pathToFileURL } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import type { TargetRef } from '../../src/contract/target.ts'
import { assertNotLoadingTarget, isLoadingTarget } from '../../src/target/index.ts'
import { Receiver, fixture } from './receiver.ts'

function refTo(name: string, file: string): TargetRef {
  return { module: `fixtures/${file}`, export: name, url: pathToFileURL(fixture(file)).href }
}

const receivers: Receiver[] = []
function receiver(execArgv: string[]): Receiver {
  const made = new Receiver({ execArgv })
  receivers.push(made)
  return made
}
afterEach(async () => {
  await Promise.all(receivers.splice(0).map((each) => each[Symbol.asyncDispose]()))
})

it('is not loading in a program of its own', () => {
  expect(isLoadingTarget()).toBe(false)
  expect(assertNotLoadingTarget()).toBeUndefined()
})

describe.each([
  ['Node', []],
  ['tsx', ['--import', 'tsx']],
])('a target loaded by %s', (_, execArgv) => {
  it('is loading at its top level, through awaits, and in its dependencies; not in its body, nor afterwards', async () => {
    const there = receiver(execArgv)
    const expected = {
      first: true,
      olderContext: true,
      awaited: true,
      afterImmediate: true,
      dependency: true,
      body: false,
      bodyAwaited: false,
      dependencyLater: false,
      leftBehind: false,
    }
    expect(await there.value(refTo('report', 'loading.mjs'))).toEqual(expected)
  })

  it('is loading too when it is not the first one', async () => {
    const there = receiver(execArgv)
    await there.value(refTo('watch', 'beside.mjs'), 0)
    expect(await there.value(refTo('report', 'loading.mjs'))).toMatchObject({
      first: true,
      awaited: true,
      dependency: true,
    })
  })

  it('does not make a task that runs meanwhile look as if it were loading', async () => {
    const there = receiver(execArgv)
    await there.value(refTo('watch', 'beside.mjs'), 0)
    const [seen, loading] = await Promise.all([
      there.run(refTo('watch', 'beside.mjs'), 150),
      there.run(refTo('report', 'slow-module.mjs')),
    ])
    expect(loading).toEqual({ value: true })
    expect(seen).toEqual({ value: [false] })
  })

  it('gives the advice when the guard is missing', async () => {
    const error = await receiver(execArgv).error(refTo('work', 'unguarded.mjs'))
    expect(error).toEqual({
      name: 'BootstrapError',
      code: 'ERR_SKEIN_BOOTSTRAP',
      message:
        'A process was started while the module of a target was still loading in a child process: ' +
        'put the code that starts processes into "if (isMainProcess) { … }", with isMainProcess from @skein/core.',
    })
  })
})
