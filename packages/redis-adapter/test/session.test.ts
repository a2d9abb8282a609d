/** The program's session against a real Redis: its heartbeat, its loss and return, who is declared dead and when. */
import { monotonic } from '@skein/core/adapter'
import { LeaseLostError } from '@skein/core'
import { expect, onTestFinished, test } from 'vitest'
import { isClustered } from '../../../integration-tests/support/clustered.ts'
import { Proxy } from '../../../integration-tests/support/proxy.ts'
import { freshNamespace, redisForTest, type RedisServer } from '../../../integration-tests/support/redis.ts'
import { sessionKeys } from '../src/supervisor/program-session.ts'
import { OwnedObjects } from '../src/supervisor/owned.ts'
import { beats, closed, program, told, TTL } from './session-program.ts'
import { type Ground, groundAt } from './surroundings.ts'

async function ground(url: string, namespace: string): Promise<Ground> {
  const made = await groundAt(url, namespace)
  onTestFinished(() => {
    made.store.close()
    for (const client of made.clients) client.disconnect()
  })
  return made
}

function live(redis: RedisServer, namespace: string): Promise<unknown> {
  return redis.ask('ZRANGE', sessionKeys(namespace).live, '0', '-1')
}

test('a program is known while it beats, never later than it believes, and forgotten when it closes', async () => {
  const redis = await redisForTest()
  const namespace = freshNamespace()
  const one = await program(redis.url, namespace)
  const { sid } = one.around.session
  await beats(one, 3)
  expect(await live(redis, namespace)).toEqual([sid])
  const score = Number(await redis.ask('ZSCORE', sessionKeys(namespace).live, sid))
  const [seconds, micros] = (await redis.ask('TIME')) as [string, string]
  const { mono, wall } = one.around.session.confirmedUntil
  const left = score - (Number(seconds) * 1_000 + Number(micros) / 1_000)
  expect(mono - monotonic()).toBeLessThanOrEqual(left + 1)
  expect(wall - Date.now()).toBeLessThanOrEqual(left + 1)
  expect(left).toBeGreaterThan(0)
  await one.close()
  expect(await live(redis, namespace)).toEqual([])
  expect(one.lost).toEqual([])
})

