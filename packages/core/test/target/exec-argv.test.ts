import { fork } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { childExecArgv } from '../../src/target/index.ts'
import { fixture } from './receiver.ts'

describe('childExecArgv', () => {
  it('keeps loaders, conditions and limits', () => {
    const kept = [
      '--import',
      'tsx',
      '--require',
      './a.cjs',
      '-r',
      'b',
      '--conditions',
      'test',
      '-C',
      'x',
      '--max-old-space-size=64',
    ]
    expect(childExecArgv(kept)).toEqual(kept)
  })

  it.each([
    [['--inspect']],
    [['--inspect-brk=0.0.0.0:9229']],
    [['--inspect-wait', '--inspect_port', '9230', '--inspect-port=0']],
    [['--test']],
    [['--test', '--test-reporter', 'spec', '--test-name-pattern=a b', '--test-concurrency', '2', '--test-only']],
    [['--experimental-test-coverage', '--test-coverage-include', 'src/**']],
    [['--watch', '--watch-path', './src', '--watch-preserve-output']],
    [['-e', 'import "x"']],
    [['--eval', '--odd']],
    [['-pe', '1 + 1']],
    [['-p', '1 + 1']],
    [['--print', '1 + 1', '--input-type', 'module']],
    [['--input-type=module', '--check', '-i']],
  ])('drops %j', (own) => {
    expect(childExecArgv([...own, '--import', 'tsx'])).toEqual(['--import', 'tsx'])
    expect(childExecArgv(['--no-warnings', ...own])).toEqual(['--no-warnings'])
  })

  it('drops --print without code and keeps what follows', () => {
    expect(childExecArgv(['-p', '--no-warnings'])).toEqual(['--no-warnings'])
  })

  it('does not drop what merely begins alike', () => {
    expect(childExecArgv(['--print-bytecode', '--env-file=.env'])).toEqual(['--print-bytecode', '--env-file=.env'])
  })

  it("is this process's own by default, and a child starts with it", async () => {
    expect(childExecArgv()).toEqual(childExecArgv(process.execArgv))
    const child = fork(fixture('receiver.mjs'), { execArgv: childExecArgv(), serialization: 'advanced' })
    const answered = once(child, 'message')
    child.send({ ref: { module: 'nowhere/x', export: 'x' }, args: [] })
    const [reply] = await answered
    expect(reply).toMatchObject({ outcome: { error: { name: 'TargetNotFoundError' } } })
    const ended = once(child, 'exit')
    child.disconnect()
    expect(await ended).toEqual([0, null])
  })
})
