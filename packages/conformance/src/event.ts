/** An event: a flag on which any number of processes wait. */
import process from 'node:process'
import { StateError, TimeoutError } from '@skein/core'
import { expect } from 'vitest'
import type { Suite } from './harness.ts'
import { awaitEvent, setEvent } from './targets/signals.ts'
import { isRunning, until } from './until.ts'

export function eventSuite(suite: Suite): void {
  suite('event', (check) => {
    check('is down at first, up after set(), down after clear(), each as often as one likes', async ({ mp }) => {
      const event = mp.event()
      expect(await event.isSet()).toBe(false)
      await event.set()
      await event.set()
      expect(await event.isSet()).toBe(true)
      await event.clear()
      await event.clear()
      expect(await event.isSet()).toBe(false)
    })

    check('set() wakes everybody who waits, across processes', async ({ mp, start }) => {
      const event = mp.event()
      const said = mp.queue<number>()
      const children = await Promise.all([1, 2, 3].map(() => start(mp.process(awaitEvent, [event, said]))))
      const here = [event.wait(), event.wait()]
      for (const _ of children) await said.get()
      await event.set()
      await Promise.all(here)
      expect(await Promise.all(children.map((child) => child.result()))).toEqual([true, true, true])
    })

    check('wait() resolves at once while it is set', async ({ mp, start }) => {
      const event = mp.event()
      await (await start(mp.process(setEvent, [event]))).join()
      await event.wait()
      await event.wait({ timeout: 0 })
      await event.wait({ timeout: 1_000 })
    })

    check('set() and clear() at once still wake who waited before, and nobody later', async ({ mp }) => {
      const event = mp.event()
      const before = event.wait()
      await Promise.all([event.set(), event.clear()])
      await before
      await expect(event.wait({ timeout: 20 })).rejects.toBeInstanceOf(TimeoutError)
    })

    check('a wait that runs out or is aborted changes nothing', async ({ mp }) => {
      const event = mp.event()
      const asked = performance.now()
      await expect(event.wait({ timeout: 50 })).rejects.toBeInstanceOf(TimeoutError)
      expect(performance.now() - asked).toBeGreaterThanOrEqual(49)
      await expect(event.wait({ timeout: 0 })).rejects.toBeInstanceOf(TimeoutError)
      await expect(event.wait({ timeout: -1 })).rejects.toBeInstanceOf(TimeoutError)
      const abort = new AbortController()
      const aborted = expect(event.wait({ signal: abort.signal })).rejects.toThrow('enough')
      const other = event.wait()
      await event.isSet()
      abort.abort(new Error('enough'))
      await aborted
      const reason = new Error('changed my mind')
      await expect(event.wait({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
      await event.set()
      await other
    })

    check('a death among those who wait disturbs nobody (cpython#126434)', async ({ mp, start }) => {
      const event = mp.event()
      const said = mp.queue<number>()
      const [victim, witness] = [
        await start(mp.process(awaitEvent, [event, said])),
        await start(mp.process(awaitEvent, [event, said])),
      ]
      const pids = [await said.get(), await said.get()]
      expect(pids).toContain(victim.pid)
      process.kill(Number(victim.pid), 'SIGKILL')
      await until('it is gone', () => !isRunning(Number(victim.pid)))
      await event.set()
      expect(await witness.result()).toBe(true)
    })

    check('stays set when who set it ends; the same name is the same event', async ({ mp, start, connect, unique }) => {
      const name = unique('event')
      const event = mp.event(name)
      await (await start(mp.process(setEvent, [event]))).join()
      const other = (await connect()).event({ name })
      expect(await other.isSet()).toBe(true)
      await event.destroy()
      const fresh = mp.event(name)
      expect(await fresh.isSet()).toBe(false)
      await fresh.destroy()
    })

    check('one that was destroyed rejects who waits for it, and whoever comes later', async ({ mp }) => {
      const event = mp.event()
      const waiting = expect(event.wait()).rejects.toBeInstanceOf(StateError)
      await event.isSet()
      await event.destroy()
      await waiting
      await event.destroy()
      await expect(event.set()).rejects.toBeInstanceOf(StateError)
      await expect(event.wait()).rejects.toBeInstanceOf(StateError)
    })

    check('a thousand waits are all woken', async ({ mp }) => {
      const event = mp.event()
      const all = Array.from({ length: 1_000 }, () => event.wait({ timeout: 20_000 }))
      await event.isSet()
      await event.set()
      await Promise.all(all)
    })
  })
}
