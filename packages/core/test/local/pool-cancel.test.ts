/** A cancel hits what was cancelled, wherever it is, and nothing else. */
import { connect, type Context, type Pool, PoolTerminatedError } from '@skein/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { quick, slow, wait } from './targets/pool.mjs'

const range = (count: number): number[] => Array.from({ length: count }, (_, n) => n)

/** Milliseconds that it takes. */
async function timed(action: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await action()
  return performance.now() - start
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.name : String(error)
}

describe('cancel', () => {
  let mp: Context

  beforeAll(async () => {
    mp = await connect('local:', { namespace: 'pool-cancel' })
  })
  afterAll(async () => {
    await mp.close()
  })

  async function warm(size: number): Promise<Pool> {
    const pool = mp.pool(size)
    await Promise.all(range(2 * size).map(() => pool.apply(slow, [5])))
    return pool
  }

  it('of a quick task among thousands rejects that one only', async () => {
    const pool = await warm(2)
    await pool.map(quick, range(3000), { chunkSize: 1 })
    for (let round = 0; round < 20; round += 1) {
      const results = range(2000).map((n) => pool.applyAsync(quick, [n]))
      await results[round * 50]
      const victim = results.findIndex((result) => !result.ready())
      await results[victim]?.cancel()
      const settled = await Promise.allSettled(results)
      const failed = settled.flatMap((one, n) => (one.status === 'rejected' ? [[n, reasonOf(one.reason)]] : []))
      expect(failed).toEqual(victim < 0 ? [] : [[victim, 'AbortError']])
    }
    await pool.terminate()
  })

  it('of a task that was given ahead frees the worker for others, whether it has come to start it or not', async () => {
    // Short, so that what is ahead would start within its lease.
    for (const first of [slow, wait]) {
      const pool = await warm(1)
      const before = pool.applyAsync<[number], unknown>(first, [10])
      const cancelled = pool.applyAsync(slow, [8_000])
      await mp.lock().locked()
      await cancelled.cancel()
      const took = await timed(() => pool.apply(quick, [1]))
      expect(took).toBeLessThan(4_000)
      await before
      await pool.terminate()
    }
  })

  it('of a waiting task lets a closed pool end', async () => {
    const pool = await warm(1)
    const running = pool.apply(slow, [300])
    const waiting = range(10).map(() => pool.applyAsync(slow, [10]))
    await Promise.all(waiting.map((result) => result.cancel()))
    pool.close()
    await expect(pool.join({ timeout: 5_000 })).resolves.toBeUndefined()
    await running
    // Asked again, long after the pool's record at the broker is gone.
    await pool.join({ timeout: 5_000 })
    await pool.terminate()
  })

  it('of twenty thousand waiting tasks one by one costs others no second', async () => {
    const pool = await warm(1)
    const lock = mp.lock()
    const running = pool.applyAsync(slow, [60_000])
    const controller = new AbortController()
    const waiting = range(20_000).map((n) => pool.apply(quick, [n], { signal: controller.signal }))
    await lock.locked()
    controller.abort()
    expect((await Promise.allSettled(waiting)).every((one) => one.status === 'rejected')).toBe(true)
    expect(await timed(() => lock.locked())).toBeLessThan(1_000)
    await pool.terminate()
    await expect(running.get()).rejects.toBeInstanceOf(PoolTerminatedError)
  })
})