test('a server that comes back empty: the loss is told first, then the program is there again under another sid', async () => {
  const redis = await redisForTest({ own: true })
  const namespace = freshNamespace()
  const one = await program(redis.url, namespace)
  const old = one.around.session.sid
  const sids = [old]
  const order: string[] = []
  one.around.session.onLost((sid) => order.push(`lost ${sid} ${one.lost.length}`))
  const reborn = told<void>((listener) =>
    one.around.session.onReborn((sid) => {
      order.push(`reborn ${sid}`)
      sids.push(sid)
      listener()
    }),
  )
  const connected = told<void>((listener) => one.around.store.onConnected(() => listener()))
  const began = performance.now()
  await redis.restart({ empty: true })
  await reborn
  await connected
  await expect.poll(() => one.around.store.state).toBe('connected')
  expect(performance.now() - began).toBeLessThan(10_000)
  // Each master of a cluster that comes back later than another costs the sessions anew.
  const times = sids.length - 1
  expect(times).toBeLessThanOrEqual(isClustered() ? 3 : 1)
  expect(order).toEqual(sids.slice(1).flatMap((next, time) => [`lost ${sids[time]} ${time + 1}`, `reborn ${next}`]))
  const sid = String(sids.at(-1))
  for (const lost of one.lost) expect(lost).toBeInstanceOf(LeaseLostError)
  expect(new Set(sids).size).toBe(times + 1)
  expect(one.around.session.sid).toBe(sid)
  expect(await live(redis, namespace)).toEqual([sid])
  expect(await one.around.deaths.isDead(old)).toBe(true)
  expect(await one.around.deaths.isDead(sid)).toBe(false)
  // Addressed messages reach it under the new name.
  const woken = told<string>((listener) => one.around.wakes.on('queue:a', (letter, rest) => listener(letter + rest)))
  while ((await redis.ask('PUBLISH', one.around.wakes.prefix + sid, 'i queue:a 7')) === 0) {
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  expect(await woken).toBe('i7')
  expect(one.interruptions.at(-1)).toBe(false)
})

test('a short outage loses nothing, one longer than the ttl loses the session, and what was asked for it is given up', async () => {
  const redis = await redisForTest()
  const namespace = freshNamespace()
  const proxy = await Proxy.start(redis.url)
  onTestFinished(() => proxy.close())
  const one = await program(proxy.url, namespace, 1_000)
  const { sid } = one.around.session
  await beats(one, 2)
  proxy.cut()
  await told<void>((listener) => one.around.store.onConnected(() => listener()))
  await beats(one, 1)
  expect(one.lost).toEqual([])
  expect(one.around.session.sid).toBe(sid)

  const script = one.around.store.script<[string], number>('test', { text: "return redis.call('INCR', KEYS[1])" })
  const key = `{${namespace}:n}`
  const away = closed(one, key)
  proxy.refuse()
  await away
  const early = script.call([key], [''])
  const given = expect(early).rejects.toMatchObject({
    code: 'ERR_SKEIN_CONNECTION',
    retryable: true,
    indeterminate: false,
  })
  const lost = await told<string>((listener) => one.around.session.onLost(listener))
  expect(lost).toBe(sid)
  await given
  expect(one.around.store.state).toBe('suspended')
  const look = one.around.store.script<[], number>('look', {
    text: "return redis.call('EXISTS', KEYS[1])",
    readOnly: true,
  })
  const reborn = told<string>((listener) => one.around.session.onReborn(listener))
  // Asked without a session: what changes nothing waits for the next one, the rest is to be asked anew under it.
  const refused = expect(script.call([key], [''])).rejects.toMatchObject({ indeterminate: false })
  const looked = look.call([sessionKeys(namespace).live], [])
  proxy.accept()
  expect(await reborn).not.toBe(sid)
  await refused
  expect(await looked).toBe(1)
  expect(await script.call([key], [''])).toBe(1)
})

test('a return that has to wait for longer than the ttl is not lost again when it is answered', async () => {
  const redis = await redisForTest()
  const namespace = freshNamespace()
  const proxy = await Proxy.start(redis.url)
  onTestFinished(() => proxy.close())
  const one = await program(proxy.url, namespace)
  const lost = told<string>((listener) => one.around.session.onLost(listener))
  proxy.refuse()
  await lost
  const returning = proxy.seen(/EVALSHA/i).then(() => proxy.hold())
  const reborn = told<string>((listener) => one.around.session.onReborn(listener))
  proxy.accept()
  await returning
  await new Promise((resolve) => setTimeout(resolve, 2 * TTL))
  proxy.flow()
  const sid = await reborn
  await beats(one, 7)
  expect(one.lost).toHaveLength(1)
  expect(one.around.session.sid).toBe(sid)
  expect(await live(redis, namespace)).toEqual([sid])
})

test('a silent program is declared dead once by whoever looks, never before its ttl', async () => {
  const redis = await redisForTest()
  const namespace = freshNamespace()
  const [dying, two, three] = await Promise.all([1, 2, 3].map(() => program(redis.url, namespace)))
  if (dying === undefined || two === undefined || three === undefined) throw new Error('three programs')
  const { sid } = dying.around.session
  const heard: string[] = []
  const both = Promise.all(
    [two, three].map((one) =>
      told<void>((listener) =>
        one.around.deaths.onDeath((sids) => {
          heard.push(...sids)
          listener()
        }),
      ),
    ),
  )
  // They may judge from one ttl after their start on.
  await beats(two, 8)
  const last = dying.confirmed.at(-1)?.mono ?? 0
  dying.crash()
  await both
  expect(monotonic()).toBeGreaterThanOrEqual(last)
  expect(heard).toEqual([sid, sid])
  expect(await redis.ask('ZRANGE', sessionKeys(namespace).dead, '0', '-1')).toEqual([sid])
  expect(await two.around.deaths.deadOf([sid, three.around.session.sid])).toEqual([sid])
  expect(await live(redis, namespace)).toHaveLength(2)
})

test('nobody is declared dead within one ttl after the server has started again', async () => {
  const redis = await redisForTest({ own: true, persistence: 'always' })
  const namespace = freshNamespace()
  const ttl = 1_000
  const [dying, one] = [await program(redis.url, namespace, ttl), await program(redis.url, namespace, ttl)]
  await beats(one, 7)
  const { sid } = dying.around.session
  // Its own old session dies as well: it was away for longer than a ttl.
  const death = told<void>((listener) => one.around.deaths.onDeath((sids) => sids.includes(sid) && listener()))
  dying.crash()
  await redis.kill()
  // It is late when the server is there again.
  await new Promise((resolve) => setTimeout(resolve, ttl + 100))
  const back = monotonic()
  await redis.restart()
  await death
  expect(monotonic() - back).toBeGreaterThanOrEqual(ttl)
})

test('nor by a look that was under way when the server died, and is sent again to the next one', async () => {
  // In a cluster all sessions are over by then (decision 36).
  const redis = await redisForTest({ own: true, single: true, persistence: 'always' })
  const namespace = freshNamespace()
  const ttl = 1_000
  const proxy = await Proxy.start(redis.url)
  onTestFinished(() => proxy.close())
  const [dying, one] = [await program(redis.url, namespace, ttl), await program(proxy.url, namespace, ttl)]
  await beats(one, 7)
  const { sid } = dying.around.session
  const death = told<void>((listener) => one.around.deaths.onDeath((sids) => sids.includes(sid) && listener()))
  dying.crash()
  // Only the look names this key last.
  const look = new RegExp(`\\{${namespace}:sessions\\}:run\\r\\n\\$\\d+\\r\\n${ttl}\\r\\n`)
  await proxy.dropReply(look)
  proxy.refuse()
  await redis.kill()
  // It is late when the server is there again.
  await new Promise((resolve) => setTimeout(resolve, ttl + 100))
  const back = monotonic()
  await redis.restart()
  const again = proxy.seen(look)
  proxy.accept()
  await again
  // A new look would have had to hear the others for one ttl first.
  expect(monotonic() - back).toBeLessThan(ttl)
  await death
  expect(monotonic() - back).toBeGreaterThanOrEqual(ttl)
})

test('when more than half would be declared dead together, all get one ttl more', async () => {
  const redis = await redisForTest()
  const namespace = freshNamespace()
  const { live: key, info, dead, run } = sessionKeys(namespace)
  const one = await program(redis.url, namespace)
  await beats(one, 8)
  await redis.ask('ZADD', key, '1', 'a', '1', 'b', '1', 'c')
  const began = monotonic()
  const died = await told<readonly string[]>((listener) => one.around.deaths.onDeath(listener))
  expect([...died].toSorted((a, b) => a.localeCompare(b))).toContain('a')
  expect(monotonic() - began).toBeGreaterThanOrEqual(TTL - 5)
  expect(await redis.ask('EXISTS', key, info, dead, run)).toBe(4)
})

test('the anonymous objects of a dead program are cleared away, those of the living are not', async () => {
  const redis = await redisForTest()
  const namespace = freshNamespace()
  const ttl = 200
  const dying = await program(redis.url, namespace, ttl)
  const one = await program(redis.url, namespace, ttl)
  dying.around.owned.add('lock', '~p-1')
  one.around.owned.add('lock', '~q-1')
  for (const key of ['lock:~p-1}:h', 'lock:~q-1}:h', 'lock:~p-10}:h'])
    await redis.ask('SET', `{${namespace}:${key}`, '1')
  const { sid } = dying.around.session
  dying.crash()
  const mine = `{${namespace}:lock:~p-1}:h`
  while ((await redis.ask('EXISTS', mine, sessionKeys(namespace).own(sid))) !== 0) {
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  expect(await redis.ask('EXISTS', `{${namespace}:lock:~q-1}:h`, `{${namespace}:lock:~p-10}:h`)).toBe(2)
  await redis.ask('DEL', `{${namespace}:lock:~q-1}:h`, `{${namespace}:lock:~p-10}:h`)
})

/** As whom programs come that are given this url. */
function userOf(url: string): string {
  const { username } = new URL(url)
  return username === '' ? 'default' : username
}

test('the list of a lost session goes, though not at once: else others would delete what lives', async () => {
  const redis = await redisForTest({ own: true, single: true })
  const namespace = freshNamespace()
  const { store } = await ground(redis.url, namespace)
  const key = (sid: string): string => `{${namespace}:own}:${sid}`
  const owned = new OwnedObjects(store, key, 'old', () => true)
  owned.add('lock', '~p-1')
  await redis.ask('ACL', 'SETUSER', userOf(redis.url), '-unlink')
  owned.rename('new')
  await expect.poll(() => redis.ask('SMEMBERS', key('new'))).toEqual(['lock ~p-1'])
  await redis.ask('ACL', 'SETUSER', userOf(redis.url), '+unlink')
  const left = async (): Promise<unknown> => {
    owned.beat()
    return redis.ask('EXISTS', key('old'))
  }
  await expect.poll(left).toBe(0)
  expect(await redis.ask('SMEMBERS', key('new'))).toEqual(['lock ~p-1'])
})

test('messages are heard again when the server allows it again', async () => {
  const redis = await redisForTest({ own: true, single: true })
  const { wakes } = await ground(redis.url, freshNamespace())
  await wakes.open('sid')
  await redis.ask('ACL', 'SETUSER', userOf(redis.url), 'resetchannels')
  await redis.ask('CLIENT', 'KILL', 'TYPE', 'pubsub')
  await expect.poll(async () => ((await redis.ask('ACL', 'LOG')) as unknown[]).length).toBeGreaterThan(0)
  const again = told<void>((listener) => wakes.onResubscribed(listener))
  await redis.ask('ACL', 'SETUSER', userOf(redis.url), 'allchannels')
  await again
})
