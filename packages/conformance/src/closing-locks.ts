/** The same for what one of them at a time holds. */
import type { Context, Lease } from '@skein/core'
import { expect } from 'vitest'
import { closes } from './closing.ts'
import type { Suite } from './harness.ts'

export function closingLocksSuite(suite: Suite): void {
  suite('one of two contexts closes: locks', (check) => {
    for (const [what, lockOf] of [
      ['a lock', (mp: Context, name: string) => mp.lock(name)],
      ['an rlock', (mp: Context, name: string) => mp.rlock(name)],
    ] as const) {
      check(`${what}: who waits for it`, async ({ mp, connect, unique }) => {
        const closing = await connect()
        const name = unique('shared')
        const [its, ours] = [lockOf(closing, name), lockOf(mp, name)]
        const lease = await ours.acquire()
        let runs = 0
        const waits = [its.acquire(), its.with(() => (runs += 1))]
        const behind = ours.acquire()
        await closes(closing, waits)
        await lease.release()
        await (await behind).release()
        expect(runs).toBe(0)
        expect(await ours.locked()).toBe(false)
        await ours.destroy()
      })

      check(`${what}: granted in the moment of the close, it goes back`, async ({ mp, connect, unique }) => {
        const name = unique('shared')
        const ours = lockOf(mp, name)
        for (let n = 0; n < 20; n += 1) {
          const closing = await connect()
          const its = lockOf(closing, name)
          const lease = await ours.acquire()
          const granted: Promise<Lease | null> = its.acquire().catch(() => null)
          if (n % 2 === 0) await closing.inspect()
          await Promise.all([lease.release(), closing.close()])
          const late = await granted
          expect(late === null ? 0 : late.expiresIn).toBe(0)
          await (await ours.acquire()).release()
        }
        await ours.destroy()
      })
    }

    check('an election: who wants to lead', async ({ mp, connect, unique }) => {
      const closing = await connect()
      const ours = mp.election(unique('shared'))
      const its = closing.election(ours.name)
      await ours.run(() => closes(closing, [its.run(() => 'led')]))
      expect(await ours.run(() => 'led')).toBe('led')
      await ours.destroy()
    })

    check('a condition: who waits in it, and who waits for its lock', async ({ mp, connect, unique }) => {
      const closing = await connect()
      const lock = mp.lock(unique('lock'))
      const ours = mp.condition({ name: unique('shared'), lock })
      const its = closing.condition({ name: ours.name, lock: closing.lock(lock.name) })
      const waiting = await new Promise<Promise<void>[]>((resolve) => {
        const flow: Promise<void> = its.with(async () => {
          const wait = its.wait()
          resolve([wait, flow])
          await wait
        })
      })
      let woken = false
      await ours.with(async () => {
        await closes(closing, [...waiting, its.acquire(), its.with(() => {})])
      })
      const notified = ours.with(async () => {
        await ours.wait()
        woken = true
      })
      await ours.with(() => ours.notify())
      await notified
      expect(woken).toBe(true)
      expect(await ours.locked()).toBe(false)
      await Promise.all([ours.destroy(), lock.destroy()])
    })
  })
}
