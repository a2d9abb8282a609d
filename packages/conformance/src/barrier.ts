/** A barrier: parties that wait for each other, and what breaks it. */
import process from 'node:process'
import { bind, BrokenBarrierError, ConflictError, StateError, TimeoutError } from '@skein/core'
import { expect } from 'vitest'
import { ascending, failureOf, messageOf } from './checking.ts'
import type { Suite } from './harness.ts'
import { linger, note, pass, refuse, stay } from './targets/signals.ts'

export function barrierSuite(suite: Suite): void {
  suite('barrier', (check) => {
    check('lets all pass when all are there, each with a number of its own, round after round', async (tools) => {
      const { mp, start } = tools
      const barrier = mp.barrier(4)
      expect(barrier.parties).toBe(4)
      const rounds = 10
      const children = await Promise.all([1, 2, 3].map(() => start(mp.process(pass, [barrier, rounds]))))
      const seats = [await pass(barrier, rounds), ...(await Promise.all(children.map((child) => child.result())))]
      for (let round = 0; round < rounds; round += 1) {
        expect(ascending(seats.map((of) => of[round] ?? -1))).toEqual([0, 1, 2, 3])
      }
      expect([await barrier.waiting(), await barrier.broken()]).toEqual([0, false])
    })

    check('numbers parties in the order of arrival; nobody passes before the last one', async ({ mp }) => {
      const barrier = mp.barrier(3)
      let passed = 0
      const early = [barrier.wait(), barrier.wait()].map((one) => one.then((seat) => ((passed += 1), seat)))
      expect(await barrier.waiting()).toBe(2)
      expect(passed).toBe(0)
      expect(await barrier.wait()).toBe(2)
      expect(await Promise.all(early)).toEqual([0, 1])
      expect(await mp.barrier(1).wait()).toBe(0)
    })

    check('with more who wait than parties, each round takes as many as it needs', async ({ mp }) => {
      const barrier = mp.barrier(2)
      const all = await Promise.all(Array.from({ length: 6 }, () => barrier.wait()))
      expect(all).toEqual([0, 1, 0, 1, 0, 1])
    })

    check('the action runs once a round, in one party, before any goes on', async ({ mp, start }) => {
      const notes = mp.queue<number>()
      const barrier = mp.barrier(3, { action: bind(note, notes) })
      const rounds = 3
      const children = await Promise.all([1, 2].map(() => start(mp.process(pass, [barrier, rounds]))))
      const pids = [process.pid, ...children.map(({ pid }) => Number(pid))]
      for (let round = 0; round < rounds; round += 1) {
        await barrier.wait()
        expect(pids).toContain(await notes.get({ timeout: 0 }))
      }
      expect(await notes.empty()).toBe(true)
    })

    check('the action runs in a party of another process when the maker of the barrier is none', async (tools) => {
      const { mp, start } = tools
      const notes = mp.queue<number>()
      const barrier = mp.barrier(2, { action: bind(note, notes) })
      const children = await Promise.all([1, 2].map(() => start(mp.process(pass, [barrier, 1]))))
      await Promise.all(children.map((child) => child.result()))
      expect(children.map(({ pid }) => pid)).toContain(await notes.get())
    })

    check(
      'an action that fails rejects its party with the error, and breaks the barrier for the others',
      async (tools) => {
        const { mp } = tools
        const barrier = mp.barrier(2, { action: refuse })
        const first = failureOf(() => barrier.wait())
        await barrier.waiting()
        const last = failureOf(() => barrier.wait())
        expect(await last).toMatchObject({ name: 'RangeError', message: 'not today' })
        expect(await first).toBeInstanceOf(BrokenBarrierError)
        expect(((await first) as Error).message).toMatch(/its action failed in process/)
        expect(await barrier.broken()).toBe(true)
      },
    )

    check('the death of the party that runs the action breaks the barrier', async (tools) => {
      const { mp, start, deathKnownWithin } = tools
      const [notes, said] = [mp.queue<number>(), mp.queue<number>()]
      const barrier = mp.barrier(2, { action: bind(linger, notes) })
      const witness = failureOf(() => barrier.wait())
      await barrier.waiting()
      const victim = await start(mp.process(stay, [barrier, said]))
      const pid = await notes.get()
      expect(pid).toBe(victim.pid)
      expect(await barrier.waiting()).toBe(2)
      process.kill(pid, 'SIGKILL')
      const killed = performance.now()
      expect(await witness).toBeInstanceOf(BrokenBarrierError)
      expect(performance.now() - killed).toBeLessThan(deathKnownWithin)
    })

    check(
      'the death of a party breaks it for those who wait and those who come, and says who died (cpython#123899)',
      async (tools) => {
        const { mp, start, deathKnownWithin } = tools
        const barrier = mp.barrier(4)
        const said = mp.queue<number>()
        const victim = await start(mp.process(stay, [barrier, said], { name: 'unlucky' }))
        const witness = await start(mp.process(stay, [barrier, said]))
        await said.get()
        await said.get()
        const here = failureOf(() => barrier.wait())
        await barrier.waiting()
        process.kill(Number(victim.pid), 'SIGKILL')
        const killed = performance.now()
        expect(await here).toBeInstanceOf(BrokenBarrierError)
        expect(performance.now() - killed).toBeLessThan(deathKnownWithin)
        expect(((await here) as Error).message).toMatch(new RegExp(`process unlucky \\(pid ${victim.pid}\\) ended`))
        await expect(witness.result()).rejects.toBeInstanceOf(BrokenBarrierError)
        await expect(barrier.wait()).rejects.toBeInstanceOf(BrokenBarrierError)
        expect([await barrier.broken(), await barrier.waiting()]).toEqual([true, 0])
        await barrier.reset()
        expect(await Promise.all([1, 2, 3, 4].map(() => barrier.wait()))).toEqual([0, 1, 2, 3])
      },
    )

    for (const timeout of [50, 0, -1]) {
      check(`a party that runs out of time (${timeout}) breaks it`, async ({ mp }) => {
        const barrier = mp.barrier(3)
        const other = failureOf(() => barrier.wait())
        const asked = performance.now()
        await expect(barrier.wait({ timeout })).rejects.toBeInstanceOf(TimeoutError)
        expect(performance.now() - asked).toBeGreaterThanOrEqual(timeout - 1)
        expect(await other).toBeInstanceOf(BrokenBarrierError)
        expect(((await other) as Error).message).toMatch(/gave up/)
        expect(await barrier.broken()).toBe(true)
      })
    }

    check('a party that is aborted breaks it; one that was aborted before has not come', async ({ mp }) => {
      const barrier = mp.barrier(2)
      const reason = new Error('changed my mind')
      await expect(barrier.wait({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
      expect(await barrier.broken()).toBe(false)
      const abort = new AbortController()
      const aborted = expect(barrier.wait({ signal: abort.signal })).rejects.toBe(reason)
      await barrier.waiting()
      abort.abort(reason)
      await aborted
      await expect(barrier.wait()).rejects.toBeInstanceOf(BrokenBarrierError)
    })

    check('the last party passes without waiting', async ({ mp }) => {
      const barrier = mp.barrier(2, { action: bind(note, mp.queue<number>()) })
      const first = barrier.wait()
      await barrier.waiting()
      expect(await barrier.wait({ timeout: 0 })).toBe(1)
      expect(await first).toBe(0)
    })

    check('abort() breaks it until reset()', async ({ mp }) => {
      const barrier = mp.barrier(2)
      const waiting = failureOf(() => barrier.wait())
      await barrier.waiting()
      await barrier.abort()
      await barrier.abort()
      expect(((await waiting) as Error).message).toMatch(/aborted it/)
      expect(await messageOf(() => barrier.wait())).toMatch(/aborted it; reset\(\)/)
      await barrier.reset()
      expect(await barrier.broken()).toBe(false)
      expect(await Promise.all([barrier.wait(), barrier.wait()])).toEqual([0, 1])
    })

    check('reset() sends away who waits, and nobody else', async ({ mp }) => {
      const barrier = mp.barrier(2)
      const waiting = failureOf(() => barrier.wait())
      await barrier.waiting()
      await barrier.reset()
      expect(await waiting).toBeInstanceOf(BrokenBarrierError)
      expect(await Promise.all([barrier.wait(), barrier.wait()])).toEqual([0, 1])
    })

    check('the same name is the same barrier; another number of parties is a conflict', async (tools) => {
      const { mp, connect, unique } = tools
      const name = unique('barrier')
      const barrier = mp.barrier(2, name)
      const waiting = barrier.wait()
      await barrier.waiting()
      expect(await (await connect()).barrier(2, { name }).wait()).toBe(1)
      expect(await waiting).toBe(0)
      expect(await failureOf(() => mp.barrier(3, name).wait())).toBeInstanceOf(ConflictError)
      await barrier.destroy()
      await expect(barrier.wait()).rejects.toBeInstanceOf(StateError)
    })

    check('one that was destroyed rejects who waits at it', async ({ mp }) => {
      const barrier = mp.barrier(2)
      const waiting = expect(barrier.wait()).rejects.toBeInstanceOf(StateError)
      await barrier.waiting()
      await barrier.destroy()
      await waiting
    })
  })
}
