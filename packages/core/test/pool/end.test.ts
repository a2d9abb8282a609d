import { beforeEach, describe, expect, it } from 'vitest'
import { PoolClosedError, PoolTerminatedError, StateError, TimeoutError } from '../../src/errors.ts'
import { held, holds, open, reset } from './gate.ts'
import { openLoopback } from './loopback.ts'
import { refuseUnhandled } from './unhandled.ts'

refuseUnhandled()
beforeEach(reset)

function add(a: number, b: number): number {
  return a + b
}

function fail(message: string): never {
  throw new RangeError(message)
}

describe('the end of a pool', () => {
  it('closed: takes no more, runs what it has, and its workers end', async () => {
    const { pool, fleet } = openLoopback(2)
    const results = ['a', 'b', 'c', 'd'].map((name) => pool.apply(held, [name]))
    pool.close()
    pool.close()
    await expect(pool.apply(add, [1, 2])).rejects.toThrow(PoolClosedError)
    await expect(pool.map(String, [1])).rejects.toThrow(PoolClosedError)
    expect(() => pool.applyAsync(add, [1, 2])).toThrow(PoolClosedError)
    const joined = pool.join()
    await expect(pool.join({ timeout: 20 })).rejects.toThrow(TimeoutError)
    await expect(pool.join({ timeout: 0 })).rejects.toThrow(TimeoutError)
    for (const name of ['a', 'b', 'c', 'd']) open(name)
    expect(await Promise.all(results)).toEqual(['a', 'b', 'c', 'd'])
    await joined
    expect(fleet.alive).toBe(0)
  })

  it('joined while open: StateError', async () => {
    const { pool } = openLoopback()
    await expect(pool.join()).rejects.toThrow(StateError)
    pool.close()
    await pool.join({ timeout: 5000 })
    await pool.join()
  })

  it('terminated: outstanding results reject at once', async () => {
    const { pool, fleet } = openLoopback(1)
    const running = pool.apply(held, ['a'])
    const waiting = pool.map(held, ['b', 'c'])
    const result = pool.applyAsync(held, ['d'])
    await holds('a')
    const ends = Promise.allSettled([running, waiting])
    const terminated = pool.terminate()
    expect(result.ready()).toBe(true)
    expect(pool.terminate()).toBe(terminated)
    for (const end of await ends) {
      expect(end).toMatchObject({ status: 'rejected', reason: expect.any(PoolTerminatedError) as unknown })
    }
    await terminated
    await pool.join()
    expect(fleet.alive).toBe(0)
    open('a')
    await expect(pool.apply(add, [1, 2])).rejects.toThrow(PoolClosedError)
  })

  it('terminated from a callback', async () => {
    const { pool } = openLoopback(1)
    const result = pool.applyAsync(add, [1, 2], { callback: () => void pool.terminate() })
    const other = pool.apply(held, ['a'])
    await expect(other).rejects.toThrow(PoolTerminatedError)
    expect(await result.get()).toBe(3)
  })

  it('left by its scope: waits for its tasks', async () => {
    const { pool } = openLoopback(1)
    const result = pool.applyAsync(held, ['a'])
    const disposed = pool[Symbol.asyncDispose]()
    await holds('a')
    open('a')
    await disposed
    expect(result.ready()).toBe(true)
  })

  it('failed: everything outstanding and everything later rejects with the reason', async () => {
    const failing = (message: string): void => fail(message)
    const { pool } = openLoopback(2, { initializer: failing, initArgs: ['no database'] })
    const result = pool.applyAsync(add, [1, 2])
    await expect(pool.apply(add, [1, 2])).rejects.toThrow('no database')
    await expect(pool.map(add as (item: number) => number, [1, 2])).rejects.toThrow('no database')
    await expect(result.get()).rejects.toThrow('no database')
    await expect(pool.applyAsync(add, [1, 2]).get()).rejects.toThrow('no database')
    await pool[Symbol.asyncDispose]()
  })

  it('runs the initializer in each worker, the replaced ones too', async () => {
    const ran: unknown[] = []
    const initialize = (name: string): void => void ran.push(name)
    const { pool, fleet } = openLoopback(2, { initializer: initialize, initArgs: ['x'] })
    const lost = pool.apply(held, ['a'])
    await holds('a')
    fleet.kill(fleet.submitted[0]?.id ?? 0)
    await expect(lost).rejects.toThrow('killed')
    await pool[Symbol.asyncDispose]()
    expect(ran).toEqual(['x', 'x', 'x'])
  })

  it('refuses initializer arguments that cannot cross', () => {
    const initialize = (job: () => void): void => job()
    expect(() => openLoopback(1, { initializer: initialize, initArgs: [() => undefined] })).toThrow(
      'initArgs[0] is a function',
    )
  })
})
