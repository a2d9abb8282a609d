/** How a process ends: exit codes, errors, and being asked or forced to. */
import process from 'node:process'
import type { Process } from '@skein/core'
import { WorkerLostError } from '@skein/core'
import { expect } from 'vitest'
import type { Suite } from './harness.ts'
import { fail, hear, idle, nothing, spin } from './targets/basic.ts'
import {
  abort,
  cleanUp,
  dieBy,
  exit,
  exitAfterPut,
  exitCodeOf,
  fillHeap,
  ignoreSignal,
  rejectUnheard,
  shrugOff,
  throwDeep,
  throwFromTimer,
  throwText,
} from './targets/process.ts'
import { isRunning, until } from './until.ts'

/** Far below the 5 s of the default grace: who ends in this time was not killed for overstaying. */
const AT_ONCE_MS = 3_000

export function processEndSuite(suite: Suite): void {
  suite('process: end', (check) => {
    check('exit code 0 when the target returns', async ({ mp, start }) => {
      const child = await start(mp.process(nothing))
      expect(await child.join()).toEqual({ exitCode: 0, signal: null, reason: 'returned' })
      expect(child.exitCode).toBe(0)
    })

    check('exit code 1 when the target throws; join() does not reject', async ({ mp, start }) => {
      const child = await start(mp.process(fail, ['as told']))
      const status = await child.join()
      expect(status).toMatchObject({ exitCode: 1, signal: null, reason: 'threw' })
      expect(status.error).toBeInstanceOf(RangeError)
      expect(status.error?.message).toBe('as told')
    })

    check('exit code 1 for an uncaught exception outside the target', async ({ mp, start }) => {
      const child = await start(mp.process(throwFromTimer, ['from a timer']))
      expect(await child.join()).toMatchObject({ exitCode: 1, reason: 'threw', error: { message: 'from a timer' } })
      await expect(child.result()).rejects.toThrow('from a timer')
    })

    check('exit code 1 for a rejection that nobody handles', async ({ mp, start }) => {
      const child = await start(mp.process(rejectUnheard, ['unheard']))
      expect(await child.join()).toMatchObject({ exitCode: 1, reason: 'threw', error: { message: 'unheard' } })
    })

    check('what is thrown need not be an error', async ({ mp, start }) => {
      const child = await start(mp.process(throwText, ['only text']))
      expect(await child.join()).toMatchObject({ exitCode: 1, reason: 'threw' })
      await expect(child.result()).rejects.toBe('only text')
    })

    for (const code of [0, 1, 7, 255]) {
      check(`exit code ${code} for process.exit(${code}), and no result`, async ({ mp, start }) => {
        const child = await start(mp.process(exit, [code]))
        expect(await child.join()).toMatchObject({ exitCode: code, signal: null, reason: 'exited' })
        const error = await child.result().catch((reason: unknown) => reason)
        expect(error).toBeInstanceOf(WorkerLostError)
        expect(error).toMatchObject({ pid: child.pid, exitCode: code, signal: null })
      })
    }

    check('exit code n for process.exitCode = n', async ({ mp, start }) => {
      const child = await start(mp.process(exitCodeOf, [3]))
      expect(await child.join()).toEqual({ exitCode: 3, signal: null, reason: 'exited' })
    })

    for (const [what, target, args, place] of [
      ['what the target throws', throwDeep, [3], 'throwDeep'],
      ['an exception that nobody catches', throwFromTimer, ['from a timer'], 'listOnTimeout'],
      ['a rejection that nobody handles', rejectUnheard, ['unheard'], 'rejectUnheard'],
    ] as const) {
      check(`the stack of ${what} is on standard error, once`, async ({ mp, start }) => {
        const child = await start(mp.process<unknown[], unknown>(target as never, [...args], { stdio: 'pipe' }))
        let written = ''
        for await (const line of child.stderr) written += `${line}\n`
        const { error } = await child.join()
        expect(written.split(String(error)).length).toBe(2)
        expect(written).toMatch(new RegExp(`at .*${place}`))
        if (error?.cause instanceof Error) expect(written).toContain(error.cause.message)
      })
    }

    check('a heap at its limit is out-of-memory, not an abort (taskgraph#116)', async ({ mp, start }) => {
      const said = mp.queue<number>()
      const env = { NODE_OPTIONS: `${process.env['NODE_OPTIONS'] ?? ''} --max-old-space-size=40` }
      const child = await start(mp.process(fillHeap, [said], { env, stdio: 'pipe' }))
      expect(await child.join()).toEqual({ exitCode: -6, signal: 'SIGABRT', reason: 'out-of-memory' })
      const error = await child.result().catch((reason: unknown) => reason)
      expect(error).toBeInstanceOf(WorkerLostError)
      expect((error as Error).message).toMatch(/ran out of memory.*max-old-space-size/)
    })

    check('what was put before process.exit() is there', async ({ mp, start }) => {
      const queue = mp.queue<string>()
      const child = await start(mp.process(exitAfterPut, [queue, 'last words']))
      expect(await child.join()).toMatchObject({ exitCode: 0, reason: 'exited' })
      expect(await queue.get()).toBe('last words')
    })

    const signals = { SIGKILL: -9, SIGTERM: -15, SIGSEGV: -11 } as const
    for (const signal of ['SIGKILL', 'SIGTERM', 'SIGSEGV'] as const) {
      check(`exit code ${signals[signal]} for ${signal}`, async ({ mp, start }) => {
        const child = await start(mp.process(dieBy, [signal]))
        expect(await child.join()).toMatchObject({ exitCode: signals[signal], signal, reason: 'signaled' })
        const error = await child.result().catch((reason: unknown) => reason)
        expect(error).toBeInstanceOf(WorkerLostError)
        expect(error).toMatchObject({ pid: child.pid, signal })
      })
    }

    check('exit code -6 for process.abort()', async ({ mp, start }) => {
      const child = await start(mp.process(abort))
      expect(await child.join()).toMatchObject({ exitCode: -6, signal: 'SIGABRT', reason: 'signaled' })
    })

    check(
      'terminate() lets a process that looks at the signal clean up; the exit code is -15',
      async ({ mp, start }) => {
        const said = mp.queue<string>()
        const child = await start(mp.process(cleanUp, [said]))
        expect(await said.get()).toBe('ready')
        await child.terminate()
        expect(await said.get()).toBe('cleaned up')
        expect(await child.join()).toMatchObject({ exitCode: -15, signal: 'SIGTERM', reason: 'signaled' })
        expect(await child.result()).toBe('tidy')
      },
    )

    check('terminate() ends at once what never looked at the signal', async ({ mp, start }) => {
      const said = mp.queue<number>()
      const child = await start(mp.process(idle, [said]))
      await said.get()
      await expectTerminated(child, -15)
    })

    check('terminate() ends a busy loop at once', async ({ mp, start }) => {
      const said = mp.queue<number>()
      const child = await start(mp.process(spin, [said]))
      await said.get()
      await expectTerminated(child, -15)
    })

    check('terminate() kills what does not end within the grace', async ({ mp, start }) => {
      const said = mp.queue<string>()
      const child = await start(mp.process(ignoreSignal, [said]))
      await said.get()
      const asked = performance.now()
      await child.terminate({ grace: 200 })
      expect(performance.now() - asked).toBeGreaterThanOrEqual(199)
      expect(await child.join()).toMatchObject({ exitCode: -9, signal: 'SIGKILL', reason: 'signaled' })
    })

    check('terminate() ends a process that is stopped', async ({ mp, start }) => {
      const said = mp.queue<number>()
      const child = await start(mp.process(idle, [said]))
      const pid = await said.get()
      process.kill(pid, 'SIGSTOP')
      await child.terminate({ grace: 200 })
      expect(await child.join()).toMatchObject({ reason: 'signaled' })
      expect(isRunning(pid)).toBe(false)
    })

    check('kill() ends a process whatever it does; the exit code is -9', async ({ mp, start }) => {
      const said = mp.queue<number>()
      const child = await start(mp.process(spin, [said]))
      const pid = await said.get()
      await child.kill()
      expect(isRunning(pid)).toBe(false)
      expect(await child.join()).toMatchObject({ exitCode: -9, signal: 'SIGKILL', reason: 'signaled' })
    })

    check(
      'interrupt() lets a process that looks at the signal clean up; the exit code is -2',
      async ({ mp, start }) => {
        const said = mp.queue<string>()
        const child = await start(mp.process(cleanUp, [said]))
        expect(await said.get()).toBe('ready')
        await child.interrupt()
        expect(await said.get()).toBe('cleaned up')
        expect(await child.join()).toMatchObject({ exitCode: -2, signal: 'SIGINT', reason: 'signaled' })
        expect(await child.result()).toBe('tidy')
      },
    )

    for (const [doing, target] of [
      ['waits', idle],
      ['computes', spin],
    ] as const) {
      check(`interrupt() ends what never looked at the signal, while it ${doing}`, async ({ mp, start }) => {
        const said = mp.queue<number>()
        const child = await start(mp.process(target, [said]))
        await said.get()
        const asked = performance.now()
        await child.interrupt()
        expect(performance.now() - asked).toBeLessThan(AT_ONCE_MS)
        expect(await child.join()).toMatchObject({ exitCode: -2, signal: 'SIGINT', reason: 'signaled' })
      })
    }

    check('a process that listens to SIGINT itself may go on after interrupt()', async ({ mp, start }) => {
      const said = mp.queue<string>()
      const child = await start(mp.process(shrugOff, [said]))
      expect(await said.get()).toBe('ready')
      const interrupted = child.interrupt()
      expect(await said.get()).toBe('SIGINT')
      await interrupted
      expect(await child.result()).toBe('went on')
    })

    check('terminate() ends what interrupt() does not', async ({ mp, start }) => {
      const said = mp.queue<string>()
      const child = await start(mp.process(ignoreSignal, [said]))
      await said.get()
      const interrupted = child.interrupt()
      await child.terminate({ grace: 200 })
      await interrupted
      expect(await child.join()).toMatchObject({ exitCode: -9, signal: 'SIGKILL' })
    })

    check('the SIGINT that a terminal sends to all is not for a child', async ({ mp, start }) => {
      const words = mp.queue<string>()
      const said = mp.queue<number>()
      const child = await start(mp.process(hear<string>, [said, words]))
      process.kill(await said.get(), 'SIGINT')
      await words.put('still here')
      expect(await child.result()).toBe('still here')
    })

    check('terminate(), interrupt() and kill() change nothing once it has ended', async ({ mp, start }) => {
      const child = await start(mp.process(nothing))
      await child.join()
      await Promise.all([child.terminate(), child.interrupt(), child.kill()])
      expect(await child.join()).toMatchObject({ exitCode: 0, reason: 'returned' })
    })

    check('a process that computes is alive, and holds up nobody', async ({ mp, start }) => {
      const said = mp.queue<number>()
      const child = await start(mp.process(spin, [said]))
      await said.get()
      expect(await child.isAlive()).toBe(true)
      expect(await child.status()).toMatchObject({ state: 'running' })
      expect(await (await start(mp.process(nothing))).join()).toMatchObject({ exitCode: 0 })
    })

    check('close() of the context waits for processes and ends daemons', async ({ mp, connect, start }) => {
      const context = await connect()
      const said = mp.queue<number>()
      const daemon = await start(context.process(idle, [said], { daemon: true }))
      const worker = await start(context.process(nothing))
      const pid = await said.get()
      await context.close()
      expect(worker.exitCode).toBe(0)
      expect(isRunning(pid)).toBe(false)
      expect(daemon.exitCode).toBe(-15)
    })

    check('join() settles when the process is killed from outside', async ({ mp, start }) => {
      const said = mp.queue<number>()
      const child = await start(mp.process(idle, [said]))
      const ended = child.join()
      const pid = await said.get()
      process.kill(pid, 'SIGKILL')
      expect(await ended).toMatchObject({ exitCode: -9, signal: 'SIGKILL' })
      await until('the process is gone', () => !isRunning(pid))
    })
  })
}

async function expectTerminated(child: Process<unknown>, exitCode: number): Promise<void> {
  const asked = performance.now()
  await child.terminate()
  expect(performance.now() - asked).toBeLessThan(AT_ONCE_MS)
  expect(await child.join()).toMatchObject({ exitCode, signal: 'SIGTERM', reason: 'signaled' })
}
