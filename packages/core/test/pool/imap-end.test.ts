import { getEventListeners } from 'node:events'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { PoolClosedError, PoolTerminatedError } from '../../src/errors.ts'
import { held, holds, open, reset } from './gate.ts'
import { collect, Naturals, range } from './inputs.ts'
import { openLoopback, settle } from './loopback.ts'
import { refuseUnhandled } from './unhandled.ts'

refuseUnhandled()
beforeEach(reset)

function identity<T>(value: T): T {
  return value
}

function failClosing(): never {
  throw new Error('cannot close')
}

describe('leaving an imap', () => {
  it('drops what has not started, lets go on what runs, and closes the input', async () => {
    const { pool, fleet } = openLoopback(1)
    const items = new Naturals()
    const names = (function* (): Generator<string> {
      for (const n of items) yield `item ${n}`
    })()
    const results = pool.imap(held, names, { window: 4 })
    await holds('item 0')
    open('item 0')
    for await (const result of results) {
      expect(result).toBe('item 0')
      await holds('item 1')
      break
    }
    expect(items.closed).toHaveBeenCalledOnce()
    expect(fleet.cancelled).toEqual([])
    expect(fleet.left).toEqual(fleet.submitted.slice(1).map(({ id }) => id))
    open('item 1')
    await settle()
    expect(fleet.workers).toHaveLength(1)
    expect(fleet.alive).toBe(1)
    expect(await results.next()).toEqual({ done: true, value: undefined })
    expect(await pool.apply(identity<number>, [1])).toBe(1)
  })

  it('in the middle of a chunk passes over the rest of it', async () => {
    const { pool, fleet } = openLoopback(1)
    const results = pool.imap(held, ['a', 'b', 'c'], { chunkSize: 3 })
    await holds('a')
    await results.return?.()
    open('a')
    expect(await pool.apply(identity<number>, [1])).toBe(1)
    expect(fleet.workers).toHaveLength(1)
    const seen = vi.fn<() => void>()
    void holds('b').then(seen)
    await settle()
    expect(seen).not.toHaveBeenCalled()
  })

  it('waits for the input to be closed, and throws what it throws', async () => {
    const { pool } = openLoopback(1)
    const order: string[] = []
    async function* items(fail: boolean): AsyncGenerator<number> {
      try {
        for (;;) yield 1
      } finally {
        await settle()
        order.push('closed')
        if (fail) failClosing()
      }
    }
    const leave = async (fail: boolean): Promise<void> => {
      for await (const _ of pool.imap(identity<number>, items(fail), { window: 2 })) break
      order.push('left')
    }
    await leave(false)
    expect(order).toEqual(['closed', 'left'])
    await expect(leave(true)).rejects.toThrow('cannot close')
  })

  it('ends it for all who wait', async () => {
    const { pool } = openLoopback(1)
    const results = pool.imap(held, ['a'])
    const waiting = [results.next(), results.next()]
    expect(await results.return?.()).toEqual({ done: true, value: undefined })
    expect(await Promise.all(waiting)).toEqual([
      { done: true, value: undefined },
      { done: true, value: undefined },
    ])
  })

  it('is not needed by an input that never gives anything', async () => {
    const { pool } = openLoopback(1)
    const never = { [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => undefined) }) }
    const results = pool.imap(identity<number>, never)
    const waiting = results.next()
    await results.return?.()
    expect((await waiting).done).toBe(true)
    pool.close()
    await pool.join()
  })
})

