import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { WorkerLostError } from '../../src/errors.ts'
import { held, holds, open, reset } from './gate.ts'
import type { LoopbackFleet } from './loopback-fleet.ts'
import { openLoopback, settle } from './loopback.ts'

beforeEach(reset)
afterEach(() => {
  vi.restoreAllMocks()
})

/** To the worker, tasks take no time at all, so that it lets ever more of them share a report. */
function stopClock(): void {
  const now = performance.now()
  vi.spyOn(performance, 'now').mockReturnValue(now)
}

/** The chunk that was submitted as number `index`. */
function chunk(fleet: LoopbackFleet, index: number): number {
  const found = fleet.submitted[index]
  if (found === undefined) throw new Error(`only ${fleet.submitted.length} chunks were submitted`)
  return found.id
}

function lossOf(promise: PromiseLike<unknown>): Promise<WorkerLostError> {
  return Promise.resolve(promise).then(
    () => Promise.reject(new Error('it did not reject')),
    (error: unknown) => {
      if (error instanceof WorkerLostError) return error
      throw error
    },
  )
}

function range(count: number): string[] {
  return Array.from({ length: count }, (_, index) => String(index))
}

describe('a worker that dies', () => {
  it('rejects the task that it ran, and says who died and how', async () => {
    const { pool, fleet } = openLoopback(1)
    const first = pool.apply(held, ['a'])
    const second = pool.applyAsync(held, ['b'])
    await holds('a')
    fleet.kill(chunk(fleet, 0))
    const killed = await lossOf(first)
    expect(killed.message).toBe('worker process 1001 on build-1 was killed by SIGKILL while it ran tasks#held')
    expect(killed).toMatchObject({ pid: 1001, host: 'build-1', signal: 'SIGKILL', exitCode: null, task: 'tasks#held' })
    expect(killed.indeterminate).toBe(true)
    await holds('b')
    fleet.kill(chunk(fleet, 1), { exitCode: 7 })
    const exited = await lossOf(second)
    expect(exited.message).toBe('worker process 1002 on build-1 exited with code 7 while it ran tasks#held')
    expect(exited).toMatchObject({ signal: null, exitCode: 7 })
  })

  it('takes none of 99 other tasks with it, and the pool is whole again', async () => {
    const { pool, fleet } = openLoopback(2)
    const results = range(100).map((name) => pool.apply(held, [name]))
    const ends = Promise.allSettled(results)
    await holds('0')
    fleet.kill(chunk(fleet, 0))
    for (const name of range(100)) open(name)
    const rejected = (await ends).filter(({ status }) => status === 'rejected')
    expect(rejected).toHaveLength(1)
    await expect(results[0]).rejects.toThrow(WorkerLostError)
    expect(fleet.alive).toBe(2)
  })

  it('in a map: the other items run, those of its chunk as well', async () => {
    const { pool, fleet } = openLoopback(1)
    const result = pool.map(held, ['a', 'b', 'c', 'd', 'e'], { chunkSize: 3 })
    open('a')
    await holds('b')
    fleet.kill(chunk(fleet, 0))
    await holds('c')
    open('c')
    await holds('d')
    open('d')
    await holds('e')
    open('e')
    const lost = await lossOf(result)
    expect(lost.message).toBe('worker process 1001 on build-1 was killed by SIGKILL while it ran tasks#held')
    expect(fleet.reports.map(({ first, count }) => [first, count])).toEqual([
      [0, 1],
      [2, 1],
      [0, 1],
      [1, 1],
    ])
  })

  it('with short tasks that shared a report rejects all of these', async () => {
    stopClock()
    const { pool, fleet } = openLoopback(1)
    const ran: number[] = []
    const crashOnce = (item: number): number => {
      ran.push(item)
      if (item === 3000 && fleet.workers.length === 1) fleet.kill(chunk(fleet, 0))
      return item
    }
    const items = Array.from({ length: 20_000 }, (_, index) => index)
    const lost = await lossOf(pool.map(crashOnce, items, { chunkSize: 20_000 }))
    expect(lost.message).toMatch(
      /^worker process 1001 on build-1 was killed by SIGKILL while it ran one of \d+ short tasks of tasks#crashOnce that went together; nobody knows which of them had finished; chunkSize: 1 keeps them apart$/,
    )
    expect(new Set(ran).size).toBe(20_000)
  })

  it("after an abort is nobody's loss", async () => {
    const { pool, fleet } = openLoopback(1)
    const abort = new AbortController()
    const result = pool.apply(held, ['a'], { signal: abort.signal, retries: 3 })
    await holds('a')
    abort.abort(new Error('enough'))
    fleet.lose(chunk(fleet, 0), 0, 1)
    await expect(result).rejects.toThrow('enough')
    expect(fleet.submitted).toHaveLength(1)
  })
})

