import { beforeEach, describe, expect, it, vi } from 'vitest'
import { StateError, TimeoutError } from '../../src/errors.ts'
import { held, holds, open, reset } from './gate.ts'
import { openLoopback, settle } from './loopback.ts'
import { expectNoneUnhandled, refuseUnhandled } from './unhandled.ts'

refuseUnhandled()
beforeEach(reset)

function fail(message: string): never {
  throw new RangeError(message)
}

function identity(value: unknown): unknown {
  return value
}

describe('an AsyncResult', () => {
  it('can be asked again after the time ran out', async () => {
    const { pool } = openLoopback(1)
    const result = pool.applyAsync(held, ['a'])
    const started = performance.now()
    await expect(result.get({ timeout: 30 })).rejects.toThrow(TimeoutError)
    expect(performance.now() - started).toBeGreaterThanOrEqual(29)
    await expect(result.get({ timeout: 0 })).rejects.toThrow('the result of tasks#held was not there within 0 ms')
    await expect(result.get({ timeout: -5 })).rejects.toThrow(TimeoutError)
    expect(await result.wait({ timeout: 10 })).toBe(false)
    expect(await result.wait({ timeout: 0 })).toBe(false)
    expect(result.ready()).toBe(false)
    expect(() => result.successful()).toThrow(StateError)
    open('a', 7)
    expect(await result.wait()).toBe(true)
    expect(await result.get({ timeout: 0 })).toBe(7)
    expect(await result.get()).toBe(7)
    expect(await result).toBe(7)
    expect(result.ready()).toBe(true)
    expect(result.successful()).toBe(true)
  })

  it('is left waiting by an abort of get or wait', async () => {
    const { pool } = openLoopback(1)
    const result = pool.applyAsync(held, ['a'])
    const abort = new AbortController()
    const got = result.get({ signal: abort.signal })
    const waited = result.wait({ signal: abort.signal, timeout: 60_000 })
    const reason = new TimeoutError('of the caller')
    abort.abort(reason)
    await expect(got).rejects.toBe(reason)
    await expect(waited).rejects.toBe(reason)
    await expect(result.wait({ signal: abort.signal })).rejects.toBe(reason)
    open('a')
    expect(await result.get()).toBe('a')
    await expect(result.get({ signal: abort.signal })).rejects.toBe(reason)
  })

  it('throws the error of the task as often as it is asked', async () => {
    const { pool } = openLoopback(1)
    const result = pool.applyAsync(fail, ['no'])
    expect(await result.wait()).toBe(true)
    expect(result.successful()).toBe(false)
    await expect(result.get()).rejects.toThrow(RangeError)
    await expect(result.get()).rejects.toThrow('no')
    expect(await result.then(null, (error: unknown) => String(error))).toBe('RangeError: no')
  })

  it('never ends the program when nobody awaits it', async () => {
    const { pool, fleet } = openLoopback(1)
    const failed = pool.applyAsync(fail, ['no'])
    const lost = pool.applyAsync(held, ['a'])
    const cancelled = pool.applyAsync(held, ['b'])
    const terminated = pool.applyAsync(held, ['c'])
    await holds('a')
    fleet.kill(fleet.submitted[1]?.id ?? 0)
    await cancelled.cancel()
    // A wait that ran out leaves nobody waiting for the error either.
    await expect(terminated.get({ timeout: 0 })).rejects.toThrow(TimeoutError)
    await expect(terminated.get({ timeout: 1 })).rejects.toThrow(TimeoutError)
    await pool.terminate()
    await expectNoneUnhandled()
    expect([failed, lost, cancelled, terminated].map((result) => result.successful())).toEqual([
      false,
      false,
      false,
      false,
    ])
  })

  it.each([undefined, null, 0, Number.NaN, { then: 1 }])('gives %s', async (value) => {
    const { pool } = openLoopback(1)
    expect(await pool.applyAsync(identity, [value]).get()).toEqual(value)
  })
})