describe('an abort of an imap', () => {
  it('rejects with its reason, closes the input and kills what runs', async () => {
    const { pool, fleet } = openLoopback(1)
    const items = new Naturals()
    const abort = new AbortController()
    const results = pool.imap(identity<number>, items, { window: 2, signal: abort.signal })
    expect((await results.next()).value).toBe(0)
    const reason = new Error('enough')
    abort.abort(reason)
    await expect(results.next()).rejects.toBe(reason)
    expect(items.closed).toHaveBeenCalledOnce()
    expect((await results.next()).done).toBe(true)
    fleet.cancelled.length = 0
    const running = new AbortController()
    const waiting = pool.imap(held, ['a', 'b'], { signal: running.signal })
    await holds('a')
    const step = waiting.next()
    running.abort(reason)
    await expect(step).rejects.toBe(reason)
    expect(fleet.cancelled).toHaveLength(2)
    expect(getEventListeners(running.signal, 'abort')).toHaveLength(0)
  })

  it('before the call: the input is not begun', async () => {
    const { pool } = openLoopback(1)
    const items = { [Symbol.iterator]: vi.fn<() => Iterator<number>>() }
    const reason = new Error('too late')
    const results = pool.imap(identity<number>, items, { signal: AbortSignal.abort(reason) })
    await expect(results.next()).rejects.toBe(reason)
    expect((await results.next()).done).toBe(true)
    expect(items[Symbol.iterator]).not.toHaveBeenCalled()
  })

  it('is not listened for after the end', async () => {
    const { pool } = openLoopback(1)
    const { signal } = new AbortController()
    await collect(pool.imap(identity<number>, range(3), { signal }))
    await pool.imap(identity<number>, range(3), { signal }).return?.()
    expect(getEventListeners(signal, 'abort')).toHaveLength(0)
  })
})

describe('an imap of a pool that ends', () => {
  it('by close(): goes on, and join() waits for the loop', async () => {
    const { pool } = openLoopback(2)
    const results = pool.imap(identity<number>, range(20), { window: 2 })
    pool.close()
    const seen: number[] = []
    const loop = async (): Promise<void> => {
      for await (const result of results) {
        seen.push(result)
        await settle()
      }
    }
    const looping = loop()
    await pool.join()
    await looping
    expect(seen).toEqual(range(20))
  })

  it('by close() and join() after results were taken by hand: pulls nothing more, gives what it has, and says so', async () => {
    const { pool } = openLoopback(2)
    const items = new Naturals()
    const results = pool.imap(identity<number>, items, { window: 3 })
    expect((await results.next()).value).toBe(0)
    pool.close()
    await pool.join()
    expect(items.asked).toBe(4)
    expect(items.closed).toHaveBeenCalledOnce()
    for (const value of [1, 2, 3]) expect(await results.next()).toEqual({ done: false, value })
    await expect(results.next()).rejects.toThrow(PoolClosedError)
    expect((await results.next()).done).toBe(true)
  })

  it('by terminate(): rejects', async () => {
    const { pool } = openLoopback(1)
    const items = new Naturals()
    const [waiting, idle, running] = [
      pool.imap(identity<number>, items, { window: 2 }),
      pool.imap(identity<number>, range(5)),
      pool.imap(held, ['a']),
    ]
    await holds('a')
    expect((await waiting.next()).value).toBe(0)
    const step = running.next()
    await pool.terminate()
    await expect(step).rejects.toThrow(PoolTerminatedError)
    await expect(waiting.next()).rejects.toThrow(PoolTerminatedError)
    expect(items.closed).toHaveBeenCalledOnce()
    // Its results are all there.
    expect(await collect(idle)).toEqual(range(5))
  })

  it('by a failure of its workers: rejects with that', async () => {
    const { pool, fleet } = openLoopback(1)
    const items = new Naturals()
    const results = pool.imap(identity<number>, items, { window: 2 })
    await settle()
    fleet.fail(new Error('no workers'))
    await expect(results.next()).rejects.toThrow('no workers')
    expect(items.closed).toHaveBeenCalledOnce()
    await expect(pool.imap(identity<number>, [1]).next()).rejects.toThrow('no workers')
  })

  it('in the middle of its input’s own code', async () => {
    const { pool } = openLoopback(1)
    const closed = vi.fn<() => void>()
    function* items(): Generator<number> {
      try {
        yield 1
        void pool.terminate()
        yield 2
      } finally {
        closed()
      }
    }
    const results = pool.imap(identity<number>, items())
    await expect(results.next()).rejects.toThrow(PoolTerminatedError)
    expect(closed).toHaveBeenCalledOnce()
  })
})
