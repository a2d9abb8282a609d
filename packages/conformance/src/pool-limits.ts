/** What a task may take, and whose turn it is. */
import process from 'node:process'
import { bind, TimeoutError, WorkerLostError } from '@skein/core'
import { expect } from 'vitest'
import { failureOf } from './checking.ts'
import type { Suite } from './harness.ts'
import { add, double, idle, pid, spin } from './targets/basic.ts'
import { computeFor, idleIfItem, spinIfItem, stopAtGate, tell } from './targets/pool.ts'
import { isRunning, until } from './until.ts'

/** Milliseconds: for tasks that never end, and for those that are quick. */
const SHORT = 150
const LONG = 20_000

export function poolLimitsSuite(suite: Suite): void {
  suite('pool: limits', (check) => {
    for (const [how, task] of [
      ['computes', spin],
      ['waits', idle],
    ] as const) {
      check(
        `a task that ${how} past its timeout is ended with its worker, and the pool goes on (celery#135)`,
        async (tools) => {
          const { mp, pool } = tools
          const workers = pool(1)
          const said = mp.queue<number>()
          const asked = performance.now()
          const result = workers.applyAsync(task, [said], { timeout: SHORT })
          const worker = await said.get()
          const error = await failureOf(() => result.get())
          expect(performance.now() - asked).toBeGreaterThanOrEqual(SHORT - 1)
          expect(error).toBeInstanceOf(TimeoutError)
          expect((error as Error).message).toMatch(new RegExp(`${task.name} .*${SHORT} ms.* ${worker} `))
          expect(await workers.apply(pid)).not.toBe(worker)
          await until('the worker is gone', () => !isRunning(worker))
        },
      )
    }

    check('a task’s time counts from its start, not from the call', async ({ mp, pool }) => {
      const workers = pool(1)
      const [arrived, gate] = [mp.queue<number>(), mp.queue<string>()]
      const before = workers.applyAsync(stopAtGate, [arrived, gate])
      await arrived.get()
      const behind = workers.applyAsync(pid, [], { timeout: SHORT })
      expect(await behind.wait({ timeout: 2 * SHORT })).toBe(false)
      await gate.put('go')
      expect(await before).toBe('go')
      expect(await behind).toBeGreaterThan(0)
    })

    for (const chunkSize of [1, 6]) {
      for (const [how, task] of [
        ['computes', spinIfItem],
        ['waits', idleIfItem],
      ] as const) {
        check(
          `map() in chunks of ${chunkSize}: the item that ${how} too long rejects, all others run once`,
          async (t) => {
            const { mp, pool } = t
            const workers = pool(1)
            const seen = mp.queue<number>()
            const items = [0, 1, 2, 3, 4, 5]
            const options = { chunkSize, timeout: SHORT, retries: 3 }
            const error = await failureOf(() => workers.map(bind(task, seen, 2), items, options))
            expect(error).toBeInstanceOf(TimeoutError)
            const ran: number[] = []
            for (let left = await seen.tryGet(); left !== null; left = await seen.tryGet()) ran.push(left.value)
            expect(ran).toEqual(items)
          },
        )
      }
    }

    check('quick tasks with a timeout are done as without one, by the same workers', async ({ pool }) => {
      const workers = pool(2)
      const before = new Set<number>()
      // One that starts slowly leaves both to the other.
      while (before.size < 2)
        for (const worker of await workers.map(computeFor, [20, 20], { chunkSize: 1 })) before.add(worker)
      const items = Array.from({ length: 1_000 }, (_, n) => n)
      for (const chunkSize of [1, 100]) {
        const doubled = await workers.map(double, items, { chunkSize, timeout: LONG })
        expect(doubled).toEqual(items.map((n) => n * 2))
      }
      const mixed = items.map((n) => workers.apply(double, [n], n % 2 === 0 ? { timeout: LONG } : {}))
      expect(await Promise.all(mixed)).toEqual(items.map((n) => n * 2))
      const after = await workers.map(computeFor, [80, 80], { chunkSize: 1 })
      expect(after.every((worker) => before.has(worker))).toBe(true)
    })

    check('a timeout is that of one task: neighbours that compute at the same time go on', async ({ mp, pool }) => {
      const workers = pool(2)
      const said = mp.queue<number>()
      const late = failureOf(() => workers.apply(spin, [said], { timeout: SHORT }))
      await said.get()
      const rest = workers.map(computeFor, [2 * SHORT, SHORT, SHORT], { chunkSize: 1 })
      expect(await late).toBeInstanceOf(TimeoutError)
      expect(await rest).toHaveLength(3)
    })

    check('one of many timeouts hits nobody else', async ({ pool }) => {
      const workers = pool(2)
      await workers.map(computeFor, [1, 1], { chunkSize: 1 })
      const late = (n: number): boolean => n % 8 === 7
      const results = Array.from({ length: 24 }, (_, n) =>
        workers.applyAsync(computeFor, [late(n) ? LONG : 0], { timeout: 1_500 }),
      )
      const settled = await Promise.allSettled(results)
      expect(settled.map(({ status }) => status === 'rejected')).toEqual(results.map((_, n) => late(n)))
      for (const one of settled) if (one.status === 'rejected') expect(one.reason).toBeInstanceOf(TimeoutError)
    })

    check('a worker that dies before the time is over is lost, not late', async ({ mp, pool }) => {
      const workers = pool(1)
      const said = mp.queue<number>()
      const failed = failureOf(() => workers.apply(idle, [said], { timeout: LONG }))
      process.kill(await said.get(), 'SIGKILL')
      const error = await failed
      expect(error).toBeInstanceOf(WorkerLostError)
      expect(error).toMatchObject({ reason: 'signaled' })
    })

    check('less priority comes first, none before all, and equals in the order of the calls', async ({ mp, pool }) => {
      const workers = pool(1)
      const [arrived, gate, seen] = [mp.queue<number>(), mp.queue<string>(), mp.queue<number>()]
      const hold = workers.applyAsync(stopAtGate, [arrived, gate])
      await arrived.get()
      // In one turn, so that they come to the line together.
      const later = [
        workers.map(bind(tell, seen), [50, 51], { chunkSize: 1, priority: 5 }),
        workers.apply(tell, [seen, 20], { priority: 2 }),
        workers.apply(tell, [seen, 10], { priority: 1 }),
        workers.apply(tell, [seen, 0]),
        workers.apply(tell, [seen, 21], { priority: 2 }),
        workers.apply(tell, [seen, 1], { priority: 0 }),
      ]
      // They are there when something that was asked later is.
      await mp.lock().locked()
      await gate.put('go')
      await Promise.all([hold, ...later])
      const order: number[] = []
      for (let left = await seen.tryGet(); left !== null; left = await seen.tryGet()) order.push(left.value)
      expect(order).toEqual([0, 1, 10, 20, 21, 50, 51])
      expect(await workers.apply(add, [1, 2])).toBe(3)
    })
  })
}
