/** Locks and semaphores of several programs on one Redis: whose turn it is, through losses, deaths and outages. */
import { CapacityError, ConnectionError, StateError, TimeoutError } from '@skein/core'
import { expect, test } from 'vitest'
import { startRedis } from '../../../integration-tests/support/redis.ts'
import { dead, namespace, objects, program, server, standing } from './permits-fixture.ts'
import type { TestPermits } from './permits-world.ts'

/** A token is promised to come; they come in this order. */
function inOrder(locks: readonly (readonly [string, Promise<number>, TestPermits])[]): Promise<string[]> {
  const order: string[] = []
  return Promise.all(
    locks.map(async ([who, token, lock]) => {
      const got = await token
      order.push(who)
      lock.release(got)
    }),
  ).then(() => order)
}

test('one line for all programs, in the order of asking, with rising tokens', async () => {
  const [a, b] = [await program(), await program()]
  const [mine, other, theirs] = [a.process().lock('x'), a.process().lock('x'), b.process().lock('x')]
  const first = await mine.acquire()
  const second = theirs.acquire()
  await standing('x', 1)
  const third = other.acquire()
  await standing('x', 2)
  const fourth = theirs.acquire()
  await standing('x', 3)
  expect(await other.tryAcquire()).toBeNull()
  mine.release(first)
  const order = await inOrder([
    ['theirs', second, theirs],
    ['other', third, other],
    ['theirs again', fourth, theirs],
  ])
  expect(order).toEqual(['theirs', 'other', 'theirs again'])
  const tokens = [first, await second, await third, await fourth]
  expect(tokens).toEqual([...tokens].toSorted((x, y) => x - y))
  expect(new Set(tokens).size).toBe(4)
})

test('a grant comes by message: nobody asks again in between', async () => {
  const [a, b] = [await program({ beat: 60_000 }), await program({ beat: 60_000 })]
  const [mine, theirs] = [a.process().lock('x'), b.process().lock('x')]
  const token = await mine.acquire()
  const waiting = theirs.acquire()
  await standing('x', 1)
  mine.release(token)
  await waiting
  expect(b.calls).toEqual(['permits-acquire'])
})

test('a grant to the program that gave back comes with the answer to that: no message, nobody asks again', async () => {
  const a = await program({ beat: 60_000 })
  const [mine, next] = [a.process().lock('x'), a.process().lock('x')]
  const token = await mine.acquire()
  const waiting = next.acquire()
  await standing('x', 1)
  a.deaf = true
  a.calls.length = 0
  mine.release(token)
  expect(await waiting).toBeGreaterThan(token)
  expect(a.calls).toEqual(['permits-drop'])
})

test('the last token is remembered while nobody holds', async () => {
  const lock = (await program()).process().lock('x')
  const first = await lock.acquire()
  lock.release(first)
  const key = `{${namespace}:lock:x}`
  await expect.poll(() => server.ask('GET', `${key}:f`)).toBe(String(first))
  expect(await server.ask('EXISTS', `${key}:h`)).toBe(0)
  await server.ask('SET', `${key}:f`, String(first + 1_000_000_000))
  expect(await lock.acquire()).toBe(first + 1_000_000_001)
})

test('a release and what follows it keep their order', async () => {
  const lock = (await program()).process().lock('x')
  for (let round = 0; round < 20; round += 1) {
    const token = await lock.tryAcquire()
    expect(token).not.toBeNull()
    lock.release(token ?? 0)
  }
  expect(await lock.value()).toBe(1)
})

test('a lost message is made up for at the next beat', async () => {
  const [a, b] = [await program(), await program({ beat: 100 })]
  const [mine, theirs] = [a.process().lock('x'), b.process().lock('x')]
  const token = await mine.acquire()
  const waiting = theirs.acquire()
  await standing('x', 1)
  b.deaf = true
  mine.release(token)
  expect(await waiting).toBeGreaterThan(token)
})

test('a wait that runs out or is aborted leaves nothing behind', async () => {
  const [a, b] = [await program(), await program()]
  const [mine, theirs] = [a.process().lock('x'), b.process().lock('x')]
  const token = await mine.acquire()
  await expect(theirs.acquire({ timeout: 30 })).rejects.toBeInstanceOf(TimeoutError)
  const abort = new AbortController()
  const aborted = expect(theirs.acquire({ signal: abort.signal })).rejects.toThrow('enough')
  abort.abort(new Error('enough'))
  await aborted
  await standing('x', 0)
  mine.release(token)
  await expect.poll(() => server.ask('KEYS', `{${namespace}:*`)).toEqual([`{${namespace}:lock:x}:f`])
})

