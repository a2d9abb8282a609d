/** The leak check finds what it is for: each test leaves something behind on purpose. */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, openSync, closeSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { excess, expectNothingLeaked, footprint } from '../src/leaks.ts'
import { isRunning, until } from '../src/until.ts'

const SOON_MS = 100
const outer = process.env['TMPDIR']
let scratch = ''
const left: (() => unknown)[] = []

beforeEach(() => {
  // Other test files use the common one at the same time.
  scratch = mkdtempSync(join(tmpdir(), 'sk-'))
  process.env['TMPDIR'] = scratch
})

afterEach(async () => {
  for (const takeAway of left.splice(0)) await takeAway()
  if (outer === undefined) delete process.env['TMPDIR']
  else process.env['TMPDIR'] = outer
  rmSync(scratch, { recursive: true, force: true })
})

function sleeper(program = 'setInterval(() => {}, 1e6); console.log(process.pid)'): ChildProcess {
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] })
  left.push(() => child.kill('SIGKILL'))
  return child
}

async function firstLine(child: ChildProcess): Promise<string> {
  const [chunk] = (await once(child.stdout ?? child, 'data')) as [Buffer]
  return chunk.toString().trim()
}

describe('the leak check', () => {
  test('passes when nothing was left behind', async () => {
    const before = await footprint()
    const child = sleeper()
    await firstLine(child)
    child.kill('SIGKILL')
    await expectNothingLeaked(before)
  })

  test('waits for what is given back a little later', async () => {
    const before = await footprint()
    const child = sleeper('setTimeout(() => {}, 200)')
    await expect(expectNothingLeaked(before, undefined, 20)).rejects.toThrow('Leaked: process')
    await expectNothingLeaked(before)
    expect(child.exitCode).toBe(0)
  })

  test('finds a child process', async () => {
    const before = await footprint()
    const child = sleeper()
    await firstLine(child)
    await expect(expectNothingLeaked(before, undefined, SOON_MS)).rejects.toThrow(`process ${child.pid}`)
  })

  test('finds an orphan, whose parent has died', async () => {
    const before = await footprint()
    const script = `
      const { spawn } = require('node:child_process')
      const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e6)'], { detached: true, stdio: 'ignore' })
      child.unref()
      console.log(child.pid)`
    const parent = sleeper(script)
    const orphan = Number(await firstLine(parent))
    left.push(() => process.kill(orphan, 'SIGKILL'))
    await once(parent, 'close')
    await expect(expectNothingLeaked(before, undefined, SOON_MS)).rejects.toThrow(`process ${orphan}`)
  })

  test('finds an open file', async () => {
    const before = await footprint()
    const fd = openSync(join(import.meta.dirname, 'leaks.test.ts'), 'r')
    left.push(() => closeSync(fd))
    await expect(expectNothingLeaked(before, undefined, SOON_MS)).rejects.toThrow(/open file .*leaks\.test\.ts/)
  })

  test('finds an open socket', async () => {
    const before = await footprint()
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    left.push(() => server.close())
    await expect(expectNothingLeaked(before, undefined, SOON_MS)).rejects.toThrow('open file socket')
  })

  test('finds a timer', async () => {
    const before = await footprint()
    const timers = [setInterval(() => {}, 1e6), setInterval(() => {}, 1e6)]
    left.push(() => timers.forEach((timer) => clearInterval(timer)))
    await expect(expectNothingLeaked(before, undefined, SOON_MS)).rejects.toThrow('active resource Timeout')
  })

  test('finds a listener of the process', async () => {
    const before = await footprint()
    const listener = (): void => {}
    process.on('SIGTERM', listener)
    left.push(() => process.off('SIGTERM', listener))
    await expect(expectNothingLeaked(before, undefined, SOON_MS)).rejects.toThrow('listener of process for "SIGTERM"')
  })

  test('finds a temporary file', async () => {
    const before = await footprint()
    writeFileSync(join(tmpdir(), 'forgotten.sock'), '')
    await expect(expectNothingLeaked(before, undefined, SOON_MS)).rejects.toThrow('temporary file forgotten.sock')
  })

  test('finds what the adapter lists', async () => {
    const keys = ['a']
    const list = (): string[] => keys.map((key) => `key ${key}`)
    const before = await footprint(list)
    await expectNothingLeaked(before, list)
    keys.push('b')
    await expect(expectNothingLeaked(before, list, SOON_MS)).rejects.toThrow('Leaked: key b')
  })

  test('counts what is there more often than before', () => {
    expect(excess(['a', 'a', 'b'], ['a', 'a', 'a', 'c'])).toEqual(['a', 'c'])
    expect(excess(['a', 'b'], [])).toEqual([])
  })
})

describe('isRunning', () => {
  test('says no of a process that is dead but not yet collected', async () => {
    const child = sleeper()
    const pid = Number(await firstLine(child))
    expect(isRunning(pid)).toBe(true)
    child.kill('SIGKILL')
    // Node collects its children from the event loop, which gets no turn here.
    while (isRunning(pid));
    expect(process.kill(pid, 0)).toBe(true)
    await once(child, 'close')
    expect(isRunning(pid)).toBe(false)
  })
})

describe('until', () => {
  test('gives up with a sentence', async () => {
    await expect(until('the sky falls', () => false, 20)).rejects.toThrow('after 20 ms still not: the sky falls')
  })
})
