import { getEventListeners } from 'node:events'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { ArgumentError, EncodeError, ProtocolError, TargetNotFoundError } from '../../src/errors.ts'
import { held, holds, open, reset } from './gate.ts'
import { openLoopback, settle } from './loopback.ts'
import { refuseUnhandled } from './unhandled.ts'

refuseUnhandled()
beforeEach(reset)

function add(a: number, b: number): number {
  return a + b
}

class Broken extends RangeError {}

function fail(message: string): never {
  throw Object.assign(new Broken(message), { code: 'E_BROKEN', detail: { at: 3 } })
}

function throwUndefined(): never {
  throw undefined
}

function makeFunction(): { inner: () => void } {
  return { inner: () => undefined }
}

async function missing(): Promise<void> {
  await settle()
}

function trapped(): unknown {
  return {
    get then(): never {
      throw new Error('trapped')
    },
  }
}

describe('apply', () => {
  it('gives what the target returned, or resolved with', async () => {
    const { pool } = openLoopback()
    expect(await pool.apply(add, [1, 2])).toBe(3)
    const result = pool.apply(held, ['a'])
    open('a', [1, undefined, { n: 2n }])
    expect(await result).toEqual([1, undefined, { n: 2n }])
  })

  it('rejects with the error of the task, whose properties it keeps', async () => {
    const { pool } = openLoopback()
    const error: unknown = await pool.apply(fail, ['no']).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(Error)
    expect(error).toMatchObject({ message: 'no', code: 'E_BROKEN', detail: { at: 3 } })
    await expect(pool.apply(throwUndefined)).rejects.toBeUndefined()
    expect(await pool.apply(add, [1, 2])).toBe(3)
  })

  it('refuses an argument that cannot cross, and sends nothing', async () => {
    const { pool, fleet } = openLoopback()
    const bad = [1, { onDone: () => undefined }] as unknown as [number, number]
    await expect(pool.apply(add, bad)).rejects.toThrow(EncodeError)
    await expect(pool.apply(add, bad)).rejects.toThrow('args[1].onDone is a function and cannot cross processes')
    expect(() => pool.applyAsync(add, bad)).toThrow(EncodeError)
    expect(fleet.submitted).toEqual([])
    expect(fleet.targets.size).toBe(0)
  })

  it('rejects for a result that cannot cross, and the worker lives', async () => {
    const { pool, fleet } = openLoopback(1)
    for (let n = 0; n < 20; n += 1) {
      await expect(pool.apply(makeFunction)).rejects.toThrow('result.inner is a function and cannot cross processes')
    }
    await expect(pool.apply(makeFunction)).rejects.toThrow(EncodeError)
    await expect(pool.apply(trapped)).rejects.toThrow('trapped')
    expect(fleet.workers).toHaveLength(1)
  })

  it('encodes the arguments in the call', async () => {
    const { pool } = openLoopback(1)
    const first = pool.apply(held, ['a'])
    const args: [number, number] = [1, 2]
    const second = pool.apply(add, args)
    args[0] = 100
    open('a')
    await first
    expect(await second).toBe(3)
  })

  it('rejects where the worker lacks the target', async () => {
    const { pool } = openLoopback()
    await expect(pool.apply(missing)).rejects.toThrow(TargetNotFoundError)
    await expect(pool.map(missing as () => unknown, [1, 2, 3])).rejects.toThrow('tasks has no export "missing"')
  })

  it('makes each target known once', async () => {
    const { pool, fleet } = openLoopback()
    await Promise.all([pool.apply(add, [1, 1]), pool.apply(add, [1, 2]), pool.apply(fail, ['x']).catch(String)])
    expect([...fleet.targets.values()].map((ref) => ref.export)).toEqual(['add', 'fail'])
  })

  it('rejects, and keeps nothing, when the fleet refuses a chunk', async () => {
    const { pool, fleet } = openLoopback()
    fleet.refuse = new Error('full')
    await expect(pool.apply(add, [1, 2])).rejects.toThrow('full')
    fleet.refuse = null
    expect(await pool.apply(add, [1, 2])).toBe(3)
    await pool[Symbol.asyncDispose]()
  })

  it('rejects the task whose outcome cannot be read, and ignores what nobody asked for', async () => {
    const { pool, fleet } = openLoopback(1)
    const result = pool.apply(held, ['a'])
    await holds('a')
    const [chunk] = fleet.submitted
    fleet.report(chunk?.id ?? 0, 0, 1, new Uint8Array([255, 255, 255]))
    await expect(result).rejects.toThrow(ProtocolError)
    fleet.report(99, 0, 1, new Uint8Array([255]))
    open('a')
    expect(await pool.apply(add, [1, 2])).toBe(3)
  })
})

