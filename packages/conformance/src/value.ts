/** A shared value: copies in and out, and changes that nobody's are lost between. */
import { ArgumentError, CapacityError, EncodeError, StateError, TimeoutError } from '@skein/core'
import type { Lock } from '@skein/core'
import { expect } from 'vitest'
import { failureOf, messageOf, untyped } from './checking.ts'
import type { Suite } from './harness.ts'
import { addByName, addEach, hammer, increment, readValue, storedLocked } from './targets/shared.ts'

export function valueSuite(suite: Suite): void {
  suite('value', (check) => {
    check('what is set is what is read, here and in other processes', async ({ mp, start }) => {
      const value = mp.value<unknown>('first')
      expect(await value.get()).toBe('first')
      const kept = new Map([['when', [new Date(5), 1n, undefined, -0]]])
      await value.set(kept)
      expect(await value.get()).toEqual(kept)
      expect(await (await start(mp.process(readValue<unknown>, [value]))).result()).toEqual(kept)
    })

    check('a copy is stored and a copy is read', async ({ mp }) => {
      const mine = { list: [1] }
      const value = mp.value(mine)
      mine.list.push(2)
      const read = await value.get()
      read.list.push(3)
      const setting = value.set(mine)
      mine.list.push(4)
      await setting
      expect([read.list, (await value.get()).list]).toEqual([
        [1, 3],
        [1, 2],
      ])
    })

    check('a stored handle stays shared', async ({ mp, start }) => {
      const lock = mp.lock()
      const value = mp.value<{ lock: Lock }>({ lock })
      await lock.acquire()
      expect(await (await value.get()).lock.tryAcquire()).toBeNull()
      expect(await (await start(mp.process(storedLocked, [value]))).result()).toBe(true)
      await lock.release()
    })

    check('no update is lost between processes', async ({ mp, start }) => {
      const value = mp.value(0)
      const [times, processes] = [40, [1, 2, 3]]
      const children = await Promise.all(processes.map(() => start(mp.process(increment, [value, times]))))
      await increment(value, times)
      await Promise.all(children.map((child) => child.result()))
      expect(await value.get()).toBe(times * 4)
    })

    check('no update is lost between flows of one process', async ({ mp }) => {
      const value = mp.value<number[]>([])
      const all = Array.from({ length: 30 }, (_, n) => n)
      await Promise.all(all.map((n) => value.update((list) => [...list, n])))
      expect((await value.get()).toSorted((a, b) => a - b)).toEqual(all)
    })

    check('update() calls again when somebody else was faster, and gives what was stored', async ({ mp }) => {
      const value = mp.value('a')
      const seen: string[] = []
      const result = await value.update(async (current) => {
        seen.push(current)
        if (seen.length === 1) await value.set('b')
        return `${current}!`
      })
      expect([result, seen, await value.get()]).toEqual(['b!', ['a', 'b'], 'b!'])
    })

    check('what the function of update() throws is thrown, and nothing has changed', async ({ mp }) => {
      const value = mp.value({ n: 1 })
      const mine = new RangeError('mine')
      const spoil = (current: { n: number }): never => {
        current.n = 7
        throw mine
      }
      expect(await failureOf(() => value.update(spoil))).toBe(mine)
      expect(await failureOf(() => value.update(() => Promise.reject(mine)))).toBe(mine)
      expect(await value.get()).toEqual({ n: 1 })
    })

    check('an update gets through to a value that somebody writes without a pause', async ({ mp, start }) => {
      const value = mp.value(0)
      const [said, words] = [mp.queue<number>(), mp.queue<string>()]
      const child = await start(mp.process(hammer, [value, said, words]))
      await said.get()
      for (let round = 1; round <= 3; round += 1) {
        const slow = (n: number): Promise<number> => new Promise((done) => setTimeout(() => done(n - 1), 20))
        // From -1, or from what the round before has left for a moment.
        expect(await value.update(slow, { timeout: 15_000 })).toBeLessThanOrEqual(-2)
      }
      await words.put('end')
      expect(await child.result()).toBeGreaterThan(0)
    })

    check('an update that always loses runs out of time, and has changed nothing', async ({ mp }) => {
      const value = mp.value(0)
      let writes = 0
      const lose = async (): Promise<number> => {
        writes += 1
        await value.set(writes)
        return -1
      }
      const asked = performance.now()
      expect(await failureOf(() => value.update(lose, { timeout: 50 }))).toBeInstanceOf(TimeoutError)
      expect(performance.now() - asked).toBeGreaterThanOrEqual(49)
      expect(await failureOf(() => value.update(lose, { timeout: 0 }))).toBeInstanceOf(TimeoutError)
      expect(await value.get()).toBe(writes)
      expect(await value.update((n) => n + 1)).toBe(writes + 1)
    })

    check('a signal that is aborted already: the function is not called', async ({ mp }) => {
      const value = mp.value(1)
      const reason = new Error('changed my mind')
      let called = false
      const update = value.update(() => ((called = true), 2), { signal: AbortSignal.abort(reason) })
      await expect(update).rejects.toBe(reason)
      expect([called, await value.get()]).toEqual([false, 1])
    })

    check('an abort while the function runs: nothing is changed', async ({ mp }) => {
      const value = mp.value(1)
      const abort = new AbortController()
      const reason = new Error('enough')
      const update = value.update(
        async () => {
          abort.abort(reason)
          return 2
        },
        { signal: abort.signal },
      )
      await expect(update).rejects.toBe(reason)
      expect(await value.get()).toBe(1)
    })

    check('add() gives the sum, and no summand is lost', async ({ mp, start }) => {
      const value = mp.value(0)
      const children = await Promise.all([1, 1000].map((n) => start(mp.process(addEach, [value, n, 50]))))
      await Promise.all(children.map((child) => child.result()))
      expect(await value.add(-1)).toBe(50 * 1001 - 1)
      expect(await value.get()).toBe(50 * 1001 - 1)
    })

    check('add() gives the bits that + gives', async ({ mp }) => {
      const value = mp.value(0)
      const sums: readonly (readonly [number, number])[] = [
        [0.1, 0.2],
        [1 / 3, 1e-20],
        [2 ** 53 - 1, 1],
        [2 ** 53, 1],
        [2 ** 63, 2 ** 64],
        [123_456_789_012_345_680, 0.5],
        [5e-324, -5e-324],
        [5e-324, 1e-310],
        [-0, -0],
        [0, -0],
        [Number.MAX_VALUE, Number.MAX_VALUE],
        [-Number.MAX_VALUE, -Number.MAX_VALUE],
        [Infinity, -1],
        [Number.NaN, 1],
        [Math.PI * 1e200, -Math.E * 1e184],
      ]
      for (const [a, b] of sums) {
        await value.set(a)
        const sum = await value.add(b)
        expect([a, b, Object.is(sum, a + b), Object.is(await value.get(), a + b)]).toEqual([a, b, true, true])
      }
      for (let round = 0; round < 50; round += 1) {
        const [a, b] = [Math.random() * 10 ** (round - 25), (Math.random() - 0.5) * 10 ** (round - 26)]
        await value.set(a)
        expect([a, b, await value.add(b)]).toEqual([a, b, a + b])
      }
    })

    check('add() takes finite numbers, and only where there is one', async ({ mp }) => {
      const value = mp.value<unknown>('text')
      const add = (n: unknown): Promise<unknown> => (value as unknown as { add(n: unknown): Promise<unknown> }).add(n)
      for (const n of [Number.NaN, Infinity, '1', 1n, undefined]) {
        expect(await failureOf(() => add(n))).toBeInstanceOf(ArgumentError)
      }
      for (const kept of ['1', null, 1n, [1], { n: 1 }, mp.lock()]) {
        await value.set(kept)
        expect(await failureOf(() => add(1))).toBeInstanceOf(StateError)
      }
      await value.set(1)
      expect(await add(1)).toBe(2)
    })

    check('the same name is the same value; the first creator gives what it begins with', async (tools) => {
      const { mp, start, unique } = tools
      const name = unique('hits')
      const value = mp.value(10, name)
      expect(await mp.value(99, { name }).get()).toBe(10)
      expect(await (await start(mp.process(addByName, [name, 77]))).result()).toBe(11)
      expect(await value.get()).toBe(11)
      await value.destroy()
    })

    check('a destroyed value is gone for everybody; its name may be used again', async ({ mp, start, unique }) => {
      const name = unique('gone')
      const [value, other] = [mp.value(1, name), mp.value(2, name)]
      await other.set(3)
      await value.destroy()
      await value.destroy()
      for (const handle of [value, other]) {
        for (const call of [() => handle.get(), () => handle.set(4), () => handle.update((n) => n)]) {
          expect(await failureOf(call)).toBeInstanceOf(StateError)
        }
      }
      expect(await failureOf(async () => (await start(mp.process(readValue, [value]))).result())).toBeInstanceOf(
        StateError,
      )
      const again = mp.value(5, name)
      expect(await again.get()).toBe(5)
      await again.destroy()
    })

    check('what cannot be stored is refused with its path, and nothing has changed', async ({ mp }) => {
      const value = mp.value<unknown>(1)
      const calls: readonly (readonly [() => unknown, string])[] = [
        [() => mp.value(untyped({ f: () => 1 })), 'initial.f'],
        [() => value.set({ deep: [Symbol('s')] }), 'value.deep[0]'],
        [() => value.update(() => ({ f: () => 1 })), 'result.f'],
      ]
      for (const [call, path] of calls) {
        expect(await failureOf(call)).toBeInstanceOf(EncodeError)
        expect(await messageOf(call)).toContain(path)
      }
      expect(await value.get()).toBe(1)
    })

    check('a megabyte goes in and out; more than 64 are refused', async ({ mp }) => {
      const value = mp.value<unknown>(null)
      const large = { text: 'x'.repeat(500_000), bytes: new Uint8Array(500_000).fill(7) }
      await value.set(large)
      expect(await value.get()).toEqual(large)
      expect(await failureOf(() => value.set('x'.repeat(67_108_864)))).toBeInstanceOf(CapacityError)
      expect(await value.get()).toEqual(large)
    })
  })
}
