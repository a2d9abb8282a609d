/** A re-entrant lock: the same async flow may take it again, through `with`; everybody else waits. */
import { NotHeldError, TimeoutError } from '@skein/core'
import type { RLock } from '@skein/core'
import { expect } from 'vitest'
import type { Suite } from './harness.ts'
import { critical, holdUntilTold, releaseOnce, tryOnce } from './targets/lock.ts'
import type { Grant } from './targets/lock.ts'

export function rlockSuite(suite: Suite): void {
  suite('rlock', (check) => {
    check('one process at a time', async ({ mp, start }) => {
      const lock = mp.rlock()
      const log = mp.queue<string>()
      const [rounds, ids] = [10, [1, 2]]
      const children = await Promise.all(ids.map((id) => start(mp.process(critical, [lock, log, id, rounds]))))
      await Promise.all(children.map((child) => child.join()))
      for (let entered = 0; entered < rounds * ids.length; entered += 1) {
        const [, id] = (await log.get()).split(' ')
        expect(await log.get()).toBe(`out ${id}`)
      }
    })

    check('with() inside with() enters at any depth, and is free when the outermost is left', async ({ mp, start }) => {
      const lock = mp.rlock()
      const value = await lock.with(async () => {
        await lock.with(() => lock.with(() => expect(lock.locked()).resolves.toBe(true)))
        const child = await start(mp.process(tryOnce, [lock]))
        expect(await child.result()).toBe(false)
        return 'out'
      })
      expect(value).toBe('out')
      expect(await lock.locked()).toBe(false)
    })

    check('acquire() and tryAcquire() inside with() enter, too', async ({ mp }) => {
      const lock = mp.rlock()
      await lock.with(async () => {
        const inner = await lock.acquire({ timeout: 0 })
        const innermost = await lock.tryAcquire()
        expect(await innermost?.release()).toBe(true)
        expect(await inner.release()).toBe(true)
        expect(await lock.locked()).toBe(true)
      })
      expect(await lock.locked()).toBe(false)
    })

    check('re-enters through another handle of the same name', async ({ mp, unique }) => {
      const name = unique('same')
      await mp.rlock(name).with(() => mp.rlock(name).with(() => {}, { timeout: 0 }))
      await mp.rlock(name).destroy()
    })

    check('another flow of the same process waits', async ({ mp }) => {
      const lock = mp.rlock()
      const log: string[] = []
      const visit = (who: string): Promise<void> =>
        lock.with(async () => {
          log.push(`in ${who}`)
          await lock.with(() => lock.locked())
          log.push(`out ${who}`)
        })
      await Promise.all([visit('a'), visit('b')])
      expect(log).toEqual(['in a', 'out a', 'in b', 'out b'])
    })

    check('a flow that outlives the body it was started in no longer holds it', async ({ mp }) => {
      const lock = mp.rlock()
      let open = (): void => {}
      const gate = new Promise<void>((resolve) => {
        open = resolve
      })
      let late: Promise<unknown> = Promise.resolve()
      await lock.with(() => {
        late = gate.then(() => lock.tryAcquire())
      })
      const lease = await lock.acquire()
      open()
      expect(await late).toBeNull()
      await lease.release()
    })

    check('a bare acquire() opens no flow: a second one waits', async ({ mp }) => {
      const lock = mp.rlock()
      const lease = await lock.acquire()
      await expect(lock.acquire({ timeout: 0 })).rejects.toBeInstanceOf(TimeoutError)
      expect(await lock.tryAcquire()).toBeNull()
      await lease.release()
    })

    check('an inner body that throws leaves its own level only', async ({ mp }) => {
      const lock = mp.rlock()
      await lock.with(async () => {
        await expect(lock.with(() => Promise.reject(new Error('inner')))).rejects.toThrow('inner')
        expect(await lock.locked()).toBe(true)
      })
      expect(await lock.locked()).toBe(false)
    })

    check('an outer body that throws releases, and the error is the very same', async ({ mp }) => {
      const lock: RLock = mp.rlock()
      const error = new Error('mine')
      await expect(lock.with(() => lock.with(() => Promise.reject(error)))).rejects.toBe(error)
      expect(await lock.locked()).toBe(false)
    })

    check('only the holder releases', async ({ mp, start }) => {
      const lock = mp.rlock()
      await expect(lock.release()).rejects.toBeInstanceOf(NotHeldError)
      const lease = await lock.acquire()
      const child = await start(mp.process(releaseOnce, [lock]))
      await expect(child.result()).rejects.toBeInstanceOf(NotHeldError)
      await lease.release()
      await expect(lock.release()).rejects.toBeInstanceOf(NotHeldError)
    })

    check('who waits for another process that holds it may run out or be aborted', async ({ mp, start }) => {
      const lock = mp.rlock()
      const [said, words] = [mp.queue<Grant>(), mp.queue<string>()]
      const child = await start(mp.process(holdUntilTold, [lock, said, words]))
      const { pid } = await said.get()
      expect(await lock.holder()).toMatchObject({ pid })
      await expect(lock.with(() => expect.unreachable(), { timeout: 20 })).rejects.toBeInstanceOf(TimeoutError)
      const abort = new AbortController()
      const aborted = expect(lock.acquire({ signal: abort.signal })).rejects.toThrow('enough')
      abort.abort(new Error('enough'))
      await aborted
      await words.put('let go')
      await child.join()
      expect(await lock.locked()).toBe(false)
    })

    check('each later grant has a larger token', async ({ mp }) => {
      const lock = mp.rlock()
      const first = await lock.with((lease) => lease.token)
      expect(await lock.with((lease) => lease.token)).toBeGreaterThan(first)
    })
  })
}
