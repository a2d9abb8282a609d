/** `inspect()`: who holds, who waits, how deep, for every kind of object that processes wait on. */
import process from 'node:process'
import type { Context, HandleKind, ObjectSnapshot, Snapshot } from '@skein/core'
import { bind, currentProcess } from '@skein/core'
import { expect } from 'vitest'
import { failureOf } from './checking.ts'
import type { Suite } from './harness.ts'
import { waitOnce } from './targets/condition.ts'
import { inspectHere } from './targets/inspect.ts'
import { holdForEver, standInLine } from './targets/lock.ts'
import type { Grant } from './targets/lock.ts'
import { noteUntil } from './targets/signals.ts'
import { listenIdly } from './targets/topic.ts'
import { until } from './until.ts'

async function seen(mp: Context, kind: HandleKind, { name }: { readonly name: string }): Promise<ObjectSnapshot> {
  const found = (await mp.inspect()).objects.find((one) => one.kind === kind && one.name === name)
  if (found === undefined) throw new Error(`no ${kind} ${name} in the snapshot`)
  return found
}

/** This process, as snapshots show it. */
function here(): { process: string; name: string; pid: number; host: string } {
  const { id, name, pid, host } = currentProcess()
  return { process: id, name, pid, host }
}

export function inspectSuite(suite: Suite): void {
  suite('inspect', (check) => {
    check('says when and where it looked, each object once, by kind and name', async ({ mp, unique }) => {
      const [one, other] = [mp.lock(unique('b')), mp.semaphore(2, unique('a'))]
      const leases = [await one.acquire(), await other.acquire()]
      const before = Date.now()
      const { at, namespace, objects } = await mp.inspect()
      expect(at).toBeGreaterThanOrEqual(before)
      expect(namespace).toBe(mp.namespace)
      const keys = objects.map(({ kind, name }) => `${kind} ${name}`)
      expect(keys).toEqual([...new Set(keys)].toSorted((a, b) => (a < b ? -1 : 1)))
      for (const lease of leases) await lease.release()
      for (const object of [one, other]) await object.destroy()
    })

    check('a lock: who holds it with which token, who waits in which order', async ({ mp, start }) => {
      const lock = mp.lock()
      const [said, granted] = [mp.queue<number>(), mp.queue<Grant>()]
      const lease = await lock.acquire()
      const children = [
        mp.process(standInLine, [lock, said, granted, 1]),
        mp.process(standInLine, [lock, said, granted, 2]),
      ]
      for (const child of children) {
        await start(child)
        await said.get()
      }
      const { host } = currentProcess()
      expect(await seen(mp, 'lock', lock)).toEqual({
        kind: 'lock',
        name: lock.name,
        state: 'open',
        depth: 0,
        capacity: 1,
        holders: [{ ...here(), token: lease.token, count: 1 }],
        waiters: children.map(({ id, pid }) => ({
          process: id,
          name: expect.any(String) as string,
          pid,
          host,
          call: 'acquire',
          count: 1,
        })),
      })
      await lease.release()
      for (const child of children) await child.join()
      expect(await seen(mp, 'lock', lock)).toMatchObject({ depth: 1, holders: [], waiters: [] })
    })

    check('a condition: who waits in it, and who holds a lock of its own', async ({ mp, start, unique }) => {
      const [lock, name] = [mp.rlock(unique('desk')), unique('news')]
      for (const condition of [mp.condition(), mp.condition(unique('own')), mp.condition({ name, lock })]) {
        const [said, woken] = [mp.queue<number>(), mp.queue<number>()]
        const child = await start(mp.process(waitOnce, [condition, said, woken]))
        await said.get()
        await condition.with(async ({ token }) => {
          const { depth, capacity, holders, waiters } = await seen(mp, 'condition', condition)
          expect([depth, capacity]).toEqual([1, null])
          expect(waiters).toMatchObject([{ pid: child.pid, call: 'wait', count: 1 }])
          const holder = { ...here(), token, count: 1 }
          expect(holders).toEqual(condition.name === name ? [] : [holder])
          if (condition.name === name) expect(await seen(mp, 'rlock', lock)).toMatchObject({ holders: [holder] })
          await condition.notify()
        })
        await child.join()
        expect(await seen(mp, 'condition', condition)).toMatchObject({ depth: 0, holders: [], waiters: [] })
        await condition.destroy()
      }
      await lock.destroy()
    })

    check('is the same from every process', async ({ mp, start, unique }) => {
      const lock = mp.rlock(unique('seen'))
      await lock.acquire()
      const child = await start(mp.process(inspectHere))
      const find = ({ objects }: Snapshot): ObjectSnapshot | undefined => objects.find(({ name }) => name === lock.name)
      expect(find(await child.result())).toEqual(find(await mp.inspect()))
      await lock.release()
      await lock.destroy()
    })

    check('an rwlock: who reads, who writes, and who wants what', async ({ mp }) => {
      const { read, write, name } = mp.rwlock()
      const reading = [await read.acquire(), await read.acquire()]
      const writer = write.acquire()
      await write.locked()
      const [me, one] = [here(), { count: 1, side: 'read' }]
      expect(await seen(mp, 'rwlock', { name })).toMatchObject({
        depth: 1,
        capacity: 1,
        holders: [
          { ...me, ...one },
          { ...me, ...one },
        ],
        waiters: [{ ...me, call: 'acquire', count: 1, side: 'write' }],
      })
      for (const lease of reading) await lease.release()
      const writing = await writer
      expect(await seen(mp, 'rwlock', { name })).toMatchObject({ depth: 0, holders: [{ side: 'write' }], waiters: [] })
      await writing.release()
    })

    check('a semaphore: how many permits are free, held by grant, and wanted', async ({ mp }) => {
      const semaphore = mp.semaphore(5)
      const leases = [await semaphore.acquire({ permits: 3 }), await semaphore.acquire()]
      const large = semaphore.acquire({ permits: 4 })
      await semaphore.value()
      expect(await seen(mp, 'semaphore', semaphore)).toMatchObject({
        depth: 1,
        capacity: 5,
        holders: [{ count: 3, token: leases[0]?.token }, { count: 1 }],
        waiters: [{ call: 'acquire', count: 4 }],
      })
      for (const lease of leases) await lease.release()
      await (await large).release()
    })

    check('a semaphore that nobody owns has no holders', async ({ mp }) => {
      const semaphore = mp.semaphore(2, { owned: false })
      await semaphore.acquire()
      const waiting = semaphore.acquire({ permits: 2 })
      await semaphore.value()
      expect(await seen(mp, 'semaphore', semaphore)).toMatchObject({
        depth: 1,
        capacity: null,
        holders: [],
        waiters: [{ ...here(), call: 'acquire', count: 2 }],
      })
      await semaphore.release()
      await waiting
    })

    check('a queue: what waits, who has items in hand, who waits for which', async ({ mp }) => {
      const queue = mp.queue<number>({ maxSize: 3 })
      for (const item of [1, 2, 3]) await queue.put(item)
      const deliveries = [await queue.receive(), await queue.receive()]
      const [put, joined] = [queue.put(4), queue.join()]
      await queue.size()
      expect(await seen(mp, 'queue', queue)).toMatchObject({
        state: 'open',
        depth: 1,
        capacity: 3,
        holders: [{ ...here(), token: null, count: 2 }],
        waiters: [
          { ...here(), call: 'put', count: 1 },
          { ...here(), call: 'join', count: 1 },
        ],
      })
      for (const delivery of deliveries) await delivery.ack()
      await put
      expect([await queue.get(), await queue.get()]).toEqual([3, 4])
      await joined
      const got = failureOf(() => queue.get())
      await queue.size()
      expect(await seen(mp, 'queue', queue)).toMatchObject({ depth: 0, holders: [], waiters: [{ call: 'get' }] })
      await queue.close()
      await got
    })

    check('an unbounded queue has no capacity; a closed one is closed', async ({ mp }) => {
      const queue = mp.queue<number>()
      await queue.put(1)
      await queue.close()
      expect(await seen(mp, 'queue', queue)).toMatchObject({ state: 'closed', depth: 1, capacity: null })
    })

    check('events, latches and barriers: how far they are, and who waits', async ({ mp }) => {
      const [event, latch, barrier] = [mp.event(), mp.latch(3), mp.barrier(2)]
      const [set, open, broken] = [event.wait(), latch.wait(), failureOf(() => barrier.wait())]
      await latch.countDown()
      await barrier.waiting()
      await event.isSet()
      const waiters = [{ ...here(), call: 'wait', count: 1 }]
      expect(await seen(mp, 'event', event)).toMatchObject({ depth: 0, capacity: null, holders: [], waiters })
      expect(await seen(mp, 'latch', latch)).toMatchObject({ depth: 2, capacity: 3, holders: [], waiters })
      expect(await seen(mp, 'barrier', barrier)).toMatchObject({ state: 'open', depth: 1, capacity: 2, waiters })
      await event.set()
      await latch.countDown(2)
      await barrier.abort()
      await Promise.all([set, open, broken])
      expect(await seen(mp, 'event', event)).toMatchObject({ depth: 1, waiters: [] })
      expect(await seen(mp, 'latch', latch)).toMatchObject({ depth: 0, waiters: [] })
      expect(await seen(mp, 'barrier', barrier)).toMatchObject({ state: 'broken', depth: 0, waiters: [] })
    })

    check('a barrier whose action runs says in whom', async ({ mp }) => {
      const [notes, enough] = [mp.queue<number>(), mp.event()]
      const barrier = mp.barrier(2, { action: bind(noteUntil, notes, enough) })
      const seats = Promise.all([barrier.wait(), barrier.wait()])
      await notes.get()
      expect(await seen(mp, 'barrier', barrier)).toMatchObject({ depth: 2, holders: [here()], waiters: [here()] })
      await enough.set()
      expect(await seats).toEqual([0, 1])
    })

    check('shared state: how much there is, whose turn it is to update, and who waits for that', async ({ mp }) => {
      const [value, dict, list] = [mp.value(7), mp.dict<number>(), mp.list<string>()]
      await value.update(async (now) => now + 1)
      await Promise.all([dict.set('a', 1), dict.set(1, 2), list.push('x', 'y', 'z')])
      const idle = { state: 'open', holders: [], waiters: [] }
      expect(await seen(mp, 'value', value)).toMatchObject({ ...idle, depth: 1, capacity: 1 })
      expect(await seen(mp, 'dict', dict)).toMatchObject({ ...idle, depth: 2, capacity: null })
      expect(await seen(mp, 'list', list)).toMatchObject({ ...idle, depth: 3, capacity: null })
      for (const array of [mp.array(4), mp.array([1, 2, 3, 4])]) {
        await array.set(0, 1)
        expect(await seen(mp, 'array', array)).toMatchObject({ ...idle, depth: 4, capacity: 4 })
      }
      await dict.clear()
      expect(await seen(mp, 'dict', dict)).toMatchObject({ depth: 0 })

      let calls = 0
      let waiting: Promise<unknown> = Promise.resolve()
      const result = await value.update(async (now) => {
        calls += 1
        // Others come before it, until it has the turn.
        if ((await seen(mp, 'value', value)).holders.length === 0) await value.set(calls)
        else {
          waiting = value.set(0)
          await until('the other waits', async () => (await seen(mp, 'value', value)).waiters.length === 1)
          expect(await seen(mp, 'value', value)).toMatchObject({
            holders: [{ ...here(), token: expect.any(Number) as unknown, count: 1 }],
            waiters: [{ ...here(), call: 'update', count: 1 }],
          })
        }
        return now + 100
      })
      await waiting
      expect(result).toBeGreaterThan(100)
      await until('the turn is over', async () => (await seen(mp, 'value', value)).holders.length === 0)
    })

    check('a topic: who listens, once for each loop', async ({ mp, start, unique, deathKnownWithin }) => {
      const topic = mp.topic<number>(unique('news'))
      const ready = mp.event()
      const loops = [topic[Symbol.asyncIterator](), topic[Symbol.asyncIterator]()]
      const child = await start(mp.process(listenIdly, [topic, ready]))
      await ready.wait()
      await until('all listen', async () => (await seen(mp, 'topic', topic)).depth === 3)
      const { capacity, holders, waiters } = await seen(mp, 'topic', topic)
      expect([capacity, holders]).toEqual([null, []])
      const mine = { ...here(), call: 'listen', count: 1 }
      const theirs = waiters.filter(({ pid }) => pid === child.pid)
      expect(theirs).toMatchObject([{ process: child.id, call: 'listen' }])
      expect(waiters.filter(({ pid }) => pid !== child.pid)).toEqual([mine, mine])
      await loops[0]?.return?.()
      process.kill(Number(child.pid), 'SIGKILL')
      const left = async (): Promise<number> => (await seen(mp, 'topic', topic)).depth
      await until('two have left', async () => (await left()) === 1, deathKnownWithin)
      await loops[1]?.return?.()
      await topic.destroy()
    })

    check('who dies is not there any more', async ({ mp, start, deathKnownWithin }) => {
      const lock = mp.lock()
      const said = mp.queue<Grant>()
      await start(mp.process(holdForEver, [lock, said]))
      const { pid } = await said.get()
      expect((await seen(mp, 'lock', lock)).holders).toMatchObject([{ pid }])
      process.kill(pid, 'SIGKILL')
      await until('it is free', async () => (await seen(mp, 'lock', lock)).holders.length === 0, deathKnownWithin)
    })

    check('an object that was destroyed is not there', async ({ mp, unique }) => {
      const queue = mp.queue<number>(unique('queue'))
      await queue.put(1)
      await queue.destroy()
      expect((await mp.inspect()).objects.filter(({ name }) => name === queue.name)).toEqual([])
    })
  })
}
