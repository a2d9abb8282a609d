/** A process: what it runs, what is known of it while it runs, what it returns. How it ends is in process-end.ts. */
import process from 'node:process'
import type { Queue } from '@skein/core'
import { currentProcess, isMainProcess, StateError, TimeoutError } from '@skein/core'
import { expect } from 'vitest'
import type { Suite } from './harness.ts'
import { add, echo, failLater, hear, nothing, pid, self } from './targets/basic.ts'
import { meet, putAndEnd, repeat, selfOfChild, sendAndEnd } from './targets/process.ts'
import { neverRuns } from './targets/unloadable.ts'

const TEN_MB = 10_000_000

export function processSuite(suite: Suite): void {
  suite('process', (check) => {
    check('runs the target with its arguments and returns its result', async ({ mp, start }) => {
      const child = await start(mp.process(add, [1, 2]))
      expect(await child.result()).toBe(3)
      expect(await child.join()).toMatchObject({ exitCode: 0, signal: null, reason: 'returned' })
    })

    check('is a process of its own of the operating system', async ({ mp, start }) => {
      const child = await start(mp.process(pid))
      expect(child.pid).not.toBe(process.pid)
      expect(await child.result()).toBe(child.pid)
    })

    check('does nothing before it is started', async ({ mp }) => {
      const child = mp.process(nothing)
      expect(child).toMatchObject({ pid: null, exitCode: null })
      expect(await child.isAlive()).toBe(false)
      expect(await child.status()).toMatchObject({ state: 'created', pid: null, exit: null })
    })

    check('is alive from its start to its end', async ({ mp, start }) => {
      const said = mp.queue<number>()
      const words = mp.queue<string>()
      const child = await start(mp.process(hear<string>, [said, words]))
      expect(await said.get()).toBe(child.pid)
      expect(await child.isAlive()).toBe(true)
      expect(await child.status()).toMatchObject({ id: child.id, state: 'running', pid: child.pid, exit: null })
      expect(child.exitCode).toBeNull()
      await words.put('end')
      await child.join()
      expect(await child.isAlive()).toBe(false)
      expect(child.exitCode).toBe(0)
      expect(await child.status()).toMatchObject({ state: 'ended', exit: { exitCode: 0, reason: 'returned' } })
    })

    check('knows itself, its name and its parent', async ({ mp, start }) => {
      const child = await start(mp.process(self, [], { name: 'worker-bee' }))
      const parent = currentProcess()
      expect(await child.result()).toEqual({
        main: false,
        id: child.id,
        name: 'worker-bee',
        pid: child.pid,
        daemon: false,
        parent: { id: parent.id, name: parent.name, pid: process.pid },
      })
    })

    check('the main program is the main process and has no parent', () => {
      expect(isMainProcess).toBe(true)
      expect(currentProcess()).toMatchObject({ pid: process.pid, parent: null, daemon: false })
    })

    check('is named Process-N unless named', async ({ mp }) => {
      const names = await Promise.all([mp.process(nothing), mp.process(nothing)].map((child) => child.status()))
      for (const { name } of names) expect(name).toMatch(/^Process-\d+$/)
      expect(new Set(names.map(({ name }) => name)).size).toBe(2)
    })

    check('is a daemon if its creator is one, unless said otherwise', async ({ mp, start }) => {
      const child = await start(mp.process(selfOfChild, [], { daemon: true }))
      expect(child.daemon).toBe(true)
      expect(await child.result()).toMatchObject({ daemon: true })
      expect(mp.process(nothing).daemon).toBe(false)
    })

    check('may start processes itself, whose parent it is', async ({ mp, start }) => {
      const child = await start(mp.process(selfOfChild))
      expect(await child.result()).toMatchObject({ main: false, parent: { id: child.id, pid: child.pid } })
    })

    check('two processes run at the same time', async ({ mp, start }) => {
      const [left, right] = [mp.queue<string>(), mp.queue<string>()]
      const both = [await start(mp.process(meet, [left, right])), await start(mp.process(meet, [right, left]))]
      expect(await Promise.all(both.map((child) => child.result()))).toEqual(['here', 'here'])
    })

    check('start() is once only', async ({ mp, start }) => {
      const child = await start(mp.process(nothing))
      await expect(child.start()).rejects.toBeInstanceOf(StateError)
      await child.join()
      await expect(child.start()).rejects.toBeInstanceOf(StateError)
    })

    check('join() and result() before start() are refused', async ({ mp }) => {
      const child = mp.process(nothing)
      await expect(child.join()).rejects.toBeInstanceOf(StateError)
      await expect(child.result()).rejects.toBeInstanceOf(StateError)
    })

    check('start() with an aborted signal starts nothing', async ({ mp }) => {
      const child = mp.process(nothing)
      const reason = new Error('changed my mind')
      await expect(child.start({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
      expect(await child.status()).toMatchObject({ state: 'created', pid: null })
    })

    check('start() rejects with what the module of the target threw', async ({ mp }) => {
      const child = mp.process(neverRuns)
      const error = await child.start().catch((reason: unknown) => reason)
      expect(error).toBeInstanceOf(Error)
      expect(String(error) + String((error as Error).cause)).toContain('this module loads in the main program only')
      expect(await child.isAlive()).toBe(false)
    })

    check('join() that runs out leaves the process running, and may be repeated', async ({ mp, start }) => {
      const words = mp.queue<string>()
      const child = await start(mp.process(hear<string>, [mp.queue<number>(), words]))
      const asked = performance.now()
      await expect(child.join({ timeout: 50 })).rejects.toBeInstanceOf(TimeoutError)
      expect(performance.now() - asked).toBeGreaterThanOrEqual(49)
      await expect(child.join({ timeout: 0 })).rejects.toBeInstanceOf(TimeoutError)
      await expect(child.join({ timeout: -1 })).rejects.toBeInstanceOf(TimeoutError)
      expect(await child.isAlive()).toBe(true)
      await words.put('end')
      const status = await child.join()
      expect(await child.join()).toEqual(status)
      expect(await child.join({ timeout: 0 })).toEqual(status)
    })

    check('join() and result() can be aborted', async ({ mp, start }) => {
      const words = mp.queue<string>()
      const child = await start(mp.process(hear<string>, [mp.queue<number>(), words]))
      const abort = new AbortController()
      const waits = [child.join({ signal: abort.signal }), child.result({ signal: abort.signal })]
      const settled = Promise.allSettled(waits)
      abort.abort(new Error('enough'))
      expect(await settled).toEqual(waits.map(() => ({ status: 'rejected', reason: abort.signal.reason })))
      await words.put('heard')
      expect(await child.result()).toBe('heard')
    })

    check('result() may be asked for again, by several at once', async ({ mp, start }) => {
      const child = await start(mp.process(add, [1, 2]))
      expect(await Promise.all([child.result(), child.result()])).toEqual([3, 3])
      expect(await child.result()).toBe(3)
    })

    check('result() rejects with the error of the target: class, message, properties', async ({ mp, start }) => {
      const child = await start(mp.process(failLater, ['no luck']))
      const error = await child.result().catch((reason: unknown) => reason)
      expect(error).toBeInstanceOf(TypeError)
      expect(error).toMatchObject({ message: 'no luck', code: 'E_LATER', detail: { at: 7 } })
      expect((error as Error).stack).toContain('failLater')
    })

    check('arguments are those of the call, whatever becomes of them later', async ({ mp, start }) => {
      const list = [1, 2]
      const child = mp.process(echo<number[]>, [list])
      list.push(3)
      await start(child)
      expect(await child.result()).toEqual([1, 2])
    })

    check('10 MB go in and come out', async ({ mp, start }) => {
      const bytes = new Uint8Array(TEN_MB).map((_, index) => index % 251)
      const there = await start(mp.process(echo<Uint8Array>, [bytes]))
      expect(Buffer.compare(await there.result(), bytes)).toBe(0)
      const back = await start(mp.process(repeat, [9, TEN_MB]))
      expect(Buffer.compare(await back.result(), Buffer.alloc(TEN_MB, 9))).toBe(0)
    })

    check(
      'ends although nobody has taken the 10 MB that it put into a queue (cpython#73983)',
      async ({ mp, start }) => {
        const queue: Queue<Uint8Array> = mp.queue()
        const child = await start(mp.process(putAndEnd, [queue, TEN_MB]))
        expect(await child.join()).toMatchObject({ exitCode: 0 })
        expect(Buffer.compare(await queue.get(), Buffer.alloc(TEN_MB, 7))).toBe(0)
      },
    )

    check('what it sent through a pipe before it ended is received', async ({ mp, start }) => {
      const [here, there] = mp.pipe<Uint8Array>()
      const child = await start(mp.process(sendAndEnd, [there, TEN_MB]))
      expect(Buffer.compare(await here.recvBytes(), Buffer.alloc(TEN_MB, 7))).toBe(0)
      expect(await child.join()).toMatchObject({ exitCode: 0 })
    })
  })
}