test('grants that cross a giving up are given back', async () => {
  const [a, b] = [await program(), await program()]
  const [mine, theirs] = [a.process().lock('x'), b.process().lock('x')]
  for (let round = 0; round < 60; round += 1) {
    const token = await mine.acquire()
    const abort = new AbortController()
    const waiting = theirs.acquire({ signal: abort.signal }).then(
      (got) => theirs.release(got),
      () => undefined,
    )
    await standing('x', 1)
    mine.release(token)
    if (round % 3 > 0) await new Promise((told) => setImmediate(told))
    abort.abort(new Error('enough'))
    await waiting
  }
  const last = await mine.acquire({ timeout: 2_000 })
  mine.release(last)
  await expect.poll(() => mine.value()).toBe(1)
})

test('a killed process gives back all it held and waited for in one script', async () => {
  const a = await program()
  const [victim, next] = [a.process(), a.process()]
  const semaphore = victim.permits('semaphore', 's', 3)
  await semaphore.acquire()
  await semaphore.acquire({ permits: 2 })
  void semaphore.acquire()
  void semaphore.acquire()
  const waiting = next.permits('semaphore', 's', 3).acquire({ permits: 3 })
  await standing('s', 3, 'semaphore')
  a.calls.length = 0
  victim.kill()
  await waiting
  expect(a.calls).toEqual(['permits-drop'])
})

test('what a dead program held and waited for is taken back by whoever waits', async () => {
  const [a, b] = [await program(), await program()]
  const [mine, theirs] = [a.process().lock('x'), b.process().lock('x')]
  const token = await theirs.acquire()
  void theirs.acquire().catch(() => undefined)
  await standing('x', 1)
  const waiting = mine.acquire()
  await standing('x', 2)
  b.crash()
  a.hear(b.sid)
  expect(await waiting).toBeGreaterThan(token)
})

test('a lock that a dead program held is free for the next who asks, try or not', async () => {
  const b = await program()
  const theirs = b.process()
  await theirs.lock('x').acquire()
  await theirs.lock('y').acquire()
  await theirs.lock('z').acquire()
  b.crash()
  dead.add(b.sid)
  const process = (await program()).process()
  expect(await process.lock('x').tryAcquire()).not.toBeNull()
  await process.lock('y').acquire()
  expect(await process.lock('z').holder()).toBeNull()
})

test('a stopped process loses what it holds and its place, and stands in line again when it goes on', async () => {
  const a = await program()
  const [stopped, other] = [a.process(), a.process()]
  const [held, waited] = [stopped.lock('x'), stopped.lock('y')]
  const token = await held.acquire()
  const keeps = await other.lock('y').acquire()
  const waiting = waited.acquire()
  await standing('y', 1)
  const successor = other.lock('x').acquire()
  await standing('x', 1)
  for (const object of objects) object.suspend(stopped.session)
  expect(await successor).toBeGreaterThan(token)
  await standing('y', 0)
  held.release(token)
  const behind = other.lock('y').acquire()
  await standing('y', 1)
  for (const object of objects) object.resume(stopped.session)
  await standing('y', 2)
  other.lock('y').release(keeps)
  const next = await behind
  other.lock('y').release(next)
  expect(await waiting).toBeGreaterThan(next)
  expect(await held.tryAcquire()).toBeNull()
})

test('a lost session: its leases are void, its waits go on under the next one', async () => {
  const [a, b] = [await program(), await program()]
  const [mine, theirs] = [a.process().lock('x'), b.process().lock('x')]
  const token = await mine.acquire()
  const waits = [theirs.acquire(), theirs.acquire()]
  await standing('x', 2)
  b.lose()
  const [asked, tried] = [theirs.acquire(), theirs.tryAcquire()]
  await b.bear()
  expect(await tried).toBeNull()
  await standing('x', 3)
  mine.release(token)
  const order = await inOrder([
    ['first', waits[0] as Promise<number>, theirs],
    ['second', waits[1] as Promise<number>, theirs],
    ['third', asked, theirs],
  ])
  expect(order).toEqual(['first', 'second', 'third'])
  const again = await mine.acquire()
  a.lose()
  await a.bear()
  const next = await theirs.acquire()
  mine.release(again)
  expect(await theirs.value()).toBe(0)
  expect(next).toBeGreaterThan(again)
})

