/** Processes that are started again when they end, and processes that outlive their parents. */
import process from 'node:process'
import type { Lock, Process } from '@skein/core'
import { CrashLoopError, StateError, TargetNotFoundError, TimeoutError } from '@skein/core'
import { expect } from 'vitest'
import type { Suite } from './harness.ts'
import { idle, nothing } from './targets/basic.ts'
import { notExported } from './targets/hidden.ts'
import {
  exitWith,
  failUntil,
  holdAgain,
  printAndFail,
  sayAndIdle,
  startDetached,
  startDetachedAndIdle,
  startRestarting,
} from './targets/restart.ts'
import { isRunning, until } from './until.ts'

export function processRestartSuite(suite: Suite): void {
  suite('process: restart', (check) => {
    check('a process that fails is started again until it returns', async ({ mp, start }) => {
      const [runs, pids] = [mp.queue<number>(), mp.queue<number>()]
      await runs.put(1)
      const restart = { on: 'failure', backoff: 1 } as const
      const child = await start(mp.process(failUntil, [runs, 3, pids], { restart }))
      expect(await child.result()).toBe(3)
      expect(await child.join()).toEqual({ exitCode: 0, signal: null, reason: 'returned' })
      expect(await child.status()).toMatchObject({ state: 'ended', restarts: 2 })
      const all = [await pids.get(), await pids.get(), await pids.get()]
      expect(new Set(all).size).toBe(3)
      expect(child.pid).toBe(all[2])
    })

    check('more than max restarts are a crash loop', async ({ mp, start }) => {
      const [runs, pids] = [mp.queue<number>(), mp.queue<number>()]
      await runs.put(1)
      const restart = { on: 'failure', max: 2, within: 60_000, backoff: 1 } as const
      const child = await start(mp.process(failUntil, [runs, Infinity, pids], { restart }))
      const error = await child.result().catch((reason: unknown) => reason)
      expect(error).toBeInstanceOf(CrashLoopError)
      expect((error as Error).message).toMatch(/started again 2 times within 60000 ms.*RangeError: run 3/)
      expect((error as Error).cause).toMatchObject({ name: 'RangeError', message: 'run 3' })
      const status = await child.join()
      expect(status).toMatchObject({ exitCode: 1, signal: null, reason: 'threw' })
      expect(status.error).toBeInstanceOf(CrashLoopError)
      expect(await runs.get()).toBe(4)
    })

    check('restarts of long ago do not count', async ({ mp, start }) => {
      const [runs, pids] = [mp.queue<number>(), mp.queue<number>()]
      await runs.put(1)
      const restart = { on: 'failure', max: 1, within: 1, backoff: 20 } as const
      const child = await start(mp.process(failUntil, [runs, 5, pids], { restart }))
      expect(await child.result()).toBe(5)
    })

    check('each restart waits twice as long as the last', async ({ mp, start }) => {
      const [runs, pids] = [mp.queue<number>(), mp.queue<number>()]
      await runs.put(1)
      const child = mp.process(failUntil, [runs, 3, pids], { restart: { on: 'failure', backoff: 200 } })
      await start(child)
      const begun = performance.now()
      expect(await child.result()).toBe(3)
      expect(performance.now() - begun).toBeGreaterThanOrEqual(598)
    })

    check('on failure: an exit with 0 is the end, any other is none', async ({ mp, start }) => {
      const codes = mp.queue<number>()
      for (const code of [1, 7, 0, 1]) await codes.put(code)
      const child = await start(mp.process(exitWith, [codes], { restart: { on: 'failure', backoff: 1 } }))
      expect(await child.join()).toMatchObject({ exitCode: 0, reason: 'exited' })
      expect(await codes.size()).toBe(1)
    })

    check('on always: returning is no end; terminate() is', async ({ mp, start }) => {
      const said = mp.queue<{ pid: number; id: string }>()
      const child = await start(mp.process(sayAndIdle, [said], { restart: { on: 'always', backoff: 0 } }))
      const first = await said.get()
      process.kill(first.pid, 'SIGKILL')
      const second = await said.get()
      expect(second.pid).not.toBe(first.pid)
      expect(second.id).toBe(first.id)
      expect(second.id).toBe(child.id)
      await until('the handle knows the second', () => child.pid === second.pid)
      expect(await child.isAlive()).toBe(true)
      expect(await child.status()).toMatchObject({ state: 'running', pid: second.pid, restarts: 1, exit: null })
      await child.terminate()
      expect(await child.join()).toMatchObject({ exitCode: -15, signal: 'SIGTERM' })
      expect(await child.isAlive()).toBe(false)
    })

    check('on always, a process that keeps returning is a crash loop, too', async ({ mp, start }) => {
      const child = await start(mp.process(nothing, [], { restart: { on: 'always', max: 1, backoff: 1 } }))
      expect(await child.join()).toMatchObject({ exitCode: 0, reason: 'returned' })
      await expect(child.result()).rejects.toBeInstanceOf(CrashLoopError)
    })

    for (const end of ['terminate', 'kill', 'interrupt'] as const) {
      check(`${end}() between two runs ends it at once`, async ({ mp, start }) => {
        const codes = mp.queue<number>()
        await codes.put(7)
        const child = await start(mp.process(exitWith, [codes], { restart: { on: 'failure', backoff: 60_000 } }))
        await until('it waits for its next run', async () => (await child.status()).restarts === 1)
        expect(await child.status()).toMatchObject({ state: 'starting', pid: null })
        expect(child.exitCode).toBeNull()
        await child[end]()
        expect(await child.join()).toMatchObject({ exitCode: 7, reason: 'exited' })
      })
    }

    check('with max 0 it is not started again', async ({ mp, start }) => {
      const codes = mp.queue<number>()
      await codes.put(7)
      const child = await start(mp.process(exitWith, [codes], { restart: { on: 'failure', max: 0 } }))
      expect(await child.join()).toMatchObject({ exitCode: 7, reason: 'exited' })
    })

    check('a first start that fails is not tried again', async ({ mp }) => {
      const child = mp.process(notExported(), [], { restart: { on: 'always' } })
      await expect(child.start()).rejects.toBeInstanceOf(TargetNotFoundError)
      expect(await child.status()).toMatchObject({ state: 'ended', restarts: 0 })
    })

    check('a run holds nothing of what the last one held, and makes other things', async ({ mp, start }) => {
      const lock = mp.lock()
      const said = mp.queue<{ pid: number; token: number; own: Lock }>()
      const child = await start(mp.process(holdAgain, [lock, said], { restart: { on: 'always', backoff: 0 } }))
      const first = await said.get()
      process.kill(first.pid, 'SIGKILL')
      const second = await said.get()
      expect(second.token).toBeGreaterThan(first.token)
      expect(second.own.name).not.toBe(first.own.name)
      await expect(first.own.locked()).rejects.toBeInstanceOf(StateError)
      expect(await second.own.locked()).toBe(false)
      await child.kill()
    })

    check('is not started again when its parent has ended', async ({ mp, start }) => {
      const said = mp.queue<{ pid: number; id: string }>()
      const ready = mp.queue<string>()
      const parent = await start(mp.process(startRestarting, [said, ready]))
      await ready.get()
      const { pid } = await said.get()
      await parent.kill()
      await until('it is gone', () => !isRunning(pid))
      await expect(said.get({ timeout: 300 })).rejects.toBeInstanceOf(TimeoutError)
    })

    check('what its runs print is one stream', async ({ mp, start }) => {
      const runs = mp.queue<number>()
      await runs.put(1)
      const child = mp.process(printAndFail, [runs, 3], { stdio: 'pipe', restart: { on: 'failure', backoff: 1 } })
      await start(child)
      const lines: string[] = []
      for await (const line of child.stdout) lines.push(line)
      expect(lines).toEqual(['run 1', 'run 2', 'run 3'])
    })

    check('close() of the context ends a daemon that is always started again', async ({ mp, connect }) => {
      const context = await connect()
      const said = mp.queue<{ pid: number; id: string }>()
      const child = context.process(sayAndIdle, [said], { daemon: true, restart: { on: 'always', backoff: 0 } })
      await child.start()
      const { pid } = await said.get()
      await context.close()
      expect(isRunning(pid)).toBe(false)
      await expect(said.get({ timeout: 300 })).rejects.toBeInstanceOf(TimeoutError)
    })
  })

  suite('process: detached', (check) => {
    check('neither close() of its context waits for it nor ends it', async ({ mp, connect }) => {
      const context = await connect()
      const handles = mp.queue<Process<void>>()
      const said = mp.queue<number>()
      const child = context.process(idle, [said], { detached: true, daemon: false })
      await child.start()
      expect(child.daemon).toBe(false)
      await handles.put(child)
      const pid = await said.get()
      await context.close()
      expect(isRunning(pid)).toBe(true)
      const other = await handles.get()
      expect(await other.isAlive()).toBe(true)
      await other.kill()
      expect(isRunning(pid)).toBe(false)
    })

    for (const [how, target] of [
      ['ends', startDetached],
      ['is killed', startDetachedAndIdle],
    ] as const) {
      check(`lives on when its parent ${how}; its handles go on`, async ({ mp, start }) => {
        const said = mp.queue<number>()
        const parent = await start(mp.process<[typeof said], unknown>(target, [said]))
        const pid = await said.get()
        if (how === 'is killed') await parent.kill()
        await parent.join()
        expect(isRunning(pid)).toBe(true)
        process.kill(pid, 'SIGKILL')
        await until('it is gone', () => !isRunning(pid))
      })
    }

    check('is in a session of its own, which no terminal ends', async ({ mp, start }) => {
      const said = mp.queue<number>()
      const child = await start(mp.process(idle, [said], { detached: true }))
      const pid = await said.get()
      process.kill(-pid, 0)
      await child.terminate()
      expect(await child.join()).toMatchObject({ exitCode: -15 })
    })
  })
}
