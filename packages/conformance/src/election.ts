/** An election: one leads, and when it goes, by itself or by death, the next does. */
import process from 'node:process'
import { ArgumentError, TimeoutError } from '@skein/core'
import { expect } from 'vitest'
import { failureOf, untyped } from './checking.ts'
import type { Suite } from './harness.ts'
import { leadForEver, leadUntilTold } from './targets/election.ts'
import type { Reign } from './targets/election.ts'
import { until } from './until.ts'

export function electionSuite(suite: Suite): void {
  suite('election', (check) => {
    check('leads for as long as the body runs, and gives what it returned', async ({ mp, unique }) => {
      const post = mp.election(unique('post'))
      expect(await post.leader()).toBeNull()
      const led = await post.run(async (lease) => {
        lease.assertHeld()
        expect(await post.leader()).toMatchObject({ pid: process.pid, token: lease.token })
        return 'done'
      })
      expect(led).toBe('done')
      expect(await post.leader()).toBeNull()
      const mine = new RangeError('mine')
      expect(
        await failureOf(() =>
          post.run(() => {
            throw mine
          }),
        ),
      ).toBe(mine)
      expect(await post.leader()).toBeNull()
      await post.destroy()
    })

    check('one leads at a time, in the order of asking, each with a larger token', async ({ mp, start, unique }) => {
      const post = mp.election(unique('post'))
      const [reigns, words] = [mp.queue<Reign>(), mp.queue<string>()]
      const first = await start(mp.process(leadUntilTold, [post, reigns, words]))
      const one = await reigns.get()
      const order: number[] = []
      const runs = [1, 2].map((n) => post.run(() => order.push(n)))
      await until('both stand in line', async () => {
        const { objects } = await mp.inspect()
        return objects.find(({ kind, name }) => kind === 'election' && name === post.name)?.waiters.length === 2
      })
      expect(await reigns.tryGet()).toBeNull()
      expect(order).toEqual([])
      await words.put('step down')
      expect(await first.result()).toBe('step down')
      await Promise.all(runs)
      expect(order).toEqual([1, 2])
      expect(await post.run(({ token }) => token)).toBeGreaterThan(one.token)
      await post.destroy()
    })

    check('a leader that dies is followed by the next', async ({ mp, start, unique, deathKnownWithin }) => {
      const post = mp.election(unique('post'))
      const reigns = mp.queue<Reign>()
      for (let n = 0; n < 3; n += 1) await start(mp.process(leadForEver, [post, reigns]))
      let last: Reign | null = null
      for (let n = 0; n < 3; n += 1) {
        const reign = await reigns.get()
        expect(reign.token).toBeGreaterThan(last?.token ?? 0)
        expect(await post.leader()).toMatchObject({ pid: reign.pid })
        process.kill(reign.pid, 'SIGKILL')
        last = reign
      }
      const killed = performance.now()
      await post.run(() => undefined)
      expect(performance.now() - killed).toBeLessThan(deathKnownWithin)
      await post.destroy()
    })

    check('a candidate that runs out of time or is aborted leaves no place in line', async ({ mp, unique }) => {
      const post = mp.election(unique('post'))
      await post.run(async () => {
        const other = mp.election(post.name)
        expect(await failureOf(() => other.run(() => 'never', { timeout: 20 }))).toBeInstanceOf(TimeoutError)
        const reason = new Error('changed my mind')
        const aborted = other.run(() => 'never', { signal: AbortSignal.abort(reason) })
        expect(await failureOf(() => aborted)).toBe(reason)
      })
      expect(await post.leader()).toBeNull()
      await post.destroy()
    })

    check('an election has a name', ({ mp }) => {
      expect(() => mp.election(untyped(undefined))).toThrow(ArgumentError)
      expect(() => mp.election('a b')).toThrow(/election\(\).*"a b"/)
    })
  })
}
