/** However the main program ends, none of its processes is left, and its exit code says how it ended. */
import process from 'node:process'
import { isRunning, until } from '@skein/conformance'
import { connect } from '@skein/core'
import { describe, expect, onTestFinished, test } from 'vitest'
import { Program } from './support/program.ts'
import { redisForTest } from './support/redis.ts'

/** No orphan may live longer than this after its main program, busy or not. */
const ORPHAN_MS = 1_000

async function expectGone(family: readonly number[]): Promise<void> {
  await until(`none of ${family.join(' ')} runs`, () => !family.some(isRunning), ORPHAN_MS)
}

/**
 * What runs for the program beside its children, that many at least. A new helper is told what to do right after its start, of which there is
 * no sign, and others come and go: these were there for ten looks.
 */
async function helpersOf(program: Program, children: readonly number[], count: number): Promise<number[]> {
  let helpers: number[] = []
  let looks = 0
  await until('the helpers are there', async () => {
    const now = (await program.family('ready')).filter((pid) => isRunning(pid) && !children.includes(pid))
    looks = now.length >= count && String(now) === String(helpers) ? looks + 1 : 0
    helpers = now
    return looks >= 10
  })
  return helpers
}

describe('when the main program ends, all its processes do', () => {
  for (const end of ['wait', 'spin']) {
    test(`killed by SIGKILL (main: ${end}), with children that idle, compute, ignore signals and have children`, async () => {
      const program = new Program('family.ts', { args: [end] })
      const family = await program.family('ready')
      expect(family.length).toBeGreaterThanOrEqual(6)
      expect(family.every(isRunning)).toBe(true)
      program.kill('SIGKILL')
      await expectGone(family)
      expect(await program.ended).toMatchObject({ signal: 'SIGKILL' })
    })
  }

  test('killed by SIGKILL with its whole group', async () => {
    const program = new Program('family.ts', { args: ['wait', 'all'] })
    const family = await program.family('ready')
    program.killGroup('SIGKILL')
    await expectGone(family)
    expect(await program.ended).toMatchObject({ signal: 'SIGKILL' })
  })

  test('killed by SIGKILL, whatever else of it was killed before', async () => {
    const program = new Program('family.ts', { args: ['wait', 'plain'] })
    const said = (await program.line('ready')).split(' ').map(Number)
    const helpers = await helpersOf(program, said, 1)
    for (const helper of helpers) process.kill(helper, 'SIGKILL')
    await helpersOf(program, said, helpers.length)
    const family = await program.family('ready')
    program.kill('SIGKILL')
    await expectGone(family)
    expect(await program.ended).toMatchObject({ signal: 'SIGKILL' })
  })

  test('process.exit(3): the exit code is 3', async () => {
    const program = new Program('family.ts', { args: ['exit', 'plain'] })
    const family = await program.family('ready')
    expect(await program.ended).toMatchObject({ code: 3, signal: null })
    await expectGone(family)
  })

  for (const [end, message] of [
    ['throw', 'the main program threw'],
    ['reject', 'the main program rejected'],
  ] as const) {
    test(`an error that nobody catches (${end}): the exit code is 1, the stack is on stderr`, async () => {
      const program = new Program('family.ts', { args: [end, 'plain'] })
      const family = await program.family('ready')
      const { code, stderr } = await program.ended
      expect(code).toBe(1)
      expect(stderr).toContain(message)
      expect(stderr).toMatch(/family\.ts:\d+/)
      await expectGone(family)
    })
  }

  test('Ctrl-C, which the terminal sends to all: the exit code is 130 (pyshgp#53)', async () => {
    const program = new Program('family.ts', { args: ['wait', 'idle'] })
    const family = await program.family('ready')
    const asked = performance.now()
    program.killGroup('SIGINT')
    expect(await program.ended).toMatchObject({ code: 130, signal: null, stderr: '' })
    expect(performance.now() - asked).toBeLessThan(3_000)
    await expectGone(family)
  })

  test('SIGTERM to the main program only: the exit code is 143 (cpython#80180)', async () => {
    const program = new Program('family.ts', { args: ['wait', 'idle'] })
    const family = await program.family('ready')
    program.kill('SIGTERM')
    expect(await program.ended).toMatchObject({ code: 143, signal: null, stderr: '' })
    await expectGone(family)
  })

  test('Ctrl-C with children that do not end by themselves: they are killed after the grace', async () => {
    const program = new Program('family.ts', { args: ['wait', 'all'] })
    const family = await program.family('ready')
    program.killGroup('SIGINT')
    expect(await program.ended).toMatchObject({ code: 130, signal: null })
    await expectGone(family)
  })

  for (const kind of ['plain', 'all']) {
    test(`Ctrl-C while the main program computes, with children that are ${kind}: a shell sees exit code 130`, async () => {
      const program = new Program('family.ts', { args: ['spin', kind] })
      const family = await program.family('ready')
      program.killGroup('SIGINT')
      expect(await program.ended).toMatchObject({ code: null, signal: 'SIGINT', stderr: '' })
      await expectGone(family)
    })
  }

  test('Ctrl-C while the main program waits in the operating system', async () => {
    const program = new Program('family.ts', { args: ['block', 'idle'] })
    const family = await program.family('ready')
    program.killGroup('SIGINT')
    expect(await program.ended).toMatchObject({ code: null, signal: 'SIGINT', stderr: '' })
    await expectGone(family)
  })

  test('Ctrl-C while the main program computes, again: nobody gets the grace', async () => {
    const program = new Program('family.ts', { args: ['spin', 'ignore'] })
    const family = await program.family('ready')
    program.killGroup('SIGINT')
    await program.line('asked to end')
    const again = performance.now()
    program.killGroup('SIGINT')
    expect(await program.ended).toMatchObject({ signal: 'SIGINT' })
    expect(performance.now() - again).toBeLessThan(3_000)
    await expectGone(family)
  })

  test('Ctrl-C while the main program computes, which listens to it itself: it has the say', async () => {
    const program = new Program('family.ts', { args: ['listen', 'idle'] })
    await program.line('ready')
    program.killGroup('SIGINT')
    // It computes for longer than others are given to hear.
    expect(await program.line('heard')).toBe('with its child')
    expect(await program.ended).toMatchObject({ code: 0, signal: null, stderr: '' })
  })

  test('Ctrl-C where nothing was started ends the program at once, in the middle of a loop too', async () => {
    const program = new Program('alone.ts')
    await program.line('ready')
    program.killGroup('SIGINT')
    expect(await program.ended).toMatchObject({ code: null, signal: 'SIGINT', stderr: '' })
  })

  test('Ctrl-C on Redis while the main program computes: what it held goes to the next, long before its session would end', async () => {
    const redis = await redisForTest({ own: true })
    const program = new Program('alone.ts', { env: { SKEIN_URL: redis.url } })
    await program.line('ready')
    const mp = await connect(redis.url, { namespace: 'alone', sessionTtl: 30_000 })
    onTestFinished(() => mp.close())
    const lock = mp.lock('a')
    expect(await lock.tryAcquire()).toBeNull()
    program.killGroup('SIGINT')
    await (await lock.acquire({ timeout: 15_000 })).release()
    expect(await program.ended).toMatchObject({ code: null, signal: 'SIGINT', stderr: '' })
  })

  test('a second Ctrl-C does not wait for the grace', async () => {
    const program = new Program('family.ts', { args: ['wait', 'ignore'] })
    const family = await program.family('ready')
    program.killGroup('SIGINT')
    await program.line('asked to end')
    const again = performance.now()
    program.killGroup('SIGINT')
    expect(await program.ended).toMatchObject({ code: 130, signal: null })
    expect(performance.now() - again).toBeLessThan(2_000)
    await expectGone(family)
  })
})

