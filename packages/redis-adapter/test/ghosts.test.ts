/** What must never be left behind: holders and waiters whom nobody speaks for, and objects without an owner. */
import type { Session } from '@skein/core/adapter'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { type Door, doorsTo, opened } from '../../../integration-tests/support/proxy.ts'
import { expect, onTestFinished, test } from 'vitest'
import { serverOf } from '../src/options.ts'
import { openSurround } from '../src/supervisor/opening.ts'
import { sessionKeys } from '../src/supervisor/program-session.ts'
import { namespace, program, server, standing } from './permits-fixture.ts'

/** Processes of the program, which have made the objects without a name. */
const makers = ['p', 'q'].map((id) => ({ process: { id } }) as Session)

async function surround(url: string, confirmed: () => void = () => undefined): ReturnType<typeof openSurround> {
  const settings = { namespace, sessionTtl: 500, outage: Number.POSITIVE_INFINITY, serve: null }
  const guard = {
    program: 'test',
    sessions: () => makers,
    confirm: confirmed,
    lose: () => undefined,
    interrupted: () => undefined,
    alias: () => undefined,
  }
  const surrounding = await openSurround({ servers: [serverOf(url)], quorum: false }, settings, guard)
  onTestFinished(surrounding.close)
  return surrounding
}

/** A way to the server on which one request is held up, while its sender sees the connection end; `deliver` tells how many were. */
async function slowWay(held: RegExp): Promise<{ url: string; deliver(): Promise<number> }> {
  const late: (() => Promise<void>)[] = []
  const sockets = new Set<Socket>()
  const doors = await doorsTo(server.url)
  const way = (near: Socket, { dial, changes }: Door): void => {
    const far = dial()
    const changed = changes()
    let holds = false
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.on('error', () => undefined)
    }
    near.on('data', (bytes: Buffer) => {
      holds ||= late.length === 0 && held.test(bytes.toString('latin1'))
      if (!holds) far.write(bytes)
      else {
        late.push(async () => {
          // Either the server has ended this connection, or it answers.
          const heard = Promise.race([once(far, 'data'), once(far, 'close')])
          if (!far.destroyed) {
            far.write(bytes)
            await heard
          }
        })
        near.destroy()
      }
    })
    far.on('data', (bytes) => near.write(changed(bytes)))
    far.on('close', () => near.destroy())
    near.on('close', () => holds || far.destroy())
  }
  for (const door of doors) door.onClient((near) => way(near, door))
  const url = await opened(doors, server.url)
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    for (const { listener } of doors) listener.close()
  })
  return {
    url,
    deliver: async () => {
      for (const one of late) await one()
      return late.length
    },
  }
}

test('a full store costs nobody the place in line, and the grant reaches who stands there', async () => {
  const a = await program({ beat: 50 })
  const [mine, theirs] = [a.process().lock('x'), a.process().lock('x')]
  const token = await mine.acquire()
  const waiting = theirs.acquire()
  await standing('x', 1)
  await server.config('maxmemory', 1)
  onTestFinished(() => server.config('maxmemory', 0))
  const before = a.calls.length
  // It has asked again, and been answered.
  await expect.poll(() => a.calls.length).toBeGreaterThan(before + 2)
  await standing('x', 1)
  // The message is lost: asking again brings the grant, full as the store is.
  a.deaf = true
  mine.release(token)
  theirs.release(await waiting)
  await expect.poll(() => server.ask('EXISTS', `{${namespace}:lock:x}:h`)).toBe(0)
})

test('a grant for a request that nobody here knows of is given back', async () => {
  const a = await program()
  const lock = a.process().lock('x')
  await lock.value()
  const [rid, holders] = [`${a.sid}/99/7`, `{${namespace}:lock:x}:h`]
  await server.ask('HSET', holders, rid, '1 5 {}', '#', '1')
  const token = lock.acquire()
  await standing('x', 1)
  await server.ask('PUBLISH', `${namespace}:wake:${a.sid}`, `g lock:x ${rid} 5`)
  const granted = await token
  expect(granted).toBeGreaterThan(5)
  lock.release(granted)
})

test('a request that reaches the server after its connection has been replaced has no effect', async () => {
  const way = await slowWay(/\r\nlate\r\n/)
  const { around } = await surround(way.url)
  const key = `{${namespace}:asked}`
  const count = around.store.script<[string], number>('test-late', {
    text: "return redis.call('RPUSH', KEYS[1], ARGV[1])",
  })
  expect(await count.call([key], ['early'])).toBe(1)
  expect(await count.call([key], ['late'])).toBe(2)
  expect(await way.deliver()).toBe(1)
  expect(await server.ask('LRANGE', key, '0', '-1')).toEqual(['early', 'late'])
  await server.ask('DEL', key)
})

test('a session goes on beating whatever its listeners do', async () => {
  let told = 0
  const { around } = await surround(server.url, () => {
    told += 1
    if (told % 2 === 0) throw new Error('a defect')
  })
  const { sid } = around.session
  await expect.poll(() => told).toBeGreaterThan(10)
  expect(around.session.sid).toBe(sid)
  expect(await server.ask('ZRANGE', sessionKeys(namespace).live, '0', '-1')).toEqual([sid])
})

test('an anonymous object that could not be deleted in its time goes with the session', async () => {
  const { around, close } = await surround(server.url)
  const keys = [`{${namespace}:semaphore:~p-1}:h`, `{${namespace}:semaphore:~p-1}:f`]
  around.owned.add('semaphore', '~p-1')
  for (const key of keys) await server.ask('SET', key, '1')
  await close()
  expect(await server.ask('EXISTS', ...keys)).toBe(0)
  expect(await server.ask('EXISTS', sessionKeys(namespace).own(around.session.sid))).toBe(0)
})