describe('callbacks', () => {
  it('run once, before get() is answered', async () => {
    const { pool } = openLoopback(1)
    const order: string[] = []
    const callback = (value: unknown): void => void order.push(`callback ${String(value)}`)
    const errorCallback = (error: unknown): void => void order.push(`errorCallback ${String(error)}`)
    const good = pool.applyAsync(identity, [1], { callback, errorCallback })
    await good.get().then((value) => order.push(`get ${String(value)}`))
    const bad = pool.applyAsync(fail, ['no'], { callback, errorCallback })
    await bad.get().catch((error: unknown) => order.push(`get ${String(error)}`))
    expect(order).toEqual(['callback 1', 'get 1', 'errorCallback RangeError: no', 'get RangeError: no'])
  })

  it('that throw: get() throws that, and the pool works on', async () => {
    const { pool } = openLoopback(1)
    const errorCallback = vi.fn<(error: unknown) => void>()
    const callback = (): never => fail('callback')
    const good = pool.applyAsync(identity, [1], { callback, errorCallback })
    const bad = pool.applyAsync(fail, ['no'], { errorCallback: () => fail('errorCallback') })
    const unheard = pool.applyAsync(identity, [1], { callback })
    await expect(good.get()).rejects.toThrow('callback')
    await expect(bad.get()).rejects.toThrow('errorCallback')
    expect(await unheard.wait()).toBe(true)
    expect(unheard.successful()).toBe(false)
    expect(errorCallback).not.toHaveBeenCalled()
    expect(await pool.apply(identity, [2])).toBe(2)
  })

  it('that are asynchronous count with their end', async () => {
    const { pool } = openLoopback(1)
    const order: string[] = []
    const callback: () => unknown = async () => {
      await settle()
      order.push('callback')
    }
    const result = pool.applyAsync(identity, [1], { callback })
    expect(await result.get()).toBe(1)
    expect(order).toEqual(['callback'])
    const failing: () => unknown = async () => {
      await settle()
      fail('later')
    }
    const bad = pool.applyAsync(identity, [1], { callback: failing })
    expect(await bad.wait()).toBe(true)
    expect(bad.successful()).toBe(false)
    await expect(bad.get()).rejects.toThrow('later')
  })

  it('may use the pool', async () => {
    const { pool } = openLoopback(1)
    let second: PromiseLike<unknown> | undefined
    await pool.applyAsync(identity, [1], { callback: () => void (second = pool.apply(identity, [2])) })
    expect(await second).toBe(2)
    const third = pool.applyAsync(identity, [1], { callback: () => pool.close() })
    await third
    await pool.join()
  })
})

describe('cancel', () => {
  it('of a task that waits: it never runs', async () => {
    const { pool, fleet } = openLoopback(1)
    const first = pool.applyAsync(held, ['a'])
    const errorCallback = vi.fn<(error: unknown) => void>()
    const second = pool.applyAsync(held, ['b'], { errorCallback })
    expect(await second.cancel()).toBe(true)
    expect(await second.cancel()).toBe(false)
    await expect(second.get()).rejects.toMatchObject({ name: 'AbortError' })
    expect(errorCallback).toHaveBeenCalledOnce()
    open('a')
    expect(await first).toBe('a')
    expect(fleet.workers).toHaveLength(1)
  })

  it('of a running task: its late result is ignored', async () => {
    const { pool, fleet } = openLoopback(1)
    const callback = vi.fn<(value: unknown) => void>()
    const result = pool.applyAsync(held, ['a'], { callback })
    await holds('a')
    expect(await result.cancel()).toBe(true)
    const [chunk] = fleet.submitted
    fleet.report(chunk?.id ?? 0, 0, 1, new Uint8Array())
    open('a')
    await settle()
    await expect(result.get()).rejects.toMatchObject({ name: 'AbortError' })
    expect(callback).not.toHaveBeenCalled()
    expect(fleet.workers.map(({ alive }) => alive)).toEqual([false, true])
    expect(await pool.apply(identity, [1])).toBe(1)
  })

  it('of a finished task: false', async () => {
    const { pool, fleet } = openLoopback(1)
    const result = pool.applyAsync(identity, [1])
    await result
    expect(await result.cancel()).toBe(false)
    expect(await result.get()).toBe(1)
    expect(fleet.cancelled).toEqual([])
  })

  it('of the last task of a closed pool lets its workers end', async () => {
    const { pool } = openLoopback(1)
    const result = pool.applyAsync(held, ['a'])
    await holds('a')
    pool.close()
    expect(await result.cancel()).toBe(true)
    await pool.join()
  })
})