test('a store that comes back empty: waits stand in line again, tokens rise', async () => {
  const [a, b] = [await program({ beat: 100 }), await program({ beat: 100 })]
  const [mine, theirs] = [a.process().lock('x'), b.process().lock('x')]
  const token = await mine.acquire()
  const waiting = theirs.acquire()
  await standing('x', 1)
  await server.ask('FLUSHALL')
  expect(await waiting).toBeGreaterThan(token)
})

test('a broken connection: nothing is granted twice, nothing is lost', async () => {
  const [a, b] = [await program({ beat: 100 }), await program({ beat: 100 })]
  const locks = [a, a, b, b].map((world) => world.process().lock('x'))
  let inside = 0
  let most = 0
  let last = 0
  const run = async (lock: TestPermits): Promise<void> => {
    for (let round = 0; round < 25; round += 1) {
      const token = await lock.acquire()
      expect(token).toBeGreaterThan(last)
      last = token
      inside += 1
      most = Math.max(most, inside)
      if (round % 5 === 0)
        await server.ask('CLIENT', 'KILL', 'TYPE', round % 2 === 0 ? 'normal' : 'pubsub', 'SKIPME', 'yes')
      else await new Promise((told) => setImmediate(told))
      inside -= 1
      lock.release(token)
    }
  }
  await Promise.all(locks.map(run))
  expect(most).toBe(1)
  await expect.poll(() => locks[0]?.value()).toBe(1)
})

test('without a connection for longer than `outage`, a waiting call says so', async () => {
  const own = await startRedis({ own: true })
  const a = await program({ url: own.url, beat: 50, outage: 200 })
  const lock = a.process().lock('x')
  await lock.acquire()
  const waiting = expect(lock.acquire()).rejects.toBeInstanceOf(ConnectionError)
  await standing('x', 1, 'lock', own)
  await own.kill()
  await waiting
  await own.close()
})

test('a full store refuses what is new, and lets go', async () => {
  const own = await startRedis({ own: true })
  const a = await program({ url: own.url })
  const [mine, theirs] = [a.process().lock('x'), a.process().lock('x')]
  const token = await mine.acquire()
  const waiting = theirs.acquire()
  await standing('x', 1, 'lock', own)
  await own.config('maxmemory', 1)
  await expect(a.process().lock('y').acquire()).rejects.toBeInstanceOf(CapacityError)
  await expect(a.process().lock('y').tryAcquire()).rejects.toBeInstanceOf(CapacityError)
  mine.release(token)
  theirs.release(await waiting)
  await expect.poll(() => mine.value()).toBe(1)
  await own.config('maxmemory', 0)
  await own.close()
})

test('what is given back while the server takes no writes is given back when it does', async () => {
  const [a, b] = [await program({ beat: 100 }), await program({ beat: 100 })]
  const [mine, theirs] = [a.process().lock('x'), b.process().lock('x')]
  const token = await mine.acquire()
  await server.config('min-replicas-to-write', 1)
  try {
    mine.release(token)
    await expect.poll(() => a.calls).toContain('permits-drop')
    await a.settled()
  } finally {
    await server.config('min-replicas-to-write', 0)
  }
  await theirs.acquire({ timeout: 5_000 })
})

test('who waits for a lock without a name hears that its creator has ended, though that was while its program had no session', async () => {
  const [a, b] = [await program(), await program()]
  const creator = a.process()
  const name = `~${creator.session.process.id}-1`
  const [mine, first, second] = [creator.lock(name), b.process().lock(name), b.process().lock(name)]
  mine.release(await mine.acquire())
  await first.acquire()
  const waiting = second.acquire()
  await standing(name, 1)
  a.lose()
  creator.kill()
  await a.bear()
  await expect(waiting).rejects.toThrow(/ended with its creator/)
})

test('a program that loses sight of a lock which is there still gives back what its processes hold', async () => {
  const [a, b] = [await program(), await program()]
  const [mine, theirs] = [a.process().lock('x'), b.process().lock('x')]
  await theirs.acquire()
  const [, object] = objects
  object?.remove?.(new StateError('its keeper cannot be heard'))
  expect(await mine.acquire({ timeout: 5_000 })).toBeGreaterThan(0)
})
