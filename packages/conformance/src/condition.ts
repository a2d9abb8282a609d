/** A condition: who holds the lock waits for others to change something, and they tell. Its waits are in condition-waits.ts, deaths in condition-deaths.ts. */
import { ArgumentError, ConflictError, LeaseLostError, NotHeldError, StateError, TimeoutError } from '@skein/core'
import { expect } from 'vitest'
import { failureOf, messageOf, untyped } from './checking.ts'
import { standInCondition } from './condition-waits.ts'
import type { Suite } from './harness.ts'
import { consume, notifyBare, notifyOnce, waitOnce } from './targets/condition.ts'

export function conditionSuite(suite: Suite): void {
  suite('condition', (check) => {
    check('a wait ends when another process notifies', async ({ mp, start }) => {
      const condition = mp.condition()
      const waiting = condition.with(async () => {
        const child = await start(mp.process(notifyOnce, [condition]))
        await condition.wait()
        return child
      })
      expect((await (await waiting).join()).exitCode).toBe(0)
      expect(await condition.locked()).toBe(false)
    })

    check('a producer and consumers in other processes: each item is taken once, nobody sleeps on', async (tools) => {
      const { mp, start } = tools
      const condition = mp.condition()
      const [items, taken] = [mp.queue<string | null>(), mp.queue<string>()]
      const children = [1, 2, 3].map(() => mp.process(consume, [condition, items, taken]))
      for (const child of children) await start(child)
      const put = (item: string | null): Promise<void> =>
        condition.with(async () => {
          await items.put(item)
          await condition.notify()
        })
      const all = Array.from({ length: 40 }, (_, index) => `item ${index}`)
      for (const item of all) await put(item)
      for (let child = 0; child < children.length; child += 1) await put(null)
      for (const child of children) expect((await child.join()).exitCode).toBe(0)
      const got: string[] = []
      for (let item = 0; item < all.length; item += 1) got.push(await taken.get())
      expect(got.toSorted()).toEqual(all.toSorted())
    })

    check('without the lock nothing can be done with it', async ({ mp, start }) => {
      const condition = mp.condition()
      const calls = [
        () => condition.wait(),
        () => condition.wait({ timeout: 0 }),
        () => condition.waitFor(() => true),
        () => condition.notify(),
        () => condition.notifyAll(),
        () => condition.release(),
      ]
      for (const call of calls) expect(await failureOf(call)).toBeInstanceOf(NotHeldError)
      await condition.with(async () => {
        const child = await start(mp.process(notifyBare, [condition]))
        expect(await failureOf(() => child.result())).toBeInstanceOf(NotHeldError)
      })
      for (const call of calls) expect(await failureOf(call)).toBeInstanceOf(NotHeldError)
    })

    check('what one flow holds is not held by another one of the process', async ({ mp }) => {
      for (const lock of [undefined, mp.lock(), mp.rlock()]) {
        const condition = mp.condition({ lock })
        let [entered, leave] = [(): void => {}, (): void => {}]
        const inside = new Promise<void>((resolve) => (entered = resolve))
        const left = new Promise<void>((resolve) => (leave = resolve))
        const holder = condition.with(async () => {
          entered()
          await left
          await condition.notify()
        })
        await inside
        for (const call of [() => condition.notify(), () => condition.wait()]) {
          expect(await failureOf(call)).toBeInstanceOf(NotHeldError)
        }
        leave()
        await holder
      }
    })

    check('after a bare acquire() any flow of the process may use it', async ({ mp }) => {
      for (const lock of [mp.lock(), mp.rlock()]) {
        const condition = mp.condition({ lock })
        const lease = await lock.acquire()
        const waiting = condition.wait()
        await condition.with(() => condition.notify())
        await waiting
        lease.assertHeld()
        expect(await lease.release()).toBe(true)
        expect(await lock.locked()).toBe(false)
      }
    })

    check('notify(n) wakes the first n that wait, or all there are, in the order of waiting', async ({ mp }) => {
      const condition = mp.condition()
      const woken: number[] = []
      const flows = await standInCondition(condition, 6, woken)
      await condition.with(() => condition.notify(2))
      await Promise.all(flows.slice(0, 2))
      await condition.with(() => condition.notify())
      await flows[2]
      await condition.with(() => expect(woken).toEqual([0, 1, 2]))
      await condition.with(() => condition.notify(100))
      await Promise.all(flows)
      expect(woken).toEqual([0, 1, 2, 3, 4, 5])
    })

    check('notifyAll() wakes all, and a notification is not kept for who comes later', async ({ mp }) => {
      const condition = mp.condition()
      await condition.with(() => condition.notifyAll())
      const woken: number[] = []
      const flows = await standInCondition(condition, 4, woken)
      await condition.with(() => condition.notifyAll())
      await Promise.all(flows)
      expect(woken).toEqual([0, 1, 2, 3])
      const error = await failureOf(() => condition.with(() => condition.wait({ timeout: 20 })))
      expect(error).toBeInstanceOf(TimeoutError)
    })

    check(
      'who is notified does not go on before it has the lock, and stands behind who asked before',
      async ({ mp }) => {
        const condition = mp.condition()
        const woken: number[] = []
        const [waiting] = await standInCondition(condition, 1, woken)
        const lease = await condition.acquire()
        const earlier = condition.acquire()
        await condition.locked()
        await condition.notify()
        await condition.locked()
        await lease.release()
        const first = await earlier
        await condition.locked()
        expect(woken).toEqual([])
        await first.release()
        await waiting
        expect(woken).toEqual([0])
      },
    )

    check(
      'an aborted wait rejects with the reason, under the lock; aborted before, nothing happens',
      async ({ mp }) => {
        const condition = mp.condition()
        const reason = new Error('changed my mind')
        await condition.with(async (lease) => {
          const { token } = lease
          expect(await failureOf(() => condition.wait({ signal: AbortSignal.abort(reason) }))).toBe(reason)
          expect(lease.token).toBe(token)
          const abort = new AbortController()
          const waiting = failureOf(() => condition.wait({ signal: abort.signal }))
          abort.abort(reason)
          expect(await waiting).toBe(reason)
          lease.assertHeld()
        })
        expect(await condition.locked()).toBe(false)
      },
    )

    check('several conditions of one lock have a line each', async ({ mp }) => {
      const lock = mp.lock()
      const [full, empty] = [mp.condition({ lock }), mp.condition({ lock })]
      const [one, other]: [number[], number[]] = [[], []]
      const [first] = await standInCondition(full, 1, one)
      const [second] = await standInCondition(empty, 1, other)
      await lock.with(() => empty.notifyAll())
      await second
      expect([one, other]).toEqual([[], [0]])
      await full.with(() => full.notify())
      await first
      expect(one).toEqual([0])
    })

    check('a handle crosses, with its lock', async ({ mp, start }) => {
      for (const condition of [mp.condition(), mp.condition({ lock: mp.lock() })]) {
        const [said, woken] = [mp.queue<number>(), mp.queue<number>()]
        const child = await start(mp.process(waitOnce, [condition, said, woken]))
        await said.get()
        await condition.with(() => condition.notify())
        expect(await woken.get()).toBe(child.pid)
        await child.join()
        expect(await condition.locked()).toBe(false)
      }
    })

    check('the same name is the same condition; with another lock it is a conflict that names both', async (tools) => {
      const { mp, unique } = tools
      const [name, lock] = [unique('news'), mp.lock(unique('desk'))]
      const [one, other] = [mp.condition({ name, lock }), mp.condition({ name, lock })]
      const woken: number[] = []
      const [flow] = await standInCondition(one, 1, woken)
      await other.with(() => other.notify())
      await flow
      const wrong = mp.condition(name)
      const message = await messageOf(() => wrong.with(() => wrong.notify()))
      expect(message).toContain(name)
      expect(message).toContain(lock.name)
      expect(await failureOf(() => wrong.with(() => wrong.wait()))).toBeInstanceOf(ConflictError)
      await one.destroy()
      await lock.destroy()
    })

    check('one with a lock of its own can be had by its name alone', async ({ mp, unique }) => {
      const name = unique('news')
      const [one, other] = [mp.condition(name), mp.condition({ name })]
      const woken: number[] = []
      const [flow] = await standInCondition(one, 1, woken)
      await mp.rlock(name).with(() => other.with(() => other.notify(), { timeout: 1_000 }))
      await flow
      await mp.rlock(name).destroy()
      await one.destroy()
    })

    check('one that was destroyed, or whose lock was, rejects who waits, and the lock is lost', async ({ mp }) => {
      for (const which of ['condition', 'lock'] as const) {
        const lock = mp.lock()
        const condition = mp.condition({ lock })
        let waiting: Promise<unknown> = Promise.resolve()
        await new Promise<void>((waits) => {
          waiting = condition.with(async (lease) => {
            const failed = failureOf(() => condition.wait())
            waits()
            expect(await failed).toBeInstanceOf(StateError)
            expect(() => lease.assertHeld()).toThrow(LeaseLostError)
          })
        })
        await condition.locked()
        await (which === 'lock' ? lock : condition).destroy()
        await waiting
        const next = await failureOf(() => condition.with(() => condition.wait()))
        expect(next).toBeInstanceOf(StateError)
      }
    })

    check('a number to notify that is none, and a predicate that is none', async ({ mp }) => {
      const condition = mp.condition()
      await condition.with(async () => {
        for (const count of [0, -1, 1.5, Number.NaN, untyped('2')]) {
          expect(await failureOf(() => condition.notify(count))).toBeInstanceOf(ArgumentError)
        }
        expect(await failureOf(() => condition.waitFor(untyped(true)))).toBeInstanceOf(ArgumentError)
        expect(await failureOf(() => condition.wait(untyped({ timout: 5 })))).toBeInstanceOf(ArgumentError)
      })
    })
  })
}
