/** `processes()` and `find()`: which processes run, and handles of them. */
import process from 'node:process'
import { ArgumentError, currentProcess, StateError } from '@skein/core'
import type { Context, ProcessInfo } from '@skein/core'
import { expect } from 'vitest'
import { failureOf, untyped } from './checking.ts'
import type { Suite } from './harness.ts'
import { add, hear, idle, pid } from './targets/basic.ts'
import { startFamily } from './targets/crash.ts'
import { findAndKill, idsHere } from './targets/processes.ts'
import { until } from './until.ts'

async function infoOf(mp: Context, of: number): Promise<ProcessInfo | undefined> {
  return (await mp.processes()).find((one) => one.pid === of)
}

export function processesSuite(suite: Suite): void {
  suite('processes()', (check) => {
    check('tells the main program, its children, theirs, and the workers of pools', async ({ mp, start, pool }) => {
      const said = mp.queue<number>()
      const parent = await start(mp.process(startFamily, [said], { name: 'family' }))
      const pids = [await said.get(), await said.get(), await said.get()]
      const workers = pool(1)
      const worker = await workers.apply(pid)
      const all = await mp.processes()
      const self = currentProcess()
      expect(all.find(({ id }) => id === self.id)).toEqual({
        id: self.id,
        name: 'main',
        pid: process.pid,
        host: self.host,
        role: 'main',
        daemon: false,
        detached: false,
        parent: null,
        program: self.id,
      })
      const family = all.filter((one) => pids.includes(one.pid))
      expect(family).toHaveLength(3)
      const top = family.find(({ pid: one }) => one === parent.pid)
      expect(top).toMatchObject({ id: parent.id, name: 'family', role: 'process', parent: self.id, program: self.id })
      for (const one of family) if (one !== top) expect(one.parent).toBe(parent.id)
      expect(all.find((one) => one.pid === worker)).toMatchObject({ role: 'worker', daemon: true, parent: self.id })
    })

    check('is the same from every process, and forgets who has ended', async ({ mp, start }) => {
      const [said, words] = [mp.queue<number>(), mp.queue<string>()]
      const child = await start(mp.process(hear<string>, [said, words]))
      const victim = await said.get()
      const other = await start(mp.process(idsHere, []))
      expect(await other.result()).toContain(child.id)
      process.kill(victim, 'SIGKILL')
      await child.join()
      await until('it is gone', async () => (await infoOf(mp, victim)) === undefined)
    })

    check('find() gives a handle like that of who started it', async ({ mp, start, connect }) => {
      const [said, words] = [mp.queue<number>(), mp.queue<string>()]
      const child = await start(mp.process(hear<string>, [said, words], { name: 'hearer', daemon: true }))
      await said.get()
      const found = await (await connect()).find(child.id)
      await found.status()
      expect(found).toMatchObject({ id: child.id, pid: child.pid, daemon: true })
      await words.put('found')
      expect(await found.result()).toBe('found')
      expect(await found.join()).toMatchObject({ reason: 'returned' })
    })

    check('a child finds its sibling and ends it', async ({ mp, start }) => {
      const said = mp.queue<number>()
      const victim = await start(mp.process(idle, [said], { name: 'sibling' }))
      await said.get()
      const killer = await start(mp.process(findAndKill, ['sibling']))
      expect(await killer.result()).toBe(-9)
      expect(await victim.join()).toMatchObject({ signal: 'SIGKILL' })
    })

    check('what does not run, and what has no handle, is not found', async ({ mp, start, pool }) => {
      const ended = await start(mp.process(add, [1, 2]))
      await ended.join()
      for (const id of ['no-such-process', ended.id]) {
        const error = await failureOf(() => mp.find(id))
        expect(error).toBeInstanceOf(StateError)
        expect((error as Error).message).toContain(id)
      }
      const workers = pool(1)
      const worker = await infoOf(mp, await workers.apply(pid))
      expect(await failureOf(() => mp.find(worker?.id ?? ''))).toMatchObject({
        message: expect.stringContaining('a worker of a pool'),
      })
      expect(await failureOf(() => mp.find(currentProcess().id))).toMatchObject({
        message: expect.stringContaining('the main process of a program'),
      })
      expect(await failureOf(() => mp.find(untyped(7)))).toBeInstanceOf(ArgumentError)
    })
  })
}
