/** When a process is started again: the window and the pauses. */
import { describe, expect, it } from 'vitest'
import { Restarts } from '../../src/supervisor/broker/restarts.ts'

describe('restarts', () => {
  it('are at most max within a window that slides, each after twice the pause', () => {
    let now = 1_000
    const restarts = new Restarts({ on: 'always', max: 2, within: 100, backoff: 7 }, () => now)
    expect([restarts.next(), restarts.next(), restarts.next()]).toEqual([7, 14, null])
    now += 99
    expect(restarts.next()).toBeNull()
    now += 1
    expect([restarts.next(), restarts.next(), restarts.next()]).toEqual([7, 14, null])
    expect(restarts.count).toBe(4)
  })

  it('never pause longer than half a minute', () => {
    const restarts = new Restarts({ on: 'always', max: Infinity, within: 60_000, backoff: 1_000 }, () => 0)
    const pauses = Array.from({ length: 8 }, () => restarts.next())
    expect(pauses).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000])
  })

  it('concern all ends, or those that were no success', () => {
    const exits = [
      { reason: 'returned', exitCode: 0 },
      { reason: 'exited', exitCode: 0 },
      { reason: 'exited', exitCode: 3 },
      { reason: 'threw', exitCode: 1 },
      { reason: 'out-of-memory', exitCode: -6 },
      { reason: 'signaled', exitCode: -9 },
      { reason: 'host-lost', exitCode: null },
    ] as const
    const concerned = (on: 'always' | 'failure'): boolean[] =>
      exits.map((exit) =>
        new Restarts({ on, max: 1, within: 1, backoff: 0 }).concerns({
          ...exit,
          signal: null,
          error: null,
          result: null,
        }),
      )
    expect(concerned('always')).toEqual([true, true, true, true, true, true, true])
    expect(concerned('failure')).toEqual([false, false, true, true, true, true, true])
  })
})
