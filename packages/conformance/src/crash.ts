/**
 * Deaths: `kill -9` from outside, after the victim said that it is at that very point. Whoever waits for something that the
 * victim had gets it, within the adapter's bound; everybody else is not disturbed.
 */
import process from 'node:process'
import { type Lease, WorkerLostError } from '@skein/core'
import { expect } from 'vitest'
import type { Suite } from './harness.ts'
import { idle, nothing } from './targets/basic.ts'
import { putForEver, startFamily, waitForItem, waitForPermits, waitForRoom } from './targets/crash.ts'
import { holdAndSpin, holdForEver, holdPermits, holdThreeDeep, standInLine } from './targets/lock.ts'
import type { Grant } from './targets/lock.ts'
import { hold } from './targets/queue.ts'
import { isRunning, until } from './until.ts'

/** Kills who holds it: the next in line gets it soon, with a higher token, and gives it back. @param within in ms */
async function expectPassedOn(victim: Grant, next: Promise<Lease>, within: number): Promise<void> {
  process.kill(victim.pid, 'SIGKILL')
  const killed = performance.now()
  const lease = await next
  expect(performance.now() - killed).toBeLessThan(within)
  expect(lease.token).toBeGreaterThan(victim.token)
  await lease.release()
}

export function crashSuite(suite: Suite): void {
  suite('deaths', (check) => {
    for (const [doing, holder] of [
      ['waits', holdForEver],
      ['computes', holdAndSpin],
    ] as const) {
      check(`a lock whose holder dies while it ${doing} goes to the next in line (cpython#88304)`, async (tools) => {
        const { mp, start, deathKnownWithin } = tools
        const lock = mp.lock()
        const said = mp.queue<Grant>()
        await start(mp.process(holder, [lock, said]))
        const victim = await said.get()
        const next = lock.acquire()
        await lock.locked()
        await expectPassedOn(victim, next, deathKnownWithin)
        expect(await lock.locked()).toBe(false)
      })
    }

    check('an rlock that was taken three deep goes to the next in line', async ({ mp, start, deathKnownWithin }) => {
      const lock = mp.rlock()
      const said = mp.queue<Grant>()
      await start(mp.process(holdThreeDeep, [lock, said]))
      const victim = await said.get()
      const next = lock.acquire()
      await lock.locked()
      await expectPassedOn(victim, next, deathKnownWithin)
      expect(await lock.locked()).toBe(false)
    })

    for (const side of ['read', 'write'] as const) {
      check(`an rwlock whose holder dies while it may ${side} goes to the next in line`, async (tools) => {
        const { mp, start, deathKnownWithin } = tools
        const rw = mp.rwlock()
        const said = mp.queue<Grant>()
        await start(mp.process(holdForEver, [rw[side], said]))
        const victim = await said.get()
        const next = rw.write.acquire()
        expect(await rw[side].holder()).toMatchObject({ pid: victim.pid })
        await expectPassedOn(victim, next, deathKnownWithin)
        expect([await rw.read.locked(), await rw.write.locked()]).toEqual([false, false])
      })
    }

    check('a writer that dies in line lets the readers behind it pass', async ({ mp, start, deathKnownWithin }) => {
      const rw = mp.rwlock()
      const [said, granted] = [mp.queue<number>(), mp.queue<Grant>()]
      const reading = await rw.read.acquire()
      await start(mp.process(standInLine, [rw.write, said, granted, 1]))
      const victim = await said.get()
      const behind = rw.read.acquire()
      expect(await rw.read.tryAcquire()).toBeNull()
      process.kill(victim, 'SIGKILL')
      const killed = performance.now()
      await (await behind).release()
      expect(performance.now() - killed).toBeLessThan(deathKnownWithin)
      await reading.release()
    })

    check('the permits of a process that dies are free (distributed#2362)', async ({ mp, start, deathKnownWithin }) => {
      const semaphore = mp.semaphore(3)
      const said = mp.queue<Grant>()
      await start(mp.process(holdPermits, [semaphore, 2, said]))
      const victim = await said.get()
      const next = semaphore.acquire({ permits: 2 })
      expect(await semaphore.value()).toBe(1)
      await expectPassedOn(victim, next, deathKnownWithin)
      expect(await semaphore.value()).toBe(3)
    })

    check('a waiter that dies in the middle of the line is passed over', async ({ mp, start }) => {
      const lock = mp.lock()
      const [said, granted] = [mp.queue<number>(), mp.queue<Grant>()]
      const lease = await lock.acquire()
      const pids: number[] = []
      for (const id of [1, 2, 3, 4]) {
        await start(mp.process(standInLine, [lock, said, granted, id]))
        pids.push(await said.get())
      }
      for (const dead of pids.slice(1, 3)) process.kill(dead, 'SIGKILL')
      await until('both are gone', () => !pids.slice(1, 3).some(isRunning))
      await lease.release()
      expect([await granted.get(), await granted.get()].map(({ who }) => who)).toEqual([1, 4])
      expect(await lock.acquire({ timeout: 5_000 }).then((last) => last.release())).toBe(true)
    })

    check('a large request for permits that dies lets the small ones pass', async ({ mp, start, deathKnownWithin }) => {
      const semaphore = mp.semaphore(3)
      const said = mp.queue<number>()
      const lease = await semaphore.acquire()
      await start(mp.process(waitForPermits, [semaphore, 3, said]))
      const victim = await said.get()
      const small = semaphore.acquire()
      expect(await semaphore.value()).toBe(2)
      process.kill(victim, 'SIGKILL')
      const killed = performance.now()
      await (await small).release()
      expect(performance.now() - killed).toBeLessThan(deathKnownWithin)
      await lease.release()
      expect(await semaphore.value()).toBe(3)
    })

    check('an unacknowledged item is delivered again, the attempt counted', async ({ mp, start, deathKnownWithin }) => {
      const queue = mp.queue<string>()
      const said = mp.queue<string>()
      const victim = await start(mp.process(hold<string>, [queue, said]))
      await queue.put('work')
      expect(await said.get()).toBe('work')
      const next = queue.receive()
      expect(await queue.size()).toBe(0)
      process.kill(pidOf(victim), 'SIGKILL')
      const killed = performance.now()
      const delivery = await next
      expect(performance.now() - killed).toBeLessThan(deathKnownWithin)
      expect(delivery).toMatchObject({ value: 'work', attempt: 2 })
      await delivery.ack()
      await queue.join({ timeout: 0 })
      expect(await queue.tryGet()).toBeNull()
    })

    check('an item that kills each of its consumers is set aside', async ({ mp, start }) => {
      const queue = mp.queue<string>({ maxDeliveries: 2 })
      const said = mp.queue<string>()
      await queue.put('poison')
      for (let death = 0; death < 2; death += 1) {
        const victim = await start(mp.process(hold<string>, [queue, said]))
        expect(await said.get()).toBe('poison')
        process.kill(pidOf(victim), 'SIGKILL')
        await victim.join()
      }
      await queue.join({ timeout: 5_000 })
      expect(await queue.tryGet()).toBeNull()
    })

    check('join() of a queue does not wait for a dead consumer, once another is done', async ({ mp, start }) => {
      const queue = mp.queue<string>()
      const said = mp.queue<string>()
      await queue.put('work')
      const victim = await start(mp.process(hold<string>, [queue, said]))
      await said.get()
      const joined = queue.join()
      process.kill(pidOf(victim), 'SIGKILL')
      await (await queue.receive()).ack()
      await joined
    })

    check('a process that dies while it waits for an item holds up nobody and takes nothing', async ({ mp, start }) => {
      const queue = mp.queue<string>()
      const said = mp.queue<number>()
      const child = await start(mp.process(waitForItem, [queue, said]))
      process.kill(await said.get(), 'SIGKILL')
      await child.join()
      await queue.put('first')
      await queue.put('second')
      expect([await queue.get({ timeout: 5_000 }), await queue.get({ timeout: 5_000 })]).toEqual(['first', 'second'])
    })

    check('a process that dies while it waits for room puts nothing and takes no room', async ({ mp, start }) => {
      const queue = mp.queue<string>({ maxSize: 1 })
      const said = mp.queue<number>()
      await queue.put('first')
      const child = await start(mp.process(waitForRoom, [queue, said]))
      process.kill(await said.get(), 'SIGKILL')
      await child.join()
      expect(await queue.get()).toBe('first')
      expect(await queue.tryGet()).toBeNull()
      expect(await queue.tryPut('second')).toBe(true)
    })

    check('a process that dies while it puts leaves whole items only', async ({ mp, start }) => {
      const bytes = 2_000_000
      for (let death = 0; death < 4; death += 1) {
        const queue = mp.queue<Uint8Array>({ maxSize: 3 })
        const said = mp.queue<number>()
        const child = await start(mp.process(putForEver, [queue, bytes, said]))
        const victim = await said.get()
        for (let taken = 0; taken <= death; taken += 1) expectWhole(await queue.get(), bytes)
        process.kill(victim, 'SIGKILL')
        await child.join()
        for (let left = await queue.tryGet(); left !== null; left = await queue.tryGet()) expectWhole(left.value, bytes)
        await queue.put(new Uint8Array(1))
        expect(await queue.get()).toEqual(new Uint8Array(1))
        await queue.destroy()
      }
    })

    check('whoever waits for a process hears how it died', async ({ mp, start, deathKnownWithin }) => {
      const said = mp.queue<number>()
      const child = await start(mp.process(idle, [said]))
      const [ended, result] = [child.join(), child.result().catch((reason: unknown) => reason)]
      const victim = await said.get()
      process.kill(victim, 'SIGKILL')
      const killed = performance.now()
      expect(await ended).toMatchObject({ exitCode: -9, signal: 'SIGKILL', reason: 'signaled' })
      const error = await result
      expect(performance.now() - killed).toBeLessThan(deathKnownWithin)
      expect(error).toBeInstanceOf(WorkerLostError)
      expect(error).toMatchObject({ pid: victim, signal: 'SIGKILL', host: child.host })
      expect((error as Error).message).toContain(String(victim))
      expect((error as Error).message).toContain('SIGKILL')
    })

    check('the children of a process that dies die, too', async ({ mp, start }) => {
      const said = mp.queue<number>()
      const parent = await start(mp.process(startFamily, [said]))
      const family = [await said.get(), await said.get(), await said.get()]
      expect(family.every(isRunning)).toBe(true)
      process.kill(pidOf(parent), 'SIGKILL')
      await until('the whole family is gone', () => !family.some(isRunning), 1_000)
      expect(await (await start(mp.process(nothing))).join()).toMatchObject({ exitCode: 0 })
    })

    check('the children of a process that is terminated end, too', async ({ mp, start }) => {
      const said = mp.queue<number>()
      const parent = await start(mp.process(startFamily, [said]))
      const family = [await said.get(), await said.get(), await said.get()]
      await parent.terminate()
      await until('the whole family is gone', () => !family.some(isRunning), 1_000)
    })
  })
}

function pidOf(child: { readonly pid: number | null }): number {
  if (child.pid === null) throw new Error('the process has no pid')
  return child.pid
}

/** All bytes are those of one put. */
function expectWhole(item: Uint8Array, bytes: number): void {
  expect(item.length).toBe(bytes)
  expect(Buffer.compare(item, Buffer.alloc(bytes, item[0]))).toBe(0)
}
