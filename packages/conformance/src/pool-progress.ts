/** How far a map has come, told while it runs. */
import { ArgumentError, bind } from '@skein/core'
import type { Progress, StreamProgress } from '@skein/core'
import { expect } from 'vitest'
import { failureOf } from './checking.ts'
import type { Suite } from './harness.ts'
import { add, double } from './targets/basic.ts'
import { passGate, tellAndFailOdd } from './targets/pool.ts'
import { until } from './until.ts'

const items = Array.from({ length: 200 }, (_, n) => n)

function expectRising(told: readonly (Progress | StreamProgress)[]): void {
  for (const [at, { done }] of told.entries()) expect(done).toBeGreaterThan(at === 0 ? 0 : (told[at - 1]?.done ?? 0))
}

export function poolProgressSuite(suite: Suite): void {
  suite('pool: progress', (check) => {
    for (const chunkSize of [1, 30]) {
      check(
        `map() tells how many tasks have ended, all of them before its result, in chunks of ${chunkSize}`,
        async (t) => {
          const workers = t.pool(2)
          const told: Progress[] = []
          const onProgress = (progress: Progress): void => void told.push(progress)
          expect(await workers.map(double, items, { chunkSize, onProgress })).toHaveLength(200)
          expect(told.at(-1)).toEqual({ done: 200, total: 200 })
          expect(told.every(({ total }) => total === 200)).toBe(true)
          expectRising(told)
          const pairs = items.map((n): [number, number] => [n, 1])
          await workers.starmapAsync(add, pairs, { chunkSize, onProgress: (progress) => told.push(progress) })
          expect(told.at(-1)).toEqual({ done: 200, total: 200 })
        },
      )
    }

    check('what has ended is told while others run (joblib#1063)', async ({ mp, pool }) => {
      const workers = pool(2)
      const [arrived, gate] = [mp.queue<number>(), mp.queue<string>()]
      let done = 0
      const onProgress = (progress: Progress): void => void (done = progress.done)
      const result = workers.mapAsync(bind(passGate, arrived, gate, 3), [0, 1, 2, 3, 4, 5], {
        chunkSize: 1,
        onProgress,
      })
      await arrived.get()
      await until('the others have ended', () => done === 5)
      await gate.put('go')
      await result
      expect(done).toBe(6)
    })

    check('tasks that throw have ended, too', async ({ mp, pool }) => {
      const workers = pool(1)
      const told: Progress[] = []
      const target = bind(tellAndFailOdd, mp.queue<number>())
      const onProgress = (progress: Progress): void => void told.push(progress)
      expect(await failureOf(() => workers.map(target, [0, 1, 2, 3], { onProgress }))).toBeInstanceOf(RangeError)
      expect(told.at(-1)).toEqual({ done: 4, total: 4 })
    })

    for (const call of ['imap', 'imapUnordered'] as const) {
      check(`${call}() knows the total when its input has ended`, async ({ pool }) => {
        const told: StreamProgress[] = []
        const onProgress = (progress: StreamProgress): void => void told.push(progress)
        const results = pool(2)[call](double, items, { onProgress, window: 5 })
        expect(told).toEqual([])
        for await (const _ of results) expect(told.length).toBeGreaterThan(0)
        expect(told.at(-1)).toEqual({ done: 200, total: 200 })
        expect(told[0]).toEqual({ done: 1, total: null })
      })
    }

    check('what it throws, at once or later, rejects the call, and the pool goes on', async ({ pool }) => {
      const workers = pool(1)
      const mistake = new Error('no such bar')
      const atOnce = (): never => {
        throw mistake
      }
      const later = (): Promise<never> => Promise.reject(mistake)
      expect(await failureOf(() => workers.map(double, items, { onProgress: atOnce }))).toBe(mistake)
      expect(await failureOf(() => workers.map(double, items, { chunkSize: 1, onProgress: later }))).toBe(mistake)
      const told: StreamProgress[] = []
      const tellAndThrow = (progress: StreamProgress): never => {
        told.push(progress)
        throw mistake
      }
      const results = workers.imap(double, items, { onProgress: tellAndThrow, window: 1 })
      expect(await failureOf(() => results.next())).toBe(mistake)
      // Once, and without a total that nobody knows.
      expect(told).toEqual([{ done: 1, total: null }])
      expect(await workers.map(double, [1, 2])).toEqual([2, 4])
    })

    check('something that cannot be called is refused', ({ pool }) => {
      const workers = pool(1)
      const onProgress = 'bar' as unknown as () => void
      expect(() => workers.imap(double, items, { onProgress })).toThrow(ArgumentError)
      expect(() => workers.mapAsync(double, items, { onProgress })).toThrow('onProgress must be a function, got "bar"')
    })
  })
}
