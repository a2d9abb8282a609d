/** Deaths around a condition: a notification to a process that dies is not lost while somebody alive waits. */
import process from 'node:process'
import type { Condition } from '@skein/core'
import { expect } from 'vitest'
import type { Suite, Tools } from './harness.ts'
import { waitAndHold, waitOnce } from './targets/condition.ts'
import { holdForEver } from './targets/lock.ts'
import type { Grant } from './targets/lock.ts'

type Waiter = typeof waitOnce

/** Starts a process that waits in the condition; resolves to its pid when it stands in line. */
async function stand({ mp, start }: Tools, condition: Condition, waiter: Waiter): Promise<Standing> {
  const [said, woken] = [mp.queue<number>(), mp.queue<number>()]
  await start(mp.process(waiter, [condition, said, woken]))
  const pid = await said.get()
  // Who has the lock now has it because that one gave it up.
  await condition.with(() => {})
  return { pid, woken: () => woken.get() }
}

interface Standing {
  readonly pid: number
  /** Resolves when it has been notified and has the lock. */
  woken(): Promise<number>
}

export function conditionDeathsSuite(suite: Suite): void {
  suite('condition: deaths', (check) => {
    check('who dies in its line is passed over (cpython#75158)', async (tools) => {
      const condition = tools.mp.condition()
      const all = [
        await stand(tools, condition, waitOnce),
        await stand(tools, condition, waitOnce),
        await stand(tools, condition, waitOnce),
      ] as const
      for (const { pid } of all.slice(0, 2)) process.kill(pid, 'SIGKILL')
      // By the time that the deaths are known, or before: both are to do.
      await condition.with(() => condition.notify())
      expect(await all[2].woken()).toBe(all[2].pid)
    })

    check('who was notified and dies before it has the lock passes it on', async (tools) => {
      const condition = tools.mp.condition()
      const [victim, heir] = [await stand(tools, condition, waitOnce), await stand(tools, condition, waitOnce)]
      const lease = await condition.acquire()
      await condition.notify()
      process.kill(victim.pid, 'SIGKILL')
      await lease.release()
      expect(await heir.woken()).toBe(heir.pid)
    })

    check(
      'who was notified and dies while it holds the lock passes it on, and all that was notified',
      async (tools) => {
        const { mp, deathKnownWithin } = tools
        const condition = mp.condition({ lock: mp.lock() })
        const victim = await stand(tools, condition, waitAndHold)
        const heirs = [await stand(tools, condition, waitOnce), await stand(tools, condition, waitOnce)]
        await condition.with(() => condition.notify(2))
        expect(await victim.woken()).toBe(victim.pid)
        process.kill(victim.pid, 'SIGKILL')
        const killed = performance.now()
        expect(await Promise.all(heirs.map((heir) => heir.woken()))).toEqual(heirs.map(({ pid }) => pid))
        expect(performance.now() - killed).toBeLessThan(deathKnownWithin)
        await condition.with(() => {}, { timeout: 5_000 })
      },
    )

    check('the lock of a condition goes to the next when its holder dies', async ({ mp, start }) => {
      const condition = mp.condition()
      const said = mp.queue<Grant>()
      await start(mp.process(holdForEver, [condition, said]))
      const { pid, token } = await said.get()
      const next = condition.acquire()
      await condition.locked()
      process.kill(pid, 'SIGKILL')
      expect((await next).token).toBeGreaterThan(token)
    })
  })
}
