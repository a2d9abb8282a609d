import { beforeEach, describe, expect, it, vi } from 'vitest'
import { ArgumentError, EncodeError, PoolClosedError, WorkerLostError } from '../../src/errors.ts'
import { held, holds, open, reset } from './gate.ts'
import { collect, Naturals, range } from './inputs.ts'
import { openLoopback, settle } from './loopback.ts'
import { refuseUnhandled } from './unhandled.ts'

refuseUnhandled()
beforeEach(reset)

function identity<T>(value: T): T {
  return value
}

function failOdd(n: number): number {
  if (n % 2 === 1) throw new RangeError(`odd: ${n}`)
  return n
}

describe('imap', () => {
  it.each([undefined, 1, 3, 50])('gives the results in the order of the items, in chunks of %s', async (chunkSize) => {
    const { pool } = openLoopback(2)
    expect(await collect(pool.imap(identity<number>, range(100), { chunkSize }))).toEqual(range(100))
    expect(await collect(pool.imap(identity<number>, [], { chunkSize }))).toEqual([])
  })

  it('holds back what is ready before its turn, which imapUnordered does not', async () => {
    const { pool } = openLoopback(2)
    const ordered = pool.imap(held, ['a', 'b'])
    await holds('b')
    const first = ordered.next()
    open('b')
    const seen = vi.fn<() => void>()
    void first.then(seen)
    await settle()
    expect(seen).not.toHaveBeenCalled()
    open('a')
    expect(await first).toEqual({ done: false, value: 'a' })
    expect(await ordered.next()).toEqual({ done: false, value: 'b' })
    expect(await ordered.next()).toEqual({ done: true, value: undefined })
    const unordered = pool.imapUnordered(held, ['c', 'd'])
    await holds('d')
    open('d')
    expect(await unordered.next()).toEqual({ done: false, value: 'd' })
    open('c')
    expect(await collect(unordered)).toEqual(['c'])
  })

  it.each([
    [1, 1],
    [5, 1],
    [5, 2],
    [3, 10],
  ])('with a window of %i and chunks of %i is never further ahead than that', async (window, chunkSize) => {
    const { pool } = openLoopback(2)
    const items = new Naturals()
    const results = pool.imap(identity<number>, items, { window, chunkSize })
    for (let taken = 0; taken < 50; taken += 1) {
      await settle()
      expect(items.asked).toBeLessThanOrEqual(taken + window)
      expect(items.asked).toBeGreaterThan(taken)
      expect((await results.next()).value).toBe(taken)
    }
    await settle()
    expect(items.asked).toBeLessThanOrEqual(50 + window)
    await results.return?.()
  })

  it('begins at the call', async () => {
    const { pool } = openLoopback(1)
    const results = pool.imap(held, ['a', 'b'])
    await holds('a')
    open('a')
    await holds('b')
    open('b')
    await settle()
    expect(await collect(results)).toEqual(['a', 'b'])
  })

  it('may be asked for several results at once; each call gets its own', async () => {
    const { pool } = openLoopback(2)
    const results = pool.imap(identity<number>, range(5), { window: 2 })
    const steps = await Promise.all(range(8).map(() => results.next()))
    expect(steps.map(({ value }) => value)).toEqual([0, 1, 2, 3, 4, undefined, undefined, undefined])
    expect(steps.map(({ done }) => done)).toEqual([false, false, false, false, false, true, true, true])
  })

  it('takes what an asynchronous input gives, also where it waits for a result', async () => {
    const { pool } = openLoopback(1)
    let heard: (value: number) => void = () => undefined
    async function* items(): AsyncGenerator<number> {
      yield 1
      yield await new Promise<number>((resolve) => (heard = resolve))
    }
    const results = pool.imap(identity<number>, items(), { chunkSize: 10 })
    const first = await results.next()
    heard(Number(first.value) + 1)
    expect(await collect(results)).toEqual([2])
  })

  it('keeps each item as it was when it was pulled', async () => {
    const { pool } = openLoopback(1)
    function* items(): Generator<{ n: number }> {
      const item = { n: 0 }
      for (; item.n < 3; item.n += 1) yield item
    }
    expect(await collect(pool.imap(identity<{ n: number }>, items()))).toEqual([{ n: 0 }, { n: 1 }, { n: 2 }])
  })

  it('checks its call at once', () => {
    const { pool } = openLoopback(1)
    expect(() => pool.imap(identity<number>, 5 as never)).toThrow(ArgumentError)
    expect(() => pool.imap(identity<number>, [1], { window: 0 })).toThrow(
      'window must be an integer of 1 or more, got 0',
    )
    expect(() => pool.imap(identity<number>, [1], { windw: 1 } as never)).toThrow('did you mean "window"?')
    expect(() => pool.imapUnordered(identity<number>, [1], { chunkSize: 0 })).toThrow('chunkSize')
    pool.close()
    expect(() => pool.imap(identity<number>, [1])).toThrow(PoolClosedError)
  })
})

