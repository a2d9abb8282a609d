/** The end of a pool's workers, and questions about it that cross the news of it. */
import { setImmediate as turn } from 'node:timers/promises'
import { connect, type Context, type Pool } from '@skein/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { slow } from './targets/pool.mjs'

/** Milliseconds for the supervisor to hear of an end that the operating system already tells. */
const HEARD = 300

const cell = new Int32Array(new SharedArrayBuffer(4))

function runs(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** Without the event loop turning, so that what the supervisor says meanwhile lies in the port. */
function blockUntilGone(pids: readonly number[]): void {
  const deadline = performance.now() + 20_000
  while (pids.some(runs)) {
    if (performance.now() > deadline) throw new Error(`of the workers ${pids.join(', ')} some still run`)
    Atomics.wait(cell, 0, 0, 5)
  }
  Atomics.wait(cell, 0, 0, HEARD)
}

describe('when its workers have ended unheard, a closed pool', () => {
  let mp: Context

  beforeAll(async () => {
    mp = await connect('local:', { namespace: 'pool-end' })
  })
  afterAll(async () => {
    await mp.close()
  })

  async function endedUnheard(): Promise<Pool> {
    const pool = mp.pool(2)
    const pids = await pool.map(slow, [50, 50], { chunkSize: 1 })
    pool.close()
    // The close leaves with this turn.
    await turn()
    blockUntilGone(pids)
    return pool
  }

  it('is joined', async () => {
    const pool = await endedUnheard()
    await expect(pool.join()).resolves.toBeUndefined()
    await expect(pool.join({ timeout: 0 })).resolves.toBeUndefined()
  })

  it('is terminated', async () => {
    const pool = await endedUnheard()
    await expect(pool.terminate()).resolves.toBeUndefined()
    await expect(pool.join()).resolves.toBeUndefined()
  })
})
