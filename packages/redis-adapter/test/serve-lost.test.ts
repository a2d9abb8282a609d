/** Programs that are lost while they run something for others, or have something run. */
import { isRunning, until } from '@skein/conformance'
import { HostLostError } from '@skein/core'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { hostForTest } from '../../../integration-tests/support/hosts.ts'
import { Proxy } from '../../../integration-tests/support/proxy.ts'
import { type RedisServer, startRedis } from '../../../integration-tests/support/redis.ts'
import { counter, field } from './serve-field.ts'
import { count, holdAndTell, slow } from './targets/serve.mjs'

const TTL = 500
/** Where only those may be lost who are killed. */
const LONGER = 2_000

let redis: RedisServer

beforeAll(async () => {
  redis = await startRedis()
})

afterAll(() => redis.close())

describe('a program that is lost', () => {
  test('takes its processes along: whoever waits is told, what they held goes on', async () => {
    const { mp, host } = await field(redis, TTL)
    const taker = await host()
    const [lock, said] = [mp.lock('held'), mp.queue<[number, number]>()]
    const child = mp.process(holdAndTell, [lock, said])
    await child.start()
    const [pid, parent] = await said.get()
    expect(parent).toBe(taker.pid)
    taker.kill('SIGKILL')
    const exit = await child.join()
    expect(exit).toMatchObject({ exitCode: null, signal: null, reason: 'host-lost' })
    expect(exit.error).toBeInstanceOf(HostLostError)
    await expect(child.result()).rejects.toThrow(HostLostError)
    await (await lock.acquire()).release()
    await until('its process is gone, too', () => !isRunning(pid))
  })

  test('a pool starts other workers, and no task settles twice', async () => {
    const { mp, host } = await field(redis, TTL)
    const taker = await host()
    const pool = mp.pool(2)
    const settled = new Map<number, number>()
    const tasks = Array.from({ length: 60 }, (_, n) => pool.applyAsync(slow, [n], { retries: 1 }))
    for (const [n, task] of tasks.entries())
      void task.then((result) => settled.set(n, (settled.get(n) ?? 0) + Number(result === n)))
    await tasks[3]
    await host()
    taker.kill('SIGKILL')
    expect(await Promise.all(tasks)).toEqual(tasks.map((_, n) => n))
    expect([...settled.values()].every((times) => times === 1)).toBe(true)
    await pool.terminate()
  })

  test('one that was stopped and goes on ends what it ran, whose results nobody takes', async () => {
    const { mp, host } = await field(redis, TTL)
    const taker = await host()
    const said = mp.queue<[number, number]>()
    const { path } = counter()
    const child = mp.process(count, [said, path])
    await child.start()
    const [pid] = await said.get()
    taker.kill('SIGSTOP')
    expect((await child.join()).reason).toBe('host-lost')
    expect(isRunning(pid)).toBe(true)
    taker.kill('SIGCONT')
    await until('what it ran is gone', () => !isRunning(pid))
  })

  test('H13: what it ran ends when the program that started it is killed', async () => {
    const { namespace, host, other } = await field(redis, LONGER)
    const taker = await host()
    const starter = await hostForTest(redis.url, namespace, {
      connect: { serve: false, sessionTtl: LONGER },
      env: { ...process.env, SKEIN_TEST_COUNT: counter().path },
    })
    const mp = await other()
    const said = mp.queue<[number, number]>('said')
    const [pid, parent] = await said.get()
    expect(parent).toBe(taker.pid)
    starter.kill('SIGKILL')
    await until('its child in the other program is gone', () => !isRunning(pid))
  })

  test(
    'H13: what is detached outlives the program that started it, and the session of the one that runs it',
    { timeout: 60_000 },
    async () => {
      const proxy = await Proxy.start(redis.url)
      onTestFinished(() => proxy.close())
      const { namespace, host, other } = await field(redis, LONGER)
      const taker = await host({ url: proxy.url })
      const { path, count: beats } = counter()
      const starter = await hostForTest(redis.url, namespace, {
        connect: { serve: false, sessionTtl: LONGER },
        env: { ...process.env, SKEIN_TEST_COUNT: path, SKEIN_TEST_DETACHED: '1' },
      })
      const mp = await other()
      const [pid] = await mp.queue<[number, number]>('said').get()
      onTestFinished(() => void process.kill(pid, 'SIGKILL'))
      starter.kill('SIGKILL')
      const pids = async (): Promise<(number | null)[]> => (await mp.processes()).map((one) => one.pid)
      // The one that runs it has heard of that before it answers.
      await until('everybody knows of its end', async () => !(await pids()).includes(starter.pid))
      const sessions = async (): Promise<unknown> => redis.ask('HKEYS', `{${namespace}:sessions}:info`)
      const before = String(await sessions())
      proxy.hold()
      await until('the other one is lost', async () => !(await pids()).includes(taker.pid))
      proxy.flow()
      await until('it is back under another name', async () => (await pids()).includes(taker.pid))
      expect(String(await sessions())).not.toBe(before)
      const now = beats()
      await until('it goes on', () => beats() > now + 10)
      expect(isRunning(pid)).toBe(true)
    },
  )

  test('takes along what is detached, too, while the program that started it goes on', async () => {
    const proxy = await Proxy.start(redis.url)
    onTestFinished(() => proxy.close())
    const { mp, host } = await field(redis, LONGER)
    await host({ url: proxy.url })
    const said = mp.queue<[number, number]>()
    const child = mp.process(count, [said, counter().path], { detached: true })
    await child.start()
    const [pid] = await said.get()
    proxy.hold()
    expect((await child.join()).reason).toBe('host-lost')
    proxy.flow()
    await until('it is gone', () => !isRunning(pid))
  })

  test('one that closes in good order ends what it ran with SIGTERM', async () => {
    const { mp, host } = await field(redis, TTL)
    const taker = await host()
    const said = mp.queue<[number, number]>()
    const child = mp.process(count, [said, counter().path])
    await child.start()
    await said.get()
    await taker.close()
    expect(await child.join()).toMatchObject({ reason: 'signaled', signal: 'SIGTERM' })
  })
})