describe('retries', () => {
  it('run a task again after its worker died', async () => {
    const { pool, fleet } = openLoopback(1)
    const args: [string] = ['a']
    const result = pool.apply(held, args, { retries: 1 })
    args[0] = 'changed'
    await holds('a')
    fleet.kill(chunk(fleet, 0))
    open('a', 7)
    expect(await result).toBe(7)
    expect(fleet.submitted).toHaveLength(2)
  })

  it('are no answer to an error of the task', async () => {
    const { pool, fleet } = openLoopback(1)
    const refuse = (): never => {
      throw new RangeError('no')
    }
    await expect(pool.apply(refuse, [], { retries: 5 })).rejects.toThrow('no')
    expect(fleet.submitted).toHaveLength(1)
  })

  it('end: a task that kills every worker is given up', async () => {
    const { pool, fleet } = openLoopback(1)
    const crash = (): Promise<never> => {
      queueMicrotask(() => fleet.kill(chunk(fleet, fleet.submitted.length - 1)))
      return new Promise(() => undefined)
    }
    const lost = await lossOf(pool.apply(crash, [], { retries: 3 }))
    expect(lost.message).toBe(
      'worker process 1004 on build-1 was killed by SIGKILL while it ran tasks#crash; the task is given up after 4 workers died with it',
    )
    expect(fleet.submitted).toHaveLength(4)
    expect(fleet.alive).toBe(1)
  })

  it('of a map repeat just the lost item, as it was at the call', async () => {
    const { pool, fleet } = openLoopback(1)
    const items = ['a', 'b', 'c', 'd']
    const result = pool.map(held, items, { chunkSize: 4, retries: 1 })
    items[1] = 'changed'
    open('a')
    await holds('b')
    fleet.kill(chunk(fleet, 0))
    for (const name of ['b', 'c', 'd']) open(name)
    expect(await result).toEqual(['a', 'b', 'c', 'd'])
    expect(fleet.submitted.map(({ count }) => count)).toEqual([4, 1])
    expect(fleet.reports.map(({ first, count }) => [first, count])).toEqual([
      [0, 1],
      [2, 1],
      [3, 1],
      [0, 1],
    ])
  })

  it('of short tasks that shared a report: each alone', async () => {
    stopClock()
    const { pool, fleet } = openLoopback(1)
    const crashOnce2 = (item: number): number => {
      if (item === 500 && fleet.workers.length === 1) fleet.kill(chunk(fleet, 0))
      return item * 2
    }
    const items = Array.from({ length: 2000 }, (_, index) => index)
    const result = await pool.map(crashOnce2, items, { chunkSize: 2000, retries: 1 })
    expect(result).toEqual(items.map((item) => item * 2))
    expect(fleet.submitted.length).toBeGreaterThan(2)
    expect(fleet.submitted.slice(1).every(({ count }) => count === 1)).toBe(true)
  })

  it('go on after close()', async () => {
    const { pool, fleet } = openLoopback(1)
    const result = pool.apply(held, ['a'], { retries: 1 })
    await holds('a')
    pool.close()
    expect(fleet.closed).toBe(false)
    fleet.kill(chunk(fleet, 0))
    open('a')
    expect(await result).toBe('a')
    await pool.join()
  })

  it('are ended by cancel', async () => {
    const { pool, fleet } = openLoopback(1)
    const result = pool.applyAsync(held, ['a'], { retries: 5 })
    await holds('a')
    fleet.kill(chunk(fleet, 0))
    expect(await result.cancel()).toBe(true)
    expect(fleet.cancelled).toEqual([chunk(fleet, 1)])
    await settle()
    expect(fleet.submitted).toHaveLength(2)
  })

  it('that cannot be sent reject', async () => {
    const { pool, fleet } = openLoopback(1)
    const result = pool.apply(held, ['a'], { retries: 1 })
    await holds('a')
    fleet.refuse = new Error('full')
    fleet.kill(chunk(fleet, 0))
    await expect(result).rejects.toThrow('full')
    await pool[Symbol.asyncDispose]()
  })
})
