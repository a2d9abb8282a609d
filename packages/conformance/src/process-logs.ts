/** `logs()`: what a process has written lately, and what it writes, for any number of readers. */
import type { LogLine, LogsOptions, Process } from '@skein/core'
import { ArgumentError, StateError } from '@skein/core'
import { expect } from 'vitest'
import { failureOf, untyped } from './checking.ts'
import type { Suite } from './harness.ts'
import { nothing } from './targets/basic.ts'
import { print, printAndExit, printForEver, printWhenTold } from './targets/surroundings.ts'

async function linesOf(child: Process<unknown>, options?: LogsOptions): Promise<LogLine[]> {
  const lines: LogLine[] = []
  for await (const line of child.logs(options)) lines.push(line)
  return lines
}

async function textsOf(child: Process<unknown>, options?: LogsOptions): Promise<string[]> {
  return (await linesOf(child, options)).map(({ text }) => text)
}

/** The next `count` lines. */
async function take(lines: AsyncIterator<LogLine>, count: number): Promise<string[]> {
  const texts: string[] = []
  while (texts.length < count) {
    const { done, value } = await lines.next()
    if (done === true) break
    texts.push(value.text)
  }
  return texts
}

export function processLogsSuite(suite: Suite): void {
  suite('process: logs', (check) => {
    const piped = { stdio: 'pipe' } as const

    check(
      'tells both streams by lines, as often as it is asked, and when others have read them',
      async ({ mp, start }) => {
        const child = await start(mp.process(print, ['one\ntwo\r\n\nfour', 'error\n'], piped))
        await child.join()
        const read: string[] = []
        for await (const line of child.stdout) read.push(line)
        for (const _ of [1, 2]) {
          const lines = await linesOf(child, { follow: true })
          const of = (wanted: string): string[] =>
            lines.flatMap(({ stream, text }) => (stream === wanted ? [text] : []))
          expect(of('stdout')).toEqual(['one', 'two', '', 'four'])
          expect(of('stderr')).toEqual(['error'])
          expect(lines.every(({ dropped }) => dropped === 0)).toBe(true)
        }
        expect(read).toEqual(['one', 'two', '', 'four'])
      },
    )

    check(
      'goes on with follow, beside who reads and others who follow, until the process has ended',
      async ({ mp, start }) => {
        const words = mp.queue<string>()
        const child = await start(mp.process(printWhenTold, [words], piped))
        const [one, other] = [1, 2].map(() => child.logs({ follow: true })[Symbol.asyncIterator]()) as [
          AsyncIterator<LogLine>,
          AsyncIterator<LogLine>,
        ]
        const reader = child.stdout[Symbol.asyncIterator]()
        for (const word of ['a', 'b']) {
          await words.put(word)
          expect(await take(one, 1)).toEqual([word])
          expect(await reader.next()).toMatchObject({ value: word })
        }
        expect(await take(other, 2)).toEqual(['a', 'b'])
        await words.putMany(['c', 'end'])
        expect(await take(one, 9)).toEqual(['c'])
        expect(await take(other, 9)).toEqual(['c'])
        await reader.return?.()
      },
    )

    check('without follow it ends with what there is', async ({ mp, start }) => {
      const words = mp.queue<string>()
      const child = await start(mp.process(printWhenTold, [words], piped))
      expect(await textsOf(child)).toEqual([])
      await words.put('here')
      const follower = child.logs({ follow: true })[Symbol.asyncIterator]()
      await take(follower, 1)
      expect(await textsOf(child)).toEqual(['here'])
      await follower.return?.()
      await words.put('end')
      await child.join()
    })

    check('tail is how many lines it begins with', async ({ mp, start }) => {
      const child = await start(mp.process(print, ['1\n2\n3\n4'], piped))
      await child.join()
      expect(await textsOf(child, { tail: 2 })).toEqual(['3', '4'])
      expect(await textsOf(child, { tail: 9, follow: true })).toEqual(['1', '2', '3', '4'])
      expect(await textsOf(child, { tail: 0 })).toEqual([])
    })

    check('the last 64 KiB are kept at least, from the beginning of a line on', async ({ mp, start }) => {
      const child = await start(mp.process(printAndExit, [10_000, 'x'.repeat(99)], piped))
      await child.join()
      const lines = await linesOf(child)
      expect(lines.length).toBeGreaterThan(650)
      expect(lines.length).toBeLessThan(5_000)
      expect(lines.every(({ text, dropped }) => text === 'x'.repeat(99) && dropped === 0)).toBe(true)
    })

    check('who follows too slowly holds up nobody, and is told what it has missed', async ({ mp, start }) => {
      const said = mp.queue<number>()
      const child = await start(mp.process(printForEver, [said], piped))
      const follower = child.logs({ follow: true })[Symbol.asyncIterator]()
      await follower.next()
      // What was written before that is no loss of its own.
      const before = await said.size()
      while ((await said.get()) < before + 4);
      await child.kill()
      let missing = 0
      for (let next = await follower.next(); next.done !== true; next = await follower.next()) {
        missing += next.value.dropped
        // It was killed in the middle of one.
        if (next.value.text !== 'x'.repeat(1023)) expect((await follower.next()).done).toBe(true)
      }
      expect(missing).toBeGreaterThan(1024 * 1024)
    })

    check('a handle that was found follows, too', async ({ mp, start, connect }) => {
      const words = mp.queue<string>()
      const child = await start(mp.process(printWhenTold, [words], piped))
      const found = await (await connect()).find(child.id)
      const lines = textsOf(found, { follow: true })
      await words.putMany(['hello', 'end'])
      expect(await lines).toEqual(['hello'])
    })

    check('an abort ends the loop with its reason', async ({ mp, start }) => {
      const words = mp.queue<string>()
      const child = await start(mp.process(printWhenTold, [words], piped))
      const abort = new AbortController()
      const reason = new Error('seen enough')
      const lines = failureOf(() => linesOf(child, { follow: true, signal: abort.signal }))
      await words.put('something')
      abort.abort(reason)
      expect(await lines).toBe(reason)
      expect(await failureOf(() => linesOf(child, { signal: AbortSignal.abort(reason) }))).toBe(reason)
      await words.put('end')
      await child.join()
    })

    check('what writes past its program, or to nowhere, has none', async ({ mp, start, inherits }) => {
      const ignored = await start(mp.process(print, ['unseen\n'], { stdio: 'ignore' }))
      await ignored.join()
      expect(await failureOf(() => linesOf(ignored))).toBeInstanceOf(StateError)
      const inherited = await start(mp.process(nothing, []))
      await inherited.join()
      // Where it runs in another program, its output comes through this one.
      if (!inherits) expect(await textsOf(inherited)).toEqual([])
      else
        expect(await failureOf(() => linesOf(inherited))).toMatchObject({ message: expect.stringContaining('stdio') })
    })

    check('options that are none are refused at the call', async ({ mp }) => {
      const child = mp.process(nothing, [], piped)
      expect(() => child.logs({ tail: -1 })).toThrow(ArgumentError)
      expect(() => child.logs(untyped({ follow: 'yes' }))).toThrow(/follow must be true or false/)
      expect(() => child.logs(untyped({ folow: true }))).toThrow(/did you mean "follow"/)
      expect(() => child.logs(untyped({ signal: 7 }))).toThrow(/signal must be an AbortSignal/)
    })
  })
}
