/** Results while the input is still being read: order, window, leaving early. */
import { bind, PoolClosedError } from '@skein/core'
import type { Queue } from '@skein/core'
import { expect } from 'vitest'
import { ascending, failureOf } from './checking.ts'
import type { Suite } from './harness.ts'
import { add, double, pid } from './targets/basic.ts'
import { passGate, tell, tellAndFailOdd } from './targets/pool.ts'
import { until } from './until.ts'

export function poolImapSuite(suite: Suite): void {
  suite('pool: imap', (check) => {
    check('imap() gives the results in the order of the items', async ({ pool }) => {
      const workers = pool(2)
      const items = Array.from({ length: 500 }, (_, n) => n)
      for (const options of [{}, { chunkSize: 7 }, { window: 1 }, { window: 10, chunkSize: 100 }]) {
        expect(await collect(workers.imap(double, items, options))).toEqual(items.map((n) => n * 2))
      }
      expect(await collect(workers.imap(double, []))).toEqual([])
      expect(await collect(workers.imap(bind(add, 1), new Set([1, 2])))).toEqual([2, 3])
    })

    check(
      'imapUnordered() gives each result as soon as it is there, however long others take (ray#29466)',
      async (tools) => {
        const { mp, pool } = tools
        const workers = pool(2)
        const [arrived, gate] = [mp.queue<number>(), mp.queue<string>()]
        const results = workers.imapUnordered(bind(passGate, arrived, gate, 0), [0, 1, 2, 3, 4])
        const first: number[] = []
        for (let taken = 0; taken < 4; taken += 1) first.push((await results.next()).value)
        expect(ascending(first)).toEqual([1, 2, 3, 4])
        await arrived.get()
        await gate.put('go')
        expect(await results.next()).toEqual({ done: false, value: 0 })
        expect(await results.next()).toMatchObject({ done: true })
      },
    )

    for (const [window, chunkSize] of [
      [1, 1],
      [4, 1],
      [6, 3],
    ] as const) {
      check(
        `an endless input is never more than ${window} ahead, in chunks of ${chunkSize} (cpython#84291)`,
        async (tools) => {
          const { mp, pool } = tools
          const workers = pool(2)
          const seen = mp.queue<number>()
          for (const call of ['imap', 'imapUnordered'] as const) {
            const input = new Naturals()
            const results = workers[call](bind(tell, seen), input, { window, chunkSize })
            let taken = 0
            for await (const _ of results) {
              taken += 1
              expect(input.asked).toBeLessThanOrEqual(taken + window)
              if (taken === 30) {
                // All that may run has run: still nothing more was asked for.
                await until('the window is full', async () => (await seen.size()) >= 30 + window - chunkSize + 1)
                expect(input.asked).toBeLessThanOrEqual(taken + window)
                break
              }
            }
            expect(input.closed).toBe(true)
            for (let left = await seen.tryGet(); left !== null; left = await seen.tryGet());
          }
        },
      )
    }

    check('an asynchronous input may wait for results, and may be a queue', async ({ mp, pool }) => {
      const workers = pool(2)
      const queue = mp.queue<number>()
      const results = workers.imap(double, queue, { chunkSize: 10 })
      await queue.put(1)
      for (let value = 2; value <= 32; value *= 2) {
        expect((await results.next()).value).toBe(value)
        await queue.put(value)
      }
      await queue.close()
      expect(await collect(results)).toEqual([64])
    })

    check('an input that waits for ever does not keep a loop that was left', async ({ mp, pool }) => {
      const queue: Queue<number> = mp.queue()
      await queue.put(1)
      for await (const result of pool(1).imap(double, queue)) {
        expect(result).toBe(2)
        break
      }
      await queue.close()
    })

    check('next() may be called any number of times at once', async ({ pool }) => {
      const results = pool(2).imap(double, [0, 1, 2, 3, 4], { window: 2 })
      const steps = await Promise.all(Array.from({ length: 7 }, () => results.next()))
      expect(steps.map(({ value }) => value)).toEqual([0, 2, 4, 6, 8, undefined, undefined])
      expect(steps.map(({ done }) => done === true)).toEqual([false, false, false, false, false, true, true])
    })

    for (const chunkSize of [1, 5]) {
      check(
        `leaving early, in chunks of ${chunkSize}: what has not started never runs, what runs ends well`,
        async (t) => {
          const { mp, pool } = t
          const workers = pool(1)
          const worker = await workers.apply(pid)
          const [arrived, gate, seen] = [mp.queue<number>(), mp.queue<string>(), mp.queue<number>()]
          const input = new Naturals()
          const results = workers.imap(bind(passGate, arrived, gate, 0), input, { window: 5, chunkSize })
          const waiting = results.next()
          await arrived.get()
          await results.return?.()
          expect(await waiting).toMatchObject({ done: true })
          expect(input.closed).toBe(true)
          expect(await results.next()).toMatchObject({ done: true })
          const after = workers.apply(tell, [seen, 1])
          expect(await seen.tryGet()).toBeNull()
          await gate.put('go')
          expect(await after).toBe(1)
          expect(await workers.apply(pid)).toBe(worker)
          expect(await arrived.tryGet()).toBeNull()
        },
      )
    }

    check(
      'a task’s error ends it: the results before it come first, what has not started never runs',
      async (tools) => {
        const { mp, pool } = tools
        const workers = pool(1)
        const seen = mp.queue<number>()
        const input = new Naturals()
        const got: number[] = []
        const loop = async (): Promise<void> => {
          for await (const result of workers.imap(bind(tellAndFailOdd, seen), input, { window: 2 })) got.push(result)
        }
        await expect(loop()).rejects.toThrow('odd: 1')
        expect(got).toEqual([0])
        expect(input.closed).toBe(true)
        await workers.apply(add, [1, 2])
        expect(await seen.size()).toBeLessThanOrEqual(3)
      },
    )

    check('an input that throws: its error comes after the results of the items before it', async ({ pool }) => {
      const workers = pool(2)
      const error = new Error('out of items')
      async function* failing(): AsyncGenerator<number> {
        yield 1
        yield 2
        throw error
      }
      for (const call of ['imap', 'imapUnordered'] as const) {
        const got: number[] = []
        const loop = async (): Promise<void> => {
          for await (const result of workers[call](double, failing())) got.push(result)
        }
        expect(await failureOf(loop)).toBe(error)
        expect(ascending(got)).toEqual([2, 4])
      }
    })

    check('close() lets a loop go on to its end, and join() waits for it', async ({ pool }) => {
      const workers = pool(2)
      const items = Array.from({ length: 50 }, (_, n) => n)
      const looping = collect(workers.imap(double, items, { window: 2 }))
      workers.close()
      await workers.join()
      expect(await looping).toEqual(items.map((n) => n * 2))
    })

    check(
      'close() and join() end although an iterator was left half way without a word (cpython#155477)',
      async ({ pool }) => {
        const workers = pool(2)
        const input = new Naturals()
        const results = workers.imap(double, input, { window: 3 })
        expect((await results.next()).value).toBe(0)
        workers.close()
        await workers.join()
        expect(input.asked).toBe(4)
        expect(input.closed).toBe(true)
        for (const value of [2, 4, 6]) expect(await results.next()).toEqual({ done: false, value })
        expect(await failureOf(() => results.next())).toBeInstanceOf(PoolClosedError)
      },
    )
  })
}

/** 0, 1, 2, … for ever. */
class Naturals implements Iterable<number> {
  asked = 0
  closed = false;

  *[Symbol.iterator](): Generator<number> {
    try {
      for (;;) {
        this.asked += 1
        yield this.asked - 1
      }
    } finally {
      this.closed = true
    }
  }
}

async function collect<T>(results: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const result of results) all.push(result)
  return all
}
