import { beforeEach, describe, expect, it, vi } from 'vitest'
import { EncodeError, ProtocolError } from '../../src/errors.ts'
import { encodeChunks } from '../../src/pool/chunking.ts'
import { held, holds, open, reset } from './gate.ts'
import { openLoopback, settle } from './loopback.ts'

beforeEach(reset)

function double(x: number): number {
  return x * 2
}

let ran: number[] = []

function failOnOdd(x: number): number {
  ran.push(x)
  if (x % 2 === 1) throw new RangeError(`odd ${x}`)
  return x
}

async function slowFirst(x: number): Promise<number> {
  if (x === 0) await settle()
  return x
}

function mixed(x: number): unknown {
  if (x === 3) throw new RangeError('three')
  if (x === 5) return () => undefined
  return x % 2 === 0 ? x : { x }
}

const last: { x: number } = { x: 0 }

/** Gives the same object every time. */
function reuse(x: number): { x: number } {
  last.x = x
  return last
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index)
}

describe('map', () => {
  it.each([1, 2, 7, 8, 9, 1000])('keeps the order of %i items', async (count) => {
    const { pool } = openLoopback(2)
    expect(await pool.map(double, range(count))).toEqual(range(count).map(double))
    expect(await pool.map(slowFirst, range(count), { chunkSize: 1 })).toEqual(range(count))
  })

  it.each([
    [1, 2, [1]],
    [8, 2, [1, 1, 1, 1, 1, 1, 1, 1]],
    [9, 2, [2, 2, 2, 2, 1]],
    [100, 1, [25, 25, 25, 25]],
    [101, 3, [9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 2]],
  ])('cuts %i items for %i workers as Python does', async (count, workers, chunks) => {
    const { pool, fleet } = openLoopback(workers)
    await pool.map(double, range(count))
    expect(fleet.submitted.map((chunk) => chunk.count)).toEqual(chunks)
  })

  it('obeys chunkSize', async () => {
    const { pool, fleet } = openLoopback(2)
    await pool.map(double, range(7), { chunkSize: 3 })
    expect(fleet.submitted.map((chunk) => chunk.count)).toEqual([3, 3, 1])
    await pool.map(double, range(7), { chunkSize: 1e9 })
    expect(fleet.submitted.at(-1)?.count).toBe(7)
  })

  it('of nothing is []', async () => {
    const { pool, fleet } = openLoopback()
    expect(await pool.map(double, [])).toEqual([])
    expect(await pool.map(double, new Set<number>(), { chunkSize: 5 })).toEqual([])
    expect(fleet.submitted).toEqual([])
  })

  it('takes any iterable, and gives holes as undefined', async () => {
    const { pool } = openLoopback()
    const generate = function* (): Generator<number> {
      yield 1
      yield 2
    }
    expect(await pool.map(double, generate())).toEqual([2, 4])
    expect(await pool.map(double, new Set([3, 4]))).toEqual([6, 8])
    expect(await pool.map(double, new Float64Array([0.5]))).toEqual([1])
    expect(await pool.map(String, 'añ😀')).toEqual(['a', 'ñ', '😀'])
    class Numbers extends Array<number> {}
    expect(await pool.map(double, Numbers.from([5, 6]))).toEqual([10, 12])
    const sparse: (number | undefined)[] = []
    sparse[0] = 1
    sparse[2] = 3
    expect(await pool.map(String, sparse)).toEqual(['1', 'undefined', '3'])
  })

  it('rejects with what the iterable throws, and sends nothing', async () => {
    const { pool, fleet } = openLoopback()
    const generate = function* (): Generator<number> {
      yield 1
      throw new RangeError('no more')
    }
    await expect(pool.map(double, generate())).rejects.toThrow(new RangeError('no more'))
    const closing = function* (): Generator<number> {
      yield 1
      pool.close()
    }
    await expect(pool.map(double, closing())).rejects.toThrow('the pool was closed')
    expect(fleet.submitted).toEqual([])
    await pool.join()
  })

  it('runs all items, then rejects with the first error by index', async () => {
    for (const chunkSize of [1, 3, 100]) {
      ran = []
      const { pool } = openLoopback(2)
      await expect(pool.map(failOnOdd, [0, 2, 4, 7, 6, 1, 8, 3], { chunkSize })).rejects.toThrow(
        new RangeError('odd 7'),
      )
      expect(ran.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 6, 7, 8])
    }
  })

  it('names the item that cannot cross, and sends nothing', async () => {
    const { pool, fleet } = openLoopback()
    const items: unknown[] = range(10)
    items[3] = { x: () => undefined }
    for (const chunkSize of [1, 2, 100]) {
      const error: unknown = await pool.map(String, items, { chunkSize }).catch((reason: unknown) => reason)
      expect(error).toBeInstanceOf(EncodeError)
      expect(String(error)).toContain('items[3].x is a function and cannot cross processes')
    }
    expect(fleet.submitted).toEqual([])
    expect(fleet.targets.size).toBe(0)
  })

  it('names the last of many items, and has sent nothing before it', async () => {
    const { pool, fleet } = openLoopback(2)
    for (const bad of [() => 1, Symbol('s'), [() => 1]]) {
      const items: unknown[] = [...range(999), bad]
      const error: unknown = await pool.map(String, items).catch((reason: unknown) => reason)
      expect(error).toBeInstanceOf(EncodeError)
      expect(String(error)).toContain('items[999]')
    }
    expect(fleet.submitted).toEqual([])
  })

  it('encodes chunks one by one only where none can fail', () => {
    const encoded = (items: readonly unknown[]): [atOnce: number, afterOne: number] => {
      let calls = 0
      const chunks = encodeChunks(items, 2, () => {
        calls += 1
        return new Uint8Array(1)
      })
      const atOnce = calls
      chunks[Symbol.iterator]().next()
      return [atOnce, calls]
    }
    expect(encoded([1, 'text', true, 0.5])).toEqual([0, 1])
    const others = [{}, undefined, null, 1n, Symbol('s'), encoded, 'x'.repeat(2 ** 25)]
    for (const other of others) expect(encoded([1, 2, 3, other])).toEqual([2, 2])
    expect(encoded(new Proxy([1, 2, 3, 4], {}))).toEqual([2, 2])
  })

  it('encodes the items in the call', async () => {
    const { pool } = openLoopback(1)
    const items = [{ n: 1 }, { n: 2 }]
    const result = pool.map(JSON.stringify as (item: object) => string, items)
    for (const item of items) item.n = 100
    items.length = 0
    expect(await result).toEqual(['{"n":1}', '{"n":2}'])
  })

  it('keeps neighbours of a result that cannot cross', async () => {
    const { pool } = openLoopback(1)
    const error: unknown = await pool
      .map(mixed, [0, 1, 2, 5, 4, 6], { chunkSize: 6 })
      .catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(EncodeError)
    expect(String(error)).toContain('result is a function and cannot cross processes')
    expect(await pool.map(mixed, [0, 1, 2, 4, 7], { chunkSize: 5 })).toEqual([0, { x: 1 }, 2, 4, { x: 7 }])
  })

  it('gives each result as it was when its task ended', async () => {
    const { pool } = openLoopback(1)
    const items = range(5000)
    expect(await pool.map(reuse, items, { chunkSize: 5000 })).toEqual(items.map((x) => ({ x })))
  })

  it('is ended by an abort, with all its chunks', async () => {
    const { pool, fleet } = openLoopback(2)
    const abort = new AbortController()
    const result = pool.map(held, range(10).map(String), { chunkSize: 2, signal: abort.signal })
    await Promise.all([holds('0'), holds('2')])
    open('0')
    await holds('1')
    abort.abort(new Error('enough'))
    await expect(result).rejects.toThrow('enough')
    expect(fleet.cancelled).toEqual(fleet.submitted.map(({ id }) => id))
    for (const name of range(10)) open(String(name))
    expect(await pool.map(double, [1, 2, 3])).toEqual([2, 4, 6])
    expect(fleet.alive).toBe(2)
    await pool[Symbol.asyncDispose]()
  })

  it('aborted by its own iterable sends nothing', async () => {
    const { pool, fleet } = openLoopback()
    const abort = new AbortController()
    const generate = function* (): Generator<number> {
      yield 1
      abort.abort(new Error('enough'))
    }
    await expect(pool.map(double, generate(), { signal: abort.signal })).rejects.toThrow('enough')
    expect(fleet.submitted).toEqual([])
  })

  it('takes back what was sent when the fleet refuses a chunk', async () => {
    const { pool, fleet } = openLoopback(1)
    const abort = new AbortController()
    const remove = vi.spyOn(abort.signal, 'removeEventListener')
    const submit = fleet.submit.bind(fleet)
    vi.spyOn(fleet, 'submit').mockImplementation((chunk) => {
      if (fleet.submitted.length === 2) throw new Error('full')
      submit(chunk)
    })
    const result = pool.map(held, ['a', 'b', 'c'], { chunkSize: 1, signal: abort.signal })
    await expect(result).rejects.toThrow('full')
    expect(fleet.cancelled).toEqual(fleet.submitted.map(({ id }) => id))
    expect(remove).toHaveBeenCalledOnce()
    pool.close()
    await pool.join()
  })

  it('rejects when outcomes cannot be read', async () => {
    const { pool, fleet } = openLoopback(1)
    const result = pool.map(held, ['a', 'b'], { chunkSize: 2 })
    await holds('a')
    fleet.report(fleet.submitted[0]?.id ?? 0, 0, 2, new Uint8Array())
    await expect(result).rejects.toThrow(ProtocolError)
  })
})