describe('when the main module ends', () => {
  test('processes are waited for, daemons are ended', async () => {
    const program = new Program('fall-off.ts')
    const daemon = Number(await program.line('daemon'))
    const { code, stdout, stderr } = await program.ended
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout.split('\n').slice(1)).toEqual(['main: over', 'worker: done', ''])
    expect(isRunning(daemon)).toBe(false)
  })
})

describe('what is detached outlives the main program', () => {
  for (const [how, end, ended] of [
    ['closes its context', 'close', { code: 0, signal: null }],
    ['falls off its end', 'fall', { code: 0, signal: null }],
    ['calls process.exit(3)', 'exit', { code: 3, signal: null }],
    ['is killed by SIGKILL', 'wait', { code: null, signal: 'SIGKILL' }],
    ['is ended by Ctrl-C', 'wait', { code: 130, signal: null }],
  ] as const) {
    test(`that ${how}; then it has a context of its own`, async () => {
      const program = new Program('detached.ts', { args: [end] })
      const [survivor = 0, other = 0] = (await program.line('ready')).split(' ').map(Number)
      if (how.includes('SIGKILL')) program.kill('SIGKILL')
      if (how.includes('Ctrl-C')) program.killGroup('SIGINT')
      // Its output is open as long as the survivor has it.
      expect(await program.line('lost')).toBe('lost true true true')
      expect(await program.line('own')).toBe('true true false')
      expect(await program.line('result')).toBe('42 true')
      expect(await program.ended).toMatchObject({ ...ended, stderr: '' })
      await until('both are gone', () => ![survivor, other].some(isRunning))
    })
  }
})
