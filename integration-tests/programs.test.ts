/** Whole programs, as users write them, right and wrong. */
import { describe, expect, test } from 'vitest'
import { Program } from './support/program.ts'

describe('programs', () => {
  test('in TypeScript, the target in another module', async () => {
    expect(await new Program('typed.ts').ended).toEqual({ code: 0, signal: null, stdout: 'area 12.57\n', stderr: '' })
  })

  test('in JavaScript, without any loader', async () => {
    const { code, stdout, stderr } = await new Program('plain.mjs').ended
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: 'sum 3\nsums 2 4 6\n', stderr: '' })
  })

  test('a main program that computes holds up no other process', async () => {
    const program = new Program('busy-main.ts')
    const [began = 0, computed = 0, ...ended] = (await program.line('times')).split(' ').map(Number)
    expect(computed - began).toBeGreaterThanOrEqual(2_000)
    expect(ended).toHaveLength(2)
    for (const time of ended) expect(time).toBeLessThan(computed)
    expect((await program.ended).code).toBe(0)
  })

  test('what a child throws, and what it rejects unheard, is on stderr with its stack; the exit code is 1', async () => {
    const { code, stdout, stderr } = await new Program('failing-child.ts').ended
    expect(code).toBe(0)
    expect(stdout).toBe('throwsHere 1 threw\nrejectsUnheard 1 threw\n')
    expect(stderr).toMatch(/RangeError: thrown by the target\n\s+at .*throwsHere.*failing-child\.ts:5/)
    expect(stderr).toMatch(/SyntaxError: rejected and unheard\n\s+at .*rejectsUnheard.*failing-child\.ts:9/)
  })

  test('what a child throws, and nobody catches, is shown with its own place, and no line of Skein above it', async () => {
    const { code, stderr } = await new Program('uncaught.mjs').ended
    expect(code).toBe(1)
    expect(stderr).toMatch(/RangeError: thrown by the target\n\s+at fails .*uncaught\.mjs:5/)
    // Node shows the line where the engine says that the error was made.
    expect(stderr).not.toContain('new Error()')
  })

  test('without the isMainProcess guard: one sentence that says what to write, and no flood of processes', async () => {
    const { code, stdout, stderr } = await new Program('no-guard.ts').ended
    expect(code).toBe(1)
    expect(stdout).toBe('')
    expect(stderr).toMatch(/BootstrapError: .*isMainProcess/)
  })
})

describe('a wrong call ends the program with one sentence', () => {
  const cases: readonly (readonly [call: string, error: string, words: RegExp])[] = [
    ['closure', 'ArgumentError', /wrong\.ts:17:\d+.*export/],
    ['not-exported', 'TargetNotFoundError', /notExported.*exports: use\b.*export.*wrong\.ts:10:\d+/],
    ['function-inside', 'EncodeError', /^args\[1\]\.onDone is a function and cannot cross processes/],
    ['option', 'ArgumentError', /unknown option "timout"; did you mean "timeout"\?/],
    ['after-close', 'ClosedError', /closed/],
    ['url', 'ArgumentError', /gopher/],
  ]
  for (const [call, error, words] of cases) {
    test(`${call}: ${error}`, async () => {
      const { code, stderr } = await new Program('wrong.ts', { args: [call] }).ended
      expect(code).toBe(1)
      const sentence = new RegExp(`^${error}(?: \\[ERR_SKEIN_\\w+\\])?: (.*)$`, 'm').exec(stderr)?.[1]
      expect(sentence, stderr).toMatch(words)
    })
  }
})