describe('the arguments of a call', () => {
  it.each([
    [
      'args',
      () => openLoopback().pool.apply(add, 'ab' as never),
      'args must be an array of the function\'s arguments, got "ab"',
    ],
    ['options', () => openLoopback().pool.apply(add, [1, 2], 7 as never), 'options must be an object'],
    [
      'an option',
      () => openLoopback().pool.apply(add, [1, 2], { retrys: 1 } as never),
      'apply(): unknown option "retrys"; did you mean "retries"?',
    ],
    [
      'retries',
      () => openLoopback().pool.apply(add, [1, 2], { retries: -1 }),
      'retries must be an integer of 0 or more, got -1',
    ],
    ...[0, -1, Number.NaN, '1s'].map((timeout): [string, () => Promise<unknown>, string] => [
      `timeout ${timeout}`,
      () => openLoopback().pool.apply(add, [1, 2], { timeout: timeout as number }),
      'timeout must be a number of milliseconds above 0 that a task may run, got',
    ]),
    ...[-1, 1.5, 2 ** 21].map((priority): [string, () => Promise<unknown>, string] => [
      `priority ${priority}`,
      () => openLoopback().pool.map(String, [1, 2], { priority }),
      'priority must be an integer from 0 to 2097151, got',
    ]),
    [
      'signal',
      () => openLoopback().pool.apply(add, [1, 2], { signal: {} as AbortSignal }),
      'signal must be an AbortSignal, got an object',
    ],
    ['target', () => openLoopback().pool.apply(null as never, []), 'a target must be an exported function'],
    [
      'chunkSize',
      () => openLoopback().pool.map(String, [1], { chunkSize: 0 }),
      'chunkSize must be an integer of 1 or more, got 0',
    ],
    ['items', () => openLoopback().pool.map(String, 5 as never), 'map() takes an iterable of items, got 5'],
    [
      'async items',
      () =>
        openLoopback().pool.map(
          String,
          (async function* () {
            yield 1
          })() as never,
        ),
      'got an async iterable; imap() takes both',
    ],
    [
      'join',
      () => openLoopback().pool.join({ timout: 5 } as never),
      'join(): unknown option "timout"; did you mean "timeout"?',
    ],
  ])('%s', async (_, call, message) => {
    const error: unknown = await call().then(
      () => null,
      (reason: unknown) => reason,
    )
    expect(error).toBeInstanceOf(ArgumentError)
    expect(String(error)).toContain(message)
  })

  it('of applyAsync, synchronously', () => {
    const { pool } = openLoopback()
    expect(() => pool.applyAsync(add, [1, 2], { callback: 5 as never })).toThrow('callback must be a function, got 5')
    expect(() => pool.applyAsync(add, [1, 2], { chunks: 5 } as never)).toThrow('it takes timeout, signal, retries')
  })

  it.each([0, -1, 1.5, '4', 1e6, Number.NaN])('size %s', (size) => {
    expect(() => openLoopback(size as number)).toThrow(/^the size of a pool must be an integer from 1 to 4096, got/)
  })

  it('never come from a polluted prototype', async () => {
    const { pool, fleet } = openLoopback()
    Object.defineProperty(Object.prototype, 'chunkSize', { value: 1, configurable: true })
    try {
      await pool.map(
        String,
        Array.from({ length: 16 }, (_, n) => n),
        {},
      )
      await pool.map(
        String,
        Array.from({ length: 16 }, (_, n) => n),
      )
    } finally {
      Reflect.deleteProperty(Object.prototype, 'chunkSize')
    }
    expect(fleet.submitted.map(({ count }) => count)).toEqual(Array.from({ length: 16 }, () => 2))
  })
})