describe('an imap that fails', () => {
  it('by a task: gives the results before it, then its error, then nothing', async () => {
    const { pool, fleet } = openLoopback(1)
    const items = new Naturals()
    const results = pool.imap(failOdd, items, { window: 4 })
    expect(await results.next()).toEqual({ done: false, value: 0 })
    await expect(results.next()).rejects.toThrow('odd: 1')
    expect(items.closed).toHaveBeenCalledOnce()
    expect(await results.next()).toEqual({ done: true, value: undefined })
    const asked = items.asked
    await settle()
    expect(items.asked).toBe(asked)
    expect(fleet.workers).toHaveLength(1)
    pool.close()
    await pool.join()
  })

  it('by its input: gives the results of the items before it, then that very error', async () => {
    const { pool } = openLoopback(1)
    const error = new Error('out of items')
    function* failing(): Generator<number> {
      yield 1
      yield 2
      throw error
    }
    for (const call of ['imap', 'imapUnordered'] as const) {
      const seen: number[] = []
      const loop = async (): Promise<void> => {
        for await (const result of pool[call](identity<number>, failing())) seen.push(result)
      }
      await expect(loop()).rejects.toBe(error)
      expect(seen).toEqual([1, 2])
    }
  })

  it.each([1, 4])('by an item that cannot cross, in chunks of %i: names its index', async (chunkSize) => {
    const { pool } = openLoopback(1)
    const closed = vi.fn<() => void>()
    function* items(): Generator {
      try {
        yield 1
        yield 2
        yield { onDone: () => undefined }
        yield 3
      } finally {
        closed()
      }
    }
    const seen: unknown[] = []
    const results = pool.imap(identity<unknown>, items(), { chunkSize, window: 4 })
    const loop = async (): Promise<void> => {
      for await (const result of results) seen.push(result)
    }
    const error: unknown = await loop().catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(EncodeError)
    expect(String(error)).toContain('items[2].onDone is a function')
    expect(seen).toEqual([1, 2])
    expect(closed).toHaveBeenCalledOnce()
  })

  it('by a death: rejects with it, or runs the task again', async () => {
    const { pool, fleet } = openLoopback(1)
    const results = pool.imap(held, ['a', 'b'])
    await holds('a')
    fleet.kill(fleet.submitted[0]?.id ?? 0)
    await expect(results.next()).rejects.toThrow(WorkerLostError)
    const again = pool.imap(held, ['c', 'd'], { retries: 1 })
    await holds('c')
    fleet.kill(fleet.submitted.at(-2)?.id ?? 0)
    await settle()
    for (const name of ['c', 'd']) open(name)
    expect(await collect(again)).toEqual(['c', 'd'])
  })

  it('rejects one of those who wait, and ends for the others', async () => {
    const { pool } = openLoopback(1)
    const results = pool.imap(failOdd, [1, 1])
    const steps = await Promise.allSettled([results.next(), results.next(), results.next()])
    expect(steps.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled'])
    expect(steps.at(-1)).toMatchObject({ value: { done: true } })
  })
})
