/** Handles travel like any value, and stand for the same object wherever they arrive; so do names. */
import { currentProcess, ScopeError, StateError } from '@skein/core'
import type { Queue } from '@skein/core'
import { expect } from 'vitest'
import { ascending, failureOf } from './checking.ts'
import type { Suite } from './harness.ts'
import { echo, hear } from './targets/basic.ts'
import {
  answerQuestions,
  endOther,
  introduce,
  type Introduction,
  joinOther,
  lockedByName,
  makeQueue,
  putAtDepth,
  putByName,
  valueByName,
  valueOf,
} from './targets/handles.ts'
import { tryOnce } from './targets/lock.ts'

export function handlesSuite(suite: Suite): void {
  suite('handles and names', (check) => {
    check('a handle passes from process to process, three deep', async ({ mp, start }) => {
      const [queue, lock] = [mp.queue<number>(), mp.lock()]
      const child = await start(mp.process(putAtDepth, [queue, lock, 1, 3]))
      await child.result()
      expect(await queue.get()).toBe(3)
    })

    check('a handle within an argument is the same object', async ({ mp, pool }) => {
      const semaphore = mp.semaphore(3)
      await semaphore.acquire()
      const workers = pool(1)
      expect(await workers.apply(valueOf, [semaphore])).toBe(2)
      const sent = new Map([['deep', [semaphore]]])
      const [back] = (await workers.apply(echo<typeof sent>, [sent])).get('deep') ?? []
      expect(back?.name).toBe(semaphore.name)
      expect(await back?.value()).toBe(2)
    })

    check('each kind of handle comes back as itself', async ({ mp, pool }) => {
      const workers = pool(1)
      const [left] = mp.pipe()
      const shared = [mp.value(0), mp.dict(), mp.list(), mp.array(2)]
      const rw = mp.rwlock()
      const bounded = mp.boundedSemaphore(2)
      const conditions = [mp.condition(), mp.condition({ lock: mp.lock() })]
      const handles = [
        mp.queue(),
        mp.lock(),
        mp.rlock(),
        mp.election('comes-back'),
        rw,
        rw.read,
        rw.write,
        mp.semaphore(2),
        bounded,
        ...conditions,
        left,
        ...shared,
      ]
      const back = await workers.apply(echo<typeof handles>, [handles])
      expect(back.map(({ ref }) => ref)).toEqual(handles.map(({ ref }) => ref))
    })

    check(
      'a handle in an item is the same object: an answer comes through the queue in the question',
      async ({ mp, start }) => {
        const questions = mp.queue<{ n: number; reply: Queue<number> }>()
        await start(mp.process(answerQuestions, [questions]))
        const replies = [mp.queue<number>(), mp.queue<number>()]
        for (const [index, reply] of replies.entries()) await questions.put({ n: index + 2, reply })
        expect(await Promise.all(replies.map((reply) => reply.get()))).toEqual([4, 9])
        await questions.close()
      },
    )

    check('a handle that a task returns works while its maker lives', async ({ pool }) => {
      const workers = pool(1)
      const queue = await workers.apply(makeQueue, ['from the worker'])
      expect(await queue.get()).toBe('from the worker')
      await queue.put('back')
      expect(await queue.get()).toBe('back')
    })

    check('an anonymous object ends with its maker; later use says whose it was', async ({ mp, start }) => {
      const child = await start(mp.process(makeQueue, ['lost']))
      const queue = await child.result()
      await child.join()
      const error = await queue.get({ timeout: 5_000 }).catch((reason: unknown) => reason)
      expect(error).toBeInstanceOf(StateError)
      expect((error as Error).message).toContain(`pid ${child.pid}`)
    })

    check('a process’s handle can be joined by another process', async ({ mp, start }) => {
      const words = mp.queue<string>()
      const waited = await start(mp.process(hear<string>, [mp.queue<number>(), words]))
      const waiting = await start(mp.process(joinOther, [waited]))
      await words.put('end')
      expect(await waiting.result()).toBe(0)
    })

    for (const [how, signal] of [
      ['terminate', 'SIGTERM'],
      ['kill', 'SIGKILL'],
    ] as const) {
      check(`a process can ${how}() its sibling, of which everybody hears`, async ({ mp, start }) => {
        const said = mp.queue<number>()
        const victim = await start(mp.process(hear<string>, [said, mp.queue<string>()]))
        await said.get()
        const other = await start(mp.process(endOther, [victim, how]))
        expect(await other.result()).toBe(signal)
        expect(await victim.join()).toMatchObject({ reason: 'signaled', signal })
        expect(await other.join()).toMatchObject({ reason: 'returned' })
      })
    }

    check('parents and children know the same of each other, at any depth', async ({ mp, start }) => {
      const [up, ready] = [mp.queue<Introduction>(), mp.queue<number>()]
      const child = await start(mp.process(introduce, [up, ready, 2], { name: 'depth-2' }))
      const all = [await up.get(), await up.get(), await up.get()].toSorted((one, other) => other.depth - one.depth)
      const { id, name, pid, host } = currentProcess()
      expect(all.map(({ parent }) => parent)).toEqual([{ id, name, pid, host }, all[0]?.self, all[1]?.self])
      const handles = [child, all[0]?.child, all[1]?.child]
      for (const [depth, handle] of handles.entries()) {
        const self = all[depth]?.self
        expect(handle?.id).toBe(self?.id)
        expect(await handle?.status()).toMatchObject({ state: 'running', name: self?.name, pid: self?.pid, host: self?.host }) // prettier-ignore
      }
      // Of a grandchild, too, whoever has the handle hears.
      const youngest = handles[2]?.join()
      await ready.put(0)
      expect(await youngest).toMatchObject({ reason: 'returned' })
      await child.join()
    })

    check('the same name is the same object, from several processes', async ({ mp, start, unique }) => {
      const name = unique('orders')
      await Promise.all([1, 2].map(async (n) => (await start(mp.process(putByName, [name, n]))).join()))
      const queue = mp.queue<number>({ name })
      expect(ascending([await queue.get(), await queue.get()])).toEqual([1, 2])
      await queue.destroy()

      const lock = mp.lock(name)
      const lease = await lock.acquire()
      expect(await (await start(mp.process(lockedByName, [name]))).result()).toBe(true)
      expect(await (await start(mp.process(tryOnce, [lock]))).result()).toBe(false)
      await lease.release()
      await lock.destroy()

      const semaphore = mp.semaphore(4, name)
      await semaphore.acquire({ permits: 3 })
      expect(await (await start(mp.process(valueByName, [4, name]))).result()).toBe(1)
      await semaphore.destroy()
    })

    check('a handle of another context is refused in the call, wherever it stands', async (tools) => {
      const { mp, pool, unique } = tools
      const namespace = unique('elsewhere')
      const elsewhere = await tools.connect({ namespace })
      const [stray, workers, queue] = [elsewhere.lock('stray'), pool(1), mp.queue<unknown>()]
      const [end] = mp.pipe()
      const calls: (() => unknown)[] = [
        () => mp.process(echo, [[stray]]),
        () => workers.apply(echo, [stray]),
        () => workers.map(echo, [1, stray]),
        () => queue.put({ deep: new Map([[1, stray]]) }),
        () => end.send(stray),
        () => mp.value<unknown>(stray),
        () => mp.dict<unknown>().set('key', stray),
        () => mp.list<unknown>().push(stray),
      ]
      for (const call of calls) {
        const error = await failureOf(call)
        expect(error).toBeInstanceOf(ScopeError)
        expect((error as Error).message).toContain(`lock "stray" belongs to namespace ${namespace}`)
      }
      expect(await queue.size()).toBe(0)
      expect(await workers.apply(echo, ['as ever'])).toBe('as ever')
    })

    check('names are per kind', async ({ mp, unique }) => {
      const name = unique('invoices')
      const [queue, lock, rlock, semaphore] = [mp.queue(name), mp.lock(name), mp.rlock(name), mp.semaphore(2, name)]
      await lock.with(() => rlock.with(() => semaphore.with(() => queue.put(1))))
      expect(await queue.get()).toBe(1)
      for (const handle of [queue, lock, rlock, semaphore]) {
        expect(handle.name).toBe(name)
        await handle.destroy()
      }
    })

    check('a name may be that of a part of a prototype', async ({ mp }) => {
      for (const name of ['__proto__', 'constructor', 'toString', 'a.b:c-d_E']) {
        const queue = mp.queue<number>(name)
        await queue.put(1)
        expect(await queue.get()).toBe(1)
        await queue.destroy()
      }
    })

    check('two objects without a name are two objects', async ({ mp }) => {
      const [one, two] = [mp.queue<number>(), mp.queue<number>()]
      expect(one.name).not.toBe(two.name)
      await one.put(1)
      expect(await two.tryGet()).toBeNull()
    })
  })
}