describe('an abort', () => {
  it('before the call: nothing is sent', async () => {
    const { pool, fleet } = openLoopback()
    const signal = AbortSignal.abort(new Error('too late'))
    const items = { [Symbol.iterator]: vi.fn<() => Iterator<number>>() }
    await expect(pool.apply(add, [1, 2], { signal })).rejects.toThrow('too late')
    await expect(pool.map(String, items, { signal })).rejects.toThrow('too late')
    const errorCallback = vi.fn<(error: unknown) => void>()
    const result = pool.applyAsync(add, [1, 2], { signal, errorCallback })
    expect(errorCallback).not.toHaveBeenCalled()
    await expect(result.get()).rejects.toThrow('too late')
    expect(errorCallback).toHaveBeenCalledOnce()
    const cancelled = pool.applyAsync(add, [1, 2], { signal, errorCallback })
    expect(await cancelled.cancel()).toBe(true)
    await expect(cancelled.get()).rejects.toMatchObject({ name: 'AbortError' })
    expect(errorCallback).toHaveBeenCalledTimes(2)
    expect(items[Symbol.iterator]).not.toHaveBeenCalled()
    expect(fleet.submitted).toEqual([])
    expect(fleet.targets.size).toBe(0)
  })

  it('while the task waits: it never runs', async () => {
    const { pool, fleet } = openLoopback(1)
    const first = pool.apply(held, ['a'])
    const abort = new AbortController()
    const second = pool.apply(held, ['b'], { signal: abort.signal })
    abort.abort()
    await expect(second).rejects.toBe(abort.signal.reason)
    open('a')
    expect(await first).toBe('a')
    expect(fleet.workers).toHaveLength(1)
    const seen = vi.fn<() => void>()
    void holds('b').then(seen)
    await settle()
    expect(seen).not.toHaveBeenCalled()
  })

  it('while the task runs: its worker is replaced, and what it still reports is ignored', async () => {
    const { pool, fleet } = openLoopback(1)
    const abort = new AbortController()
    const first = pool.apply(held, ['a'], { signal: abort.signal })
    await holds('a')
    const second = pool.apply(add, [1, 2])
    abort.abort(new Error('enough'))
    await expect(first).rejects.toThrow('enough')
    open('a')
    expect(await second).toBe(3)
    expect(fleet.workers.map(({ alive }) => alive)).toEqual([false, true])
  })

  it('after the result: nothing', async () => {
    const { pool, fleet } = openLoopback()
    const abort = new AbortController()
    expect(await pool.apply(add, [1, 2], { signal: abort.signal })).toBe(3)
    abort.abort()
    await settle()
    expect(fleet.cancelled).toEqual([])
  })

  it('is no longer listened for once the result is there', async () => {
    const { pool } = openLoopback()
    const { signal } = new AbortController()
    const results = [
      pool.apply(add, [1, 2], { signal }),
      pool.apply(fail, ['no'], { signal }),
      pool.applyAsync(add, [1, 2], { signal }),
      pool.map(String, [1, 2], { signal }),
      pool.map(fail, ['no'], { signal }),
    ]
    expect(getEventListeners(signal, 'abort')).toHaveLength(1)
    await Promise.allSettled(results)
    expect(getEventListeners(signal, 'abort')).toHaveLength(0)
  })

  it('ends every task of its signal, with one listener for all', async () => {
    const { pool } = openLoopback(2)
    const warned = vi.fn<(warning: Error) => void>()
    process.on('warning', warned)
    const abort = new AbortController()
    const listen = vi.spyOn(abort.signal, 'addEventListener')
    const results = Array.from({ length: 50 }, (_, n) => pool.apply(held, [`task ${n}`], { signal: abort.signal }))
    expect(listen).toHaveBeenCalledOnce()
    const ends = Promise.allSettled(results)
    abort.abort()
    expect((await ends).every(({ status }) => status === 'rejected')).toBe(true)
    await settle()
    process.off('warning', warned)
    expect(warned).not.toHaveBeenCalled()
  })
})
