/** Children write to a pipe where the system has named ones, else to their socket: nothing but the speed may differ. */
import { mkdtempSync, readdirSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type Context } from '@skein/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { putAll, startSleeper, writesToPipe } from './targets/pipe-wire.mjs'

const SIZES = Array.from({ length: 400 }, (_, n) => (n % 50 === 49 ? 300_000 : n % 7 === 6 ? 5_000 : n % 40))

/** A context that another environment than this one was in force for when it began. */
async function connectWith(name: string, value: string, namespace: string): Promise<Context> {
  const before = process.env[name]
  process.env[name] = value
  try {
    return await connect('local:', { namespace })
  } finally {
    if (before === undefined) delete process.env[name]
    else process.env[name] = before
  }
}

for (const [how, pipes] of [
  ['with pipes', process.platform !== 'win32'],
  ['without mkfifo', false],
] as const) {
  describe(`the wire of a child ${how}`, () => {
    const temporary = mkdtempSync(join(tmpdir(), 'pipe-wire-'))
    let mp: Context

    beforeAll(async () => {
      mp = pipes
        ? await connectWith('TMPDIR', temporary, 'with-pipes')
        : await connectWith('PATH', temporary, 'without-pipes')
      // A stock of pipes takes a moment to be there.
      while (pipes && !(await (await mp.process(writesToPipe, []).start()).result()));
    })
    afterAll(async () => {
      await mp.close()
      // Fails unless the directory is empty.
      rmdirSync(temporary)
    })

    it(`is ${pipes ? 'a pipe' : 'the socket'}`, async () => {
      const child = await mp.process(writesToPipe, []).start()
      expect(await child.result()).toBe(pipes)
    })

    it('brings items of all sizes in order and whole, though the child ends at once', async () => {
      const queue = mp.queue<Uint8Array>()
      const child = await mp.process(putAll, [queue, SIZES]).start()
      expect(await child.result()).toBe(pipes)
      for (const [n, size] of SIZES.entries()) {
        const item = await queue.get()
        expect([n, item.length, item.every((byte) => byte === (n & 255))]).toEqual([n, size, true])
      }
    })

    it('ends with the child, though a process that the child has started lives on', async () => {
      const said = mp.queue<number>()
      const child = await mp.process(startSleeper, [said]).start()
      const sleeper = await said.get()
      try {
        const started = performance.now()
        await child.kill()
        // An inherited descriptor would keep the link open, which ends a second after its child at the latest.
        expect(performance.now() - started).toBeLessThan(900)
        expect(process.kill(sleeper, 0)).toBe(true)
      } finally {
        process.kill(sleeper, 'SIGKILL')
      }
    })

    it('leaves no file behind while it is in use', async () => {
      const child = await mp.process(startSleeper, [mp.queue<number>()]).start()
      await expect.poll(() => readdirSync(temporary)).toEqual([])
      await child.kill()
    })
  })
}
