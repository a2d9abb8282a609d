/** Deaths of workers: the task that was running rejects, everything else is done, and the pool is as large as before. */
import process from 'node:process'
import { bind, WorkerLostError } from '@skein/core'
import type { Pool } from '@skein/core'
import { expect } from 'vitest'
import { ascending, failureOf } from './checking.ts'
import type { Suite, Tools } from './harness.ts'
import { add, idle } from './targets/basic.ts'
import { holdForEver } from './targets/lock.ts'
import type { Grant } from './targets/lock.ts'
import { runUnlessVictim, stopAtGate, tell } from './targets/pool.ts'

export function crashPoolSuite(suite: Suite): void {
  suite('pool: deaths', (check) => {
    check(
      'the task of a worker that dies rejects: who, and how (cpython#96062)',
      async ({ mp, pool, deathKnownWithin }) => {
        const workers = pool(1)
        const said = mp.queue<number>()
        const failed = failureOf(() => workers.apply(idle, [said]))
        const victim = await said.get()
        process.kill(victim, 'SIGKILL')
        const killed = performance.now()
        const error = await failed
        expect(performance.now() - killed).toBeLessThan(deathKnownWithin)
        expect(error).toBeInstanceOf(WorkerLostError)
        expect(error).toMatchObject({ pid: victim, signal: 'SIGKILL', exitCode: -9 })
        for (const word of [String(victim), 'SIGKILL', 'idle']) expect((error as Error).message).toContain(word)
      },
    )

    check('results that are there are kept, and what has not started is done by others', async ({ mp, pool }) => {
      const workers = pool(2)
      const [said, seen] = [mp.queue<number>(), mp.queue<number>()]
      const before = workers.applyAsync(tell, [seen, 1])
      expect(await before).toBe(1)
      const failed = failureOf(() => workers.apply(idle, [said]))
      const victim = await said.get()
      const after = [2, 3, 4, 5].map((item) => workers.apply(tell, [seen, item]))
      process.kill(victim, 'SIGKILL')
      expect(await failed).toBeInstanceOf(WorkerLostError)
      expect(await Promise.all(after)).toEqual([2, 3, 4, 5])
      expect(await before.get()).toBe(1)
      expect(await seen.size()).toBe(5)
    })

    check('the pool is back to its size (apscheduler#362)', async (tools) => {
      const { mp, pool } = tools
      const workers = pool(2)
      const said = mp.queue<number>()
      const failed = [1, 2].map(() => failureOf(() => workers.apply(idle, [said])))
      const victims = [await said.get(), await said.get()]
      for (const victim of victims) process.kill(victim, 'SIGKILL')
      for (const error of await Promise.all(failed)) expect(error).toBeInstanceOf(WorkerLostError)
      const pids = await workersOf(workers, tools)
      expect(new Set(pids).size).toBe(2)
      expect(pids.some((pid) => victims.includes(pid))).toBe(false)
    })

    for (const chunkSize of [1, 6]) {
      check(
        `map() in chunks of ${chunkSize}: the victim rejects, all others run once (mpire#110)`,
        async ({ mp, pool }) => {
          const workers = pool(1)
          const [seen, victims] = [mp.queue<number>(), mp.queue<number>()]
          const items = [0, 1, 2, 3, 4, 5]
          const failed = failureOf(() => workers.map(bind(runUnlessVictim, seen, victims, 2), items, { chunkSize }))
          const victim = await victims.get()
          process.kill(victim, 'SIGKILL')
          const error = await failed
          expect(error).toBeInstanceOf(WorkerLostError)
          expect(error).toMatchObject({ pid: victim, signal: 'SIGKILL' })
          const ran: number[] = []
          for (let left = await seen.tryGet(); left !== null; left = await seen.tryGet()) ran.push(left.value)
          expect(ascending(ran)).toEqual([0, 1, 3, 4, 5])
          expect(await victims.tryGet()).toBeNull()
        },
      )
    }

    check('a task runs again after a death as often as told', async ({ mp, pool }) => {
      const workers = pool(1)
      const [arrived, gate] = [mp.queue<number>(), mp.queue<string>()]
      const result = workers.apply(stopAtGate, [arrived, gate], { retries: 2 })
      for (let death = 0; death < 2; death += 1) process.kill(await arrived.get(), 'SIGKILL')
      await arrived.get()
      await gate.put('third time lucky')
      expect(await result).toBe('third time lucky')
    })

    check('a task that kills every worker it meets is given up (chancy#94)', async ({ mp, pool }) => {
      const workers = pool(1)
      const said = mp.queue<number>()
      const failed = failureOf(() => workers.apply(idle, [said], { retries: 1 }))
      const first = await said.get()
      process.kill(first, 'SIGKILL')
      const second = await said.get()
      expect(second).not.toBe(first)
      process.kill(second, 'SIGKILL')
      expect(await failed).toMatchObject({ pid: second, signal: 'SIGKILL' })
      expect(await workers.apply(add, [1, 2])).toBe(3)
      expect(await said.tryGet()).toBeNull()
    })

    check('an idle worker that dies is replaced before anybody notices (pebble#163)', async (tools) => {
      const workers = tools.pool(1)
      const [victim = 0] = await workersOf(workers, tools)
      process.kill(victim, 'SIGKILL')
      expect(await workers.apply(add, [1, 2], { retries: 1 })).toBe(3)
      expect(await workersOf(workers, tools)).not.toEqual([victim])
    })

    check('what a worker held is free when it dies', async ({ mp, pool }) => {
      const workers = pool(1)
      const lock = mp.lock()
      const said = mp.queue<Grant>()
      const failed = failureOf(() => workers.apply(holdForEver, [lock, said]))
      const { pid, token } = await said.get()
      process.kill(pid, 'SIGKILL')
      const lease = await lock.acquire({ timeout: 5_000 })
      expect(lease.token).toBeGreaterThan(token)
      expect(await failed).toBeInstanceOf(WorkerLostError)
    })

    check('close() and join() finish although workers die', async ({ mp, pool }) => {
      const workers = pool(1)
      const [said, seen] = [mp.queue<number>(), mp.queue<number>()]
      const failed = failureOf(() => workers.apply(idle, [said]))
      const rest = workers.map(bind(tell, seen), [1, 2, 3])
      workers.close()
      process.kill(await said.get(), 'SIGKILL')
      expect(await failed).toBeInstanceOf(WorkerLostError)
      expect(await rest).toEqual([1, 2, 3])
      await workers.join()
    })
  })
}

/** The process ids of all workers: as many tasks as there are workers, none of which returns before all have begun. */
async function workersOf(workers: Pool, { mp }: Tools): Promise<number[]> {
  const [arrived, gate] = [mp.queue<number>(), mp.queue<string>()]
  const results = Array.from({ length: workers.size }, () => workers.applyAsync(stopAtGate, [arrived, gate]))
  const pids: number[] = []
  while (pids.length < results.length) pids.push(await arrived.get())
  for (const pid of pids) await gate.put(`go, ${pid}`)
  await Promise.all(results)
  return pids
}
