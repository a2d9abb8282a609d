/** A lock: one holder, granted in the order of asking, released by its holder only. What deaths do is in crash.ts. */
import process from 'node:process'
import { currentProcess, LeaseLostError, NotHeldError, StateError, TimeoutError } from '@skein/core'
import { expect } from 'vitest'
import { ascending, failureOf } from './checking.ts'
import type { Suite } from './harness.ts'
import {
  critical,
  holderPid,
  holdUntilTold,
  releaseOnce,
  standInLine,
  takeAndEnd,
  tokenOf,
  tryOnce,
} from './targets/lock.ts'
import type { Grant } from './targets/lock.ts'

export function lockSuite(suite: Suite): void {
  suite('lock', (check) => {
    check('one process at a time', async ({ mp, start }) => {
      const lock = mp.lock()
      const log = mp.queue<string>()
      const [rounds, ids] = [20, [1, 2, 3]]
      const children = await Promise.all(ids.map((id) => start(mp.process(critical, [lock, log, id, rounds]))))
      await Promise.all(children.map((child) => child.join()))
      for (let entered = 0; entered < rounds * ids.length; entered += 1) {
        const [, id] = (await log.get()).split(' ')
        expect(await log.get()).toBe(`out ${id}`)
      }
    })

    check('granted in the order of asking, across processes', async ({ mp, start }) => {
      const lock = mp.lock()
      const [said, granted] = [mp.queue<number>(), mp.queue<Grant>()]
      const lease = await lock.acquire()
      for (const id of [1, 2, 3]) {
        await start(mp.process(standInLine, [lock, said, granted, id]))
        await said.get()
      }
      await lease.release()
      const order = [await granted.get(), await granted.get(), await granted.get()]
      expect(order.map(({ who }) => who)).toEqual([1, 2, 3])
    })

    check('granted in the order of asking, within a process', async ({ mp }) => {
      const lock = mp.lock()
      const order: number[] = []
      await Promise.all(
        [1, 2, 3, 4].map((id) =>
          lock.with(async () => {
            await lock.locked()
            order.push(id)
          }),
        ),
      )
      expect(order).toEqual([1, 2, 3, 4])
    })

    for (const how of ['a nameless lock', 'a named lock']) {
      check(`a context that closes is not granted ${how} that it gives back itself`, async ({ connect, unique }) => {
        const mp = await connect()
        const lock = how === 'a named lock' ? mp.lock(unique('closing')) : mp.lock()
        const lease = await lock.acquire()
        let runs = 0
        const waits = [lock.acquire(), lock.with(() => (runs += 1))].map((wait) => failureOf(() => wait))
        // Answered after them, in the same stream.
        expect(await lock.locked()).toBe(true)
        await mp.close()
        expect(() => lease.assertHeld()).toThrow(LeaseLostError)
        for (const error of await Promise.all(waits)) {
          expect((error as Error).name).toBe('ClosedError')
        }
        expect(runs).toBe(0)
      })
    }

    check('a wait that runs out leaves no place in line', async ({ mp }) => {
      const lock = mp.lock()
      const lease = await lock.acquire()
      const asked = performance.now()
      await expect(lock.acquire({ timeout: 50 })).rejects.toBeInstanceOf(TimeoutError)
      expect(performance.now() - asked).toBeGreaterThanOrEqual(49)
      await lease.release()
      expect(await lock.locked()).toBe(false)
      expect(await (await lock.tryAcquire())?.release()).toBe(true)
    })

    check('a wait that is aborted leaves no place in line, and those behind it move up', async ({ mp }) => {
      const lock = mp.lock()
      const lease = await lock.acquire()
      const abort = new AbortController()
      const aborted = expect(lock.acquire({ signal: abort.signal })).rejects.toThrow('enough')
      const behind = lock.acquire()
      await lock.locked()
      abort.abort(new Error('enough'))
      await aborted
      await lease.release()
      const next = await behind
      await next.release()
      expect(await lock.locked()).toBe(false)
    })

    for (const timeout of [0, -1]) {
      check(`acquire() with a timeout of ${timeout} takes a free lock, and does not wait`, async ({ mp }) => {
        const lock = mp.lock()
        const lease = await lock.acquire({ timeout })
        await expect(lock.acquire({ timeout })).rejects.toBeInstanceOf(TimeoutError)
        await lease.release()
      })
    }

    check('a signal that is aborted already: nothing is taken', async ({ mp }) => {
      const lock = mp.lock()
      const reason = new Error('changed my mind')
      const signal = AbortSignal.abort(reason)
      await expect(lock.acquire({ signal })).rejects.toBe(reason)
      await expect(lock.with(() => expect.unreachable(), { signal })).rejects.toBe(reason)
      expect(await lock.locked()).toBe(false)
    })

    check('tryAcquire() says null while somebody holds it, and never waits', async ({ mp, start }) => {
      const lock = mp.lock()
      const lease = await lock.tryAcquire()
      expect(lease).not.toBeNull()
      expect(await lock.tryAcquire()).toBeNull()
      const child = await start(mp.process(tryOnce, [lock]))
      expect(await child.result()).toBe(false)
      await lease?.release()
    })

    check('only the holder releases', async ({ mp, start }) => {
      const lock = mp.lock()
      const lease = await lock.acquire()
      const child = await start(mp.process(releaseOnce, [lock]))
      await expect(child.result()).rejects.toBeInstanceOf(NotHeldError)
      expect(await lock.locked()).toBe(true)
      lease.assertHeld()
      await lease.release()
    })

    check('release() of what is not held, or no longer, is refused', async ({ mp }) => {
      const lock = mp.lock()
      await expect(lock.release()).rejects.toBeInstanceOf(NotHeldError)
      await lock.acquire()
      await lock.release()
      await expect(lock.release()).rejects.toBeInstanceOf(NotHeldError)
    })

    check('release() of another handle of the same lock is refused', async ({ mp, unique }) => {
      const name = unique('two-handles')
      const [mine, other] = [mp.lock(name), mp.lock({ name })]
      await mine.acquire()
      await expect(other.release()).rejects.toBeInstanceOf(NotHeldError)
      await mine.release()
      await mine.destroy()
    })

    check('a lease says true when it is released, false the second time', async ({ mp }) => {
      const lock = mp.lock()
      const lease = await lock.acquire()
      expect(lease.expiresIn).toBeGreaterThan(0)
      expect(lease.signal.aborted).toBe(false)
      lease.assertHeld()
      expect(await lease.release()).toBe(true)
      expect(await lease.release()).toBe(false)
      expect(() => lease.assertHeld()).toThrow(LeaseLostError)
    })

    check('a lease that was released does not release the next one', async ({ mp }) => {
      const lock = mp.lock()
      const first = await lock.acquire()
      await first.release()
      const second = await lock.acquire()
      expect(await first.release()).toBe(false)
      await first[Symbol.asyncDispose]()
      second.assertHeld()
      expect(await lock.tryAcquire()).toBeNull()
      await second[Symbol.asyncDispose]()
      expect(await lock.locked()).toBe(false)
    })

    check('with() holds it for the body, returns its value, and releases', async ({ mp }) => {
      const lock = mp.lock()
      const value = await lock.with(async (lease) => {
        lease.assertHeld()
        expect(await lock.locked()).toBe(true)
        return 'done'
      })
      expect(value).toBe('done')
      expect(await lock.locked()).toBe(false)
    })

    check(
      'with() releases when the body throws, and rejects with that very error (node-redlock#369)',
      async ({ mp }) => {
        const lock = mp.lock()
        const error = new Error('mine')
        const bodies = [
          (): never => {
            throw error
          },
          (): Promise<never> => Promise.reject(error),
          async (): Promise<never> => {
            await lock.release()
            throw error
          },
        ]
        for (const body of bodies) {
          await expect(lock.with(body)).rejects.toBe(error)
          expect(await lock.locked()).toBe(false)
        }
      },
    )

    check('is not re-entrant', async ({ mp }) => {
      const lock = mp.lock()
      await lock.with(() => expect(lock.acquire({ timeout: 20 })).rejects.toBeInstanceOf(TimeoutError))
    })

    check('each later grant has a larger token, whoever gets it (redislock#93)', async ({ mp, start }) => {
      const lock = mp.lock()
      const tokens: number[] = []
      for (let round = 0; round < 3; round += 1) {
        tokens.push(await tokenOf(lock))
        tokens.push(await (await start(mp.process(tokenOf, [lock]))).result())
      }
      expectIncreasing(tokens)
    })

    check('tokens of a name keep growing after it was destroyed', async ({ mp, unique }) => {
      const name = unique('reborn')
      const tokens: number[] = []
      for (let life = 0; life < 3; life += 1) {
        const lock = mp.lock(name)
        tokens.push(await tokenOf(lock), await tokenOf(lock))
        await lock.destroy()
      }
      expectIncreasing(tokens)
    })

    check('holder() says who', async ({ mp, start }) => {
      const lock = mp.lock()
      expect(await lock.holder()).toBeNull()
      const lease = await lock.acquire()
      const { id, name, host } = currentProcess()
      expect(await lock.holder()).toEqual({ process: id, name, host, pid: process.pid, token: lease.token })
      expect(await (await start(mp.process(holderPid, [lock]))).result()).toBe(process.pid)
      await lease.release()

      const [said, words] = [mp.queue<Grant>(), mp.queue<string>()]
      const child = await start(mp.process(holdUntilTold, [lock, said, words], { name: 'keeper' }))
      const { token } = await said.get()
      expect(await lock.holder()).toMatchObject({ process: child.id, name: 'keeper', pid: child.pid, token })
      await words.put('let go')
      await child.join()
      expect(await lock.holder()).toBeNull()
    })

    check('a process that ends without releasing gives way', async ({ mp, start }) => {
      const lock = mp.lock()
      const child = await start(mp.process(takeAndEnd, [lock]))
      const token = await child.result()
      const lease = await lock.acquire({ timeout: 5_000 })
      expect(lease.token).toBeGreaterThan(token)
      await lease.release()
    })

    check('a lock that was destroyed rejects who waits for it, and whoever comes later', async ({ mp }) => {
      const lock = mp.lock()
      await lock.acquire()
      const waiting = expect(lock.acquire()).rejects.toBeInstanceOf(StateError)
      await lock.locked()
      await lock.destroy()
      await waiting
      await lock.destroy()
      await expect(lock.acquire()).rejects.toBeInstanceOf(StateError)
    })
  })
}

function expectIncreasing(tokens: readonly number[]): void {
  for (const token of tokens) expect(Number.isSafeInteger(token)).toBe(true)
  expect(tokens).toEqual(ascending([...new Set(tokens)]))
}
