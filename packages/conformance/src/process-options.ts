/** What a process takes over from its creator, what its creator may ask for instead, and what becomes of what it writes. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import process from 'node:process'
import type { Process } from '@skein/core'
import { SpawnError, StateError } from '@skein/core'
import { expect } from 'vitest'
import type { Suite } from './harness.ts'
import { idle, nothing } from './targets/basic.ts'
import {
  directory,
  environment,
  hearAbort,
  print,
  printAndExit,
  printAndLeave,
  printBytes,
  printForEver,
  printFromBelow,
  printRaw,
  printWhenTold,
} from './targets/surroundings.ts'

const MB = 1024 * 1024

async function collect(lines: AsyncIterable<string>): Promise<string[]> {
  const all: string[] = []
  for await (const line of lines) all.push(line)
  return all
}

export function processOptionsSuite(suite: Suite): void {
  suite('process: surroundings', (check) => {
    check('inherits the environment as it is at the start', async ({ mp, start, inherits }) => {
      const child = mp.process(environment, ['SKEIN_CHECK_LATE'])
      process.env['SKEIN_CHECK_LATE'] = 'set before start()'
      try {
        await start(child)
      } finally {
        delete process.env['SKEIN_CHECK_LATE']
      }
      expect(await child.result()).toEqual([inherits ? 'set before start()' : undefined])
    })

    check('env is set over what is inherited, and undefined removes', async ({ mp, start }) => {
      process.env['SKEIN_CHECK_GONE'] = 'here'
      try {
        const env: Record<string, string | undefined> = { SKEIN_CHECK_NEW: 'new = "1"\n', SKEIN_CHECK_GONE: undefined }
        const child = mp.process(environment, ['SKEIN_CHECK_NEW', 'SKEIN_CHECK_GONE', 'PATH'], { env })
        env['SKEIN_CHECK_NEW'] = 'changed after the call'
        await start(child)
        expect(await child.result()).toEqual(['new = "1"\n', undefined, process.env['PATH']])
      } finally {
        delete process.env['SKEIN_CHECK_GONE']
      }
    })

    check('cwd is the directory, a relative one from that of the creator', async ({ mp, start, inherits }) => {
      const home = realpathSync(mkdtempSync(join(tmpdir(), 'cwd-')))
      try {
        mkdirSync(join(home, 'below'))
        const absolute = await start(mp.process(directory, [], { cwd: home }))
        expect(await absolute.result()).toBe(home)
        if (!inherits) return
        const up = process.cwd()
        process.chdir(dirname(home))
        const relative = mp.process(directory, [], { cwd: `${basename(home)}/below` })
        await start(relative).finally(() => process.chdir(up))
        expect(await relative.result()).toBe(join(home, 'below'))
      } finally {
        rmSync(home, { recursive: true })
      }
    })

    check('a cwd that is not there, or is a file, is told by start()', async ({ mp }) => {
      for (const cwd of ['/no/such/directory', process.execPath]) {
        const child = mp.process(directory, [], { cwd })
        const error = await child.start().catch((reason: unknown) => reason)
        expect(error).toBeInstanceOf(SpawnError)
        expect((error as Error).message).toContain(cwd)
        expect(await child.join()).toMatchObject({ reason: 'spawn-failed' })
      }
    })

    check('an abort of signal ends it as terminate() does', async ({ mp, start }) => {
      const abort = new AbortController()
      const said = mp.queue<string>()
      const child = await start(mp.process(hearAbort, [said], { signal: abort.signal }))
      await said.get()
      abort.abort()
      expect(await child.join()).toMatchObject({ exitCode: -15, signal: 'SIGTERM', reason: 'signaled' })
      expect(await child.result()).toContain('asked to end')
    })

    check('with a signal that was aborted before, start() rejects with its reason', async ({ mp }) => {
      const reason = new Error('not any more')
      const child = mp.process(nothing, [], { signal: AbortSignal.abort(reason) })
      await expect(child.start()).rejects.toBe(reason)
      expect(await child.status()).toMatchObject({ state: 'created', pid: null })
    })

    check('an abort while it starts is why start() rejects', async ({ mp }) => {
      const abort = new AbortController()
      const reason = new Error('changed my mind')
      const child = mp.process(nothing, [], { signal: abort.signal })
      const started = child.start()
      abort.abort(reason)
      await expect(started).rejects.toBe(reason)
      expect(await child.join()).toMatchObject({ reason: 'signaled' })
    })

    check('a signal that is never aborted keeps nothing of a process that has ended', async ({ mp, start }) => {
      const abort = new AbortController()
      const child = await start(mp.process(nothing, [], { signal: abort.signal }))
      await child.join()
      abort.abort()
      expect(await child.join()).toMatchObject({ exitCode: 0, reason: 'returned' })
    })
  })

  suite('process: output', (check) => {
    const piped = { stdio: 'pipe' } as const

    check('is read by lines, standard output and error apart', async ({ mp, start }) => {
      const child = await start(mp.process(print, ['one\ntwo\r\n\nfour', 'error\n'], piped))
      expect(await collect(child.stdout)).toEqual(['one', 'two', '', 'four'])
      expect(await collect(child.stderr)).toEqual(['error'])
      expect(await child.join()).toMatchObject({ reason: 'returned' })
      expect(await collect(child.stdout)).toEqual([])
    })

    check('may be read from before the start on, and is there after the end', async ({ mp, start }) => {
      const early = mp.process(print, ['early\n'], piped)
      const lines = collect(early.stdout)
      await start(early)
      expect(await lines).toEqual(['early'])
      const late = await start(mp.process(print, ['late\n'], piped))
      await late.join()
      expect(await collect(late.stdout)).toEqual(['late'])
    })

    check('comes as it is written, not only at the end', async ({ mp, start }) => {
      const told = mp.queue<string>()
      const child = await start(mp.process(printWhenTold, [told], piped))
      const lines = child.stdout[Symbol.asyncIterator]()
      for (const line of ['first', 'second']) {
        await told.put(line)
        expect(await lines.next()).toEqual({ done: false, value: line })
      }
      await told.put('end')
      expect(await lines.next()).toEqual({ done: true, value: undefined })
    })

    check('is whole characters, however the bytes come', async ({ mp, start }) => {
      const text = 'Grüße, 世界 🧵\n'
      const child = await start(mp.process(printBytes, [text.repeat(3)], piped))
      expect(await collect(child.stdout)).toEqual([text, text, text].map((line) => line.trimEnd()))
      const odd = await start(mp.process(printRaw, [Uint8Array.of(0x61, 0xff, 0x62, 0x0a, 0xe4)], piped))
      expect(await collect(odd.stdout)).toEqual(['a\uFFFDb', '\uFFFD'])
    })

    check('a very long line comes in pieces of whole characters', async ({ mp, start }) => {
      const line = '🧵'.repeat(100_000)
      const child = await start(mp.process(print, [`${line}\nshort\n`], piped))
      const lines = await collect(child.stdout)
      expect(lines.at(-1)).toBe('short')
      expect(lines.length).toBeGreaterThan(2)
      expect(lines.slice(0, -1).join('') === line).toBe(true)
    })

    check('all of it is there, also what process.exit() came right after (cpython#143900)', async ({ mp, start }) => {
      const child = mp.process(printAndExit, [40_000, 'y'.repeat(99)], piped)
      const lines = collect(child.stdout)
      await start(child)
      expect(await child.join()).toMatchObject({ exitCode: 0, reason: 'exited' })
      const all = await lines
      expect(all.length).toBe(40_000)
      expect(all.every((line) => line === 'y'.repeat(99))).toBe(true)
    })

    check('a reader that does not keep up stops the writer, and misses nothing', async ({ mp, start }) => {
      const said = mp.queue<number>()
      const child = mp.process(printForEver, [said], piped)
      const lines = child.stdout[Symbol.asyncIterator]()
      const first = lines.next()
      await start(child)
      expect((await first).value).toBe('x'.repeat(1023))
      // It wrote on while the reader did nothing, as far as there is room, and then no further.
      let megabytes = 0
      for (let next = await said.get({ timeout: 500 }).catch(() => 0); next > 0;) {
        megabytes = next
        next = await said.get({ timeout: 500 }).catch(() => 0)
      }
      expect(megabytes).toBeLessThan(4)
      for (let read = 1; read < 8 * 1024; read += 1) {
        const { value } = await lines.next()
        if (value !== 'x'.repeat(1023)) throw new Error(`line ${read} is ${String(value).slice(0, 100)}`)
      }
      await lines.return?.()
      await child.kill()
    })

    check('nobody who reads: the process goes on, and the last of it is kept', async ({ mp, start }) => {
      const said = mp.queue<number>()
      const child = await start(mp.process(printForEver, [said], piped))
      while ((await said.get()) < 8);
      await child.kill()
      const [note, ...lines] = await collect(child.stdout)
      const dropped = Number(/^\[skein: (\d+) bytes before this line were dropped/.exec(note ?? '')?.[1])
      expect(dropped).toBeGreaterThan(6 * MB)
      expect(lines.length).toBeGreaterThan(1_000)
      expect(lines.slice(0, -1).every((line) => line === 'x'.repeat(1023))).toBe(true)
    })

    check('a reader that leaves the loop holds up nobody', async ({ mp, start }) => {
      const said = mp.queue<number>()
      const child = await start(mp.process(printForEver, [said], piped))
      for await (const line of child.stdout) {
        expect(line.startsWith('[skein') || line === 'x'.repeat(1023)).toBe(true)
        break
      }
      while ((await said.get()) < 8);
      await child.kill()
    })

    check('each line goes to one of two readers', async ({ mp, start }) => {
      const child = mp.process(printAndExit, [1_000, 'z'.repeat(500)], piped)
      const both = Promise.all([collect(child.stdout), collect(child.stdout)])
      await start(child)
      const lines = (await both).flat()
      expect(lines.length).toBe(1_000)
      expect(lines.every((line) => line === 'z'.repeat(500))).toBe(true)
    })

    check('a handle elsewhere reads it, too', async ({ mp, start, connect }) => {
      const handles = mp.queue<Process<void>>()
      const child = await start(mp.process(print, ['to whoever asks\n'], piped))
      await handles.put(child)
      const other = await handles.get()
      expect(await collect(other.stdout)).toEqual(['to whoever asks'])
      await (await connect()).close()
    })

    check('what processes write that it starts is its own, unless said otherwise', async ({ mp, start }) => {
      const child = await start(mp.process(printFromBelow, ['from below\n'], piped))
      expect(await collect(child.stdout)).toEqual(['from below'])
    })

    check('one that nobody can write to any more ends, whoever has inherited it', async ({ mp, start }) => {
      const child = await start(mp.process(printAndLeave, ['left\n'], piped))
      expect(await child.join({ timeout: 10_000 })).toMatchObject({ reason: 'returned' })
      expect(await collect(child.stdout)).toEqual(['left'])
      process.kill(await child.result(), 'SIGKILL')
    })

    for (const stdio of ['inherit', 'ignore'] as const) {
      check(`with stdio ${stdio} there is nothing to read`, async ({ mp, start }) => {
        const child = await start(mp.process(nothing, [], { stdio }))
        const error = await collect(child.stderr).catch((reason: unknown) => reason)
        expect(error).toBeInstanceOf(StateError)
        expect((error as Error).message).toMatch(/stderr.*stdio: 'pipe'/)
      })
    }

    check('with stdio ignore it writes as it likes', async ({ mp, start }) => {
      const child = await start(mp.process(printAndExit, [10_000, 'unseen'], { stdio: 'ignore' }))
      expect(await child.join()).toMatchObject({ exitCode: 0 })
    })

    check('a wait for a line ends when the process is killed', async ({ mp, start }) => {
      const said = mp.queue<number>()
      const child = await start(mp.process(idle, [said], piped))
      const lines = collect(child.stdout)
      await said.get()
      await child.kill()
      expect(await lines).toEqual([])
    })
  })
}
