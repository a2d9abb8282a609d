/** One wait in a condition: how it ends, and what its leases say meanwhile. */
import { LeaseLostError, NotHeldError, TimeoutError } from '@skein/core'
import type { Condition } from '@skein/core'
import { expect } from 'vitest'
import { ascending, failureOf } from './checking.ts'
import type { Suite } from './harness.ts'
import { notifyOnce } from './targets/condition.ts'
import { until } from './until.ts'

/** Flows of this process that wait, one after the other in line; each says its number when it is woken and has the lock. */
export async function standInCondition(
  condition: Condition,
  count: number,
  woken: number[],
): Promise<readonly Promise<void>[]> {
  const flows: Promise<void>[] = []
  for (let number = 0; number < count; number += 1) {
    await new Promise<void>((waits) => {
      const flow = condition.with(async () => {
        const waiting = condition.wait()
        waits()
        await waiting
        woken.push(number)
      })
      flows.push(flow)
    })
  }
  // The lock is free again: all of them are in line.
  await condition.with(() => {})
  return flows
}

export function conditionWaitsSuite(suite: Suite): void {
  suite('condition: waits', (check) => {
    check('a wait that runs out says so under the lock, and takes no later notification', async ({ mp }) => {
      const condition = mp.condition()
      const woken: number[] = []
      await condition.with(async (lease) => {
        const asked = performance.now()
        expect(await failureOf(() => condition.wait({ timeout: 30 }))).toBeInstanceOf(TimeoutError)
        expect(performance.now() - asked).toBeGreaterThanOrEqual(29)
        lease.assertHeld()
        await condition.notify()
      })
      const [flow] = await standInCondition(condition, 1, woken)
      await condition.with(() => condition.notify())
      await flow
      expect(woken).toEqual([0])
      expect(await condition.locked()).toBe(false)
    })

    check('a wait that runs out while others hold the lock ends when it has it', async ({ mp }) => {
      const condition = mp.condition()
      let waiting: Promise<unknown> = Promise.resolve()
      await new Promise<void>((waits) => {
        waiting = condition.with(async (lease) => {
          const failed = failureOf(() => condition.wait({ timeout: 20 }))
          waits()
          const error = await failed
          lease.assertHeld()
          return error
        })
      })
      const others = await condition.acquire()
      const asked = performance.now()
      await until('time has run out', () => performance.now() - asked > 60)
      expect(await condition.holder()).toMatchObject({ token: others.token })
      await others.release()
      expect(await waiting).toBeInstanceOf(TimeoutError)
      expect(await condition.locked()).toBe(false)
    })

    check('with a timeout of 0 the lock is not given up', async ({ mp }) => {
      const condition = mp.condition()
      await condition.with(async (lease) => {
        const { token } = lease
        expect(await failureOf(() => condition.wait({ timeout: 0 }))).toBeInstanceOf(TimeoutError)
        expect(await failureOf(() => condition.waitFor(() => 0, { timeout: 0 }))).toBeInstanceOf(TimeoutError)
        expect(await condition.waitFor(() => 'there', { timeout: 0 })).toBe('there')
        expect(lease.token).toBe(token)
      })
    })

    check('no notification falls between giving the lock up and standing in line', async ({ mp }) => {
      const condition = mp.condition()
      for (let round = 0; round < 20; round += 1) {
        const lease = await condition.acquire()
        const notifying = condition.with(() => condition.notify())
        await condition.locked()
        await condition.wait({ timeout: 10_000 })
        await notifying
        await lease.release()
      }
    })

    check('a lease is not held during the wait; then it is, with a larger token', async ({ mp }) => {
      const condition = mp.condition()
      await condition.with(async (lease) => {
        const { token, signal } = lease
        const waiting = condition.wait()
        expect(() => lease.assertHeld()).toThrow(LeaseLostError)
        expect(lease.expiresIn).toBe(0)
        const other = await condition.acquire()
        expect(other.token).toBeGreaterThan(token)
        await condition.notify()
        await other.release()
        await waiting
        expect(lease.token).toBeGreaterThan(other.token)
        lease.assertHeld()
        expect(signal.aborted).toBe(false)
        expect(await condition.holder()).toMatchObject({ token: lease.token })
      })
      expect(await condition.locked()).toBe(false)
    })

    check('an RLock is given up with all its levels, and had again with all of them', async ({ mp }) => {
      const lock = mp.rlock()
      const condition = mp.condition({ lock })
      await lock.with(async (outer) => {
        await lock.with(async (middle) => {
          const inner = await lock.acquire()
          const waiting = condition.wait()
          await mp.process(notifyOnce, [condition]).start()
          await waiting
          for (const lease of [outer, middle, inner]) {
            lease.assertHeld()
            expect(lease.token).toBe(outer.token)
          }
          await inner.release()
        })
        expect(await lock.locked()).toBe(true)
        await lock.with(() => condition.notify(), { timeout: 0 })
      })
      expect(await lock.locked()).toBe(false)
    })

    check('waitFor() resolves to what the predicate gave, at once if it is there', async ({ mp }) => {
      const condition = mp.condition()
      const items = ['first']
      await condition.with(async (lease) => {
        const { token } = lease
        expect(await condition.waitFor(() => items.shift())).toBe('first')
        expect(lease.token).toBe(token)
      })
      const next: Promise<string> = condition.with(() => condition.waitFor(() => Promise.resolve(items.shift())))
      await condition.with(() => condition.notifyAll())
      await condition.with(() => {
        items.push('second')
        return condition.notifyAll()
      })
      expect(await next).toBe('second')
    })

    check('waitFor() looks once more when time has run out; an error of the predicate is its own', async ({ mp }) => {
      const condition = mp.condition()
      await condition.with(async (lease) => {
        let looks = 0
        const asked = performance.now()
        const error = await failureOf(() => condition.waitFor(() => (looks += 1) < 0, { timeout: 30 }))
        expect(error).toBeInstanceOf(TimeoutError)
        expect(performance.now() - asked).toBeGreaterThanOrEqual(29)
        expect(looks).toBe(2)
        expect(await condition.waitFor(() => (looks += 1) > 3, { timeout: 20 })).toBe(true)
        const mine = new TimeoutError('mine')
        expect(await failureOf(() => condition.waitFor(() => Promise.reject(mine)))).toBe(mine)
        lease.assertHeld()
      })
    })

    check('a body that ends during its wait leaves nobody in line, and the lock free', async ({ mp }) => {
      const condition = mp.condition()
      const over = new Error('over')
      let waiting: Promise<unknown> = Promise.resolve()
      const ended = condition.with(async () => {
        waiting = failureOf(() => condition.wait())
        await condition.locked()
        throw over
      })
      expect(await failureOf(() => ended)).toBe(over)
      expect(await waiting).toBeInstanceOf(NotHeldError)
      const woken: number[] = []
      const [flow] = await standInCondition(condition, 1, woken)
      await condition.with(() => condition.notify())
      await flow
      expect(await condition.locked()).toBe(false)
    })

    check('tokens rise through waits', async ({ mp }) => {
      const condition = mp.condition()
      const tokens: number[] = []
      const flow = async (): Promise<void> => {
        await condition.with(async (lease) => {
          tokens.push(lease.token)
          await condition.notify()
          await Promise.allSettled([condition.wait({ timeout: 5 })])
          tokens.push(lease.token)
        })
      }
      await Promise.all([flow(), flow(), flow()])
      expect(tokens).toEqual(ascending([...new Set(tokens)]))
    })
  })
}
