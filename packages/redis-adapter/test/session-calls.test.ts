/** What a program has asked a server, when that dies, is silent, is full, or its answer is lost. */
import { monotonic } from '@skein/core/adapter'
import { expect, onTestFinished, test } from 'vitest'
import { RESTART } from '../../../integration-tests/support/clustered.ts'
import { Proxy } from '../../../integration-tests/support/proxy.ts'
import { freshNamespace, redisForTest, type RedisOptions } from '../../../integration-tests/support/redis.ts'
import { beats, closed, program, told } from './session-program.ts'

/** What a program has asked a server that has died. */
async function dyingOf(options: RedisOptions) {
  const redis = await redisForTest({ own: true, ...options })
  const namespace = freshNamespace()
  const one = await program(redis.url, namespace, 5_000 + RESTART)
  const key = `{${namespace}:n}`
  const count = one.around.store.script<[], number>('test-count', { text: "return redis.call('INCR', KEYS[1])" })
  const away = closed(one, key)
  await redis.kill()
  await away
  return { redis, key, count, session: one.around.session }
}

test('what was under way when the server died reaches the next one if that knows the session', async () => {
  // In a cluster none does: a restart there is the end of all sessions (decision 36).
  const { redis, key, count, session } = await dyingOf({ single: true, persistence: 'always' })
  const { sid } = session
  const kept = count.call([key], [])
  await redis.restart()
  expect(await kept).toBe(1)
  expect(session.sid).toBe(sid)
})

test('what was under way when the server died does not reach one that does not know the session', async () => {
  const { redis, key, count, session } = await dyingOf({ persistence: 'always' })
  const reborn = told<string>((listener) => session.onReborn(listener))
  const given = expect(count.call([key], [])).rejects.toMatchObject({ indeterminate: false })
  await redis.restart({ empty: true })
  await given
  await reborn
  expect(await redis.ask('EXISTS', key)).toBe(0)
  expect(session.grantsFrom - monotonic()).toBeGreaterThan(4_000)
})

test('a script is sent again when its answer was lost, in order, and by its text when the server has forgotten it', async () => {
  const redis = await redisForTest()
  const namespace = freshNamespace()
  const proxy = await Proxy.start(redis.url)
  onTestFinished(() => proxy.close())
  const { around } = await program(proxy.url, namespace, 5_000)
  const key = `{${namespace}:list}`
  const push = around.store.script<[string], number>('test-push', {
    text: "local at = redis.call('LPOS', KEYS[1], ARGV[1])\nif at then return at end\nreturn redis.call('RPUSH', KEYS[1], ARGV[1]) - 1",
  })
  expect(await push.call([key], ['0'])).toBe(0)
  const dropped = proxy.dropReply(/\r\nlost\r\n/)
  const results = ['lost', 'b', 'c', 'd'].map((word) => push.call([key], [word]))
  await dropped
  expect(await Promise.all(results)).toEqual([1, 2, 3, 4])
  expect(await redis.ask('LRANGE', key, '0', '-1')).toEqual(['0', 'lost', 'b', 'c', 'd'])
  await redis.ask('SCRIPT', 'FLUSH')
  expect(await push.call([key], ['e'])).toBe(5)
  await redis.ask('DEL', key)
})

test('a call is over at its deadline, says whether it may have run, and is not sent afterwards', async () => {
  const redis = await redisForTest({ own: true })
  const namespace = freshNamespace()
  const one = await program(redis.url, namespace, 20_000)
  const { around } = one
  const key = `{${namespace}:n}`
  const count = around.store.script<[], number>('test-count', { text: "return redis.call('INCR', KEYS[1])" })
  await redis.stop()
  await expect(count.call([key], [], { deadline: 300 })).rejects.toMatchObject({ indeterminate: true, retryable: true })
  await redis.cont()
  expect(await count.call([key], [])).toBe(2)
  const lost = closed(one, key)
  await redis.kill()
  await lost
  await expect(count.call([key], [], { deadline: 300 })).rejects.toMatchObject({ indeterminate: false })
  const connected = told<void>((listener) => around.store.onConnected(() => listener()))
  await redis.restart()
  await connected
  expect(await count.call([key], [])).toBe(1)
})

test('a full store refuses what needs memory and takes what frees it', async () => {
  const redis = await redisForTest({ own: true })
  const namespace = freshNamespace()
  const one = await program(redis.url, namespace)
  const { store } = one.around
  const key = `{${namespace}:n}`
  const text = "return redis.call('SET', KEYS[1], 'x')"
  const greedy = store.script<[], string>('test-greedy', { text })
  const modest = store.script<[], string>('test-modest', { text, allowOom: true })
  await redis.config('maxmemory', 1)
  await expect(greedy.call([key], [])).rejects.toMatchObject({ code: 'ERR_SKEIN_CAPACITY', retryable: true })
  expect(await modest.call([key], [])).toBe('OK')
  await beats(one, 8)
  expect(one.lost).toEqual([])
})
