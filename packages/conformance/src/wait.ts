/** `wait()`: of several processes and connections, all that are ready. */
import process from 'node:process'
import { ArgumentError, ScopeError, StateError, TimeoutError } from '@skein/core'
import type { Waitable } from '@skein/core'
import { expect } from 'vitest'
import { failureOf, untyped } from './checking.ts'
import type { Suite } from './harness.ts'
import { add, hear, idle, nothing } from './targets/basic.ts'
import { recvOne, sendAndIdle } from './targets/pipe.ts'

export function waitSuite(suite: Suite): void {
  suite('wait', (check) => {
    check('gives the processes that have ended and the connections that have something, in their order', async (t) => {
      const { mp, start } = t
      const [said, words] = [mp.queue<number>(), mp.queue<string>()]
      const running = await start(mp.process(hear<string>, [said, words]))
      const ended = await start(mp.process(add, [1, 2]))
      await ended.join()
      const [[here, there], [quiet]] = [mp.pipe<string>(), mp.pipe<string>()]
      await there.send('hello')
      const all: Waitable[] = [running, here, quiet, ended]
      expect(await mp.wait(all)).toEqual([here, ended])
      // Nothing was taken.
      expect(await mp.wait(all, { timeout: 0 })).toEqual([here, ended])
      expect(await here.recv()).toBe('hello')
      expect(await mp.wait([running, here, quiet, ended])).toEqual([ended])
      await words.put('go on')
      await running.join()
    })

    check('waits until one is ready, and leaves the others as they are', async ({ mp, start }) => {
      const [said, words] = [mp.queue<number>(), mp.queue<string>()]
      const child = await start(mp.process(hear<string>, [said, words]))
      const [here, there] = mp.pipe<string>()
      const reader = await start(mp.process(recvOne<string>, [there]))
      let ready: Waitable[] | null = null
      const waiting = mp.wait([child, here]).then((found) => (ready = found))
      await said.get()
      expect(ready).toBeNull()
      await words.put('go on')
      expect(await waiting).toEqual([child])
      await here.send('for the child')
      expect(await reader.result()).toBe('for the child')
    })

    check('a message from another process, and its death, wake who waits', async ({ mp, start }) => {
      const said = mp.queue<number>()
      const [here, there] = mp.pipe<string>()
      const child = await start(mp.process(sendAndIdle<string>, [there, ['one'], said]))
      expect(await mp.wait([child, here])).toEqual([here])
      expect(await here.recv()).toBe('one')
      const waiting = mp.wait([child])
      process.kill(await said.get(), 'SIGKILL')
      expect(await waiting).toEqual([child])
      // Its end of the pipe is gone with it.
      expect(await mp.wait([here])).toEqual([here])
    })

    check('runs out of time, is aborted, and leaves nothing behind', async ({ mp, start }) => {
      const said = mp.queue<number>()
      const child = await start(mp.process(idle, [said], { daemon: true }))
      const [here, there] = mp.pipe<string>()
      for (const timeout of [0, -1, 30]) {
        const error = await failureOf(() => mp.wait([child, here], { timeout }))
        expect(error).toBeInstanceOf(TimeoutError)
      }
      const reason = new Error('changed my mind')
      const controller = new AbortController()
      const waiting = failureOf(() => mp.wait([child, here], { signal: controller.signal }))
      await there.poll()
      controller.abort(reason)
      expect(await waiting).toBe(reason)
      expect(await failureOf(() => mp.wait([child], { signal: AbortSignal.abort(reason) }))).toBe(reason)
      await there.send('still there')
      expect(await here.recv()).toBe('still there')
    })

    check('of nothing there is nothing, and what cannot be waited for is refused', async (tools) => {
      const { mp, unique } = tools
      expect(await mp.wait([])).toEqual([])
      expect(await failureOf(() => mp.wait(untyped(mp.lock())))).toBeInstanceOf(ArgumentError)
      const error = await failureOf(() => mp.wait([mp.pipe()[0], untyped(mp.lock())]))
      expect(error).toBeInstanceOf(ArgumentError)
      expect((error as Error).message).toContain('things[1] must be a process or a connection')
      expect(await failureOf(() => mp.wait([mp.process(nothing)]))).toBeInstanceOf(StateError)
      const [, writer] = mp.pipe({ duplex: false })
      expect(await failureOf(() => mp.wait([writer]))).toBeInstanceOf(StateError)
      const elsewhere = await tools.connect({ namespace: unique('elsewhere') })
      expect(await failureOf(() => mp.wait([elsewhere.pipe()[0]]))).toBeInstanceOf(ScopeError)
    })
  })
}
