/** A program whose way to Redis is cut for a while, as others run what it has started. */
import { connect } from '@skein/core'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { Proxy } from '../../../integration-tests/support/proxy.ts'
import { type RedisServer, startRedis } from '../../../integration-tests/support/redis.ts'
import { counter, field } from './serve-field.ts'
import { endAs, fall } from './targets/serve.mjs'

/** Less than the session lives, more than a beat. */
const CUT = 3_000
const LINES = 2_000

let redis: RedisServer

beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.close())

async function linesOf(output: AsyncIterable<string>): Promise<string[]> {
  const lines: string[] = []
  for await (const line of output) lines.push(line)
  return lines
}

test(
  'H14: it is suspended, and then hears how each process has ended meanwhile, and every line that it wrote',
  { timeout: 60_000 },
  async () => {
    const { mp: other, namespace, host } = await field(redis)
    await host()
    await host()
    const proxy = await Proxy.start(redis.url)
    onTestFinished(() => proxy.close())
    const mp = await connect(proxy.url, { namespace, serve: false })
    onTestFinished(() => mp.close())
    const ends = {
      return: { exitCode: 0, signal: null, reason: 'returned' },
      throw: { exitCode: 1, signal: null, reason: 'threw' },
      7: { exitCode: 7, signal: null, reason: 'exited' },
      SIGKILL: { exitCode: -9, signal: 'SIGKILL', reason: 'signaled' },
      SIGTERM: { exitCode: -15, signal: 'SIGTERM', reason: 'signaled' },
    } as const
    const children = await Promise.all(
      (['return', 'throw', 7, 'SIGKILL', 'SIGTERM'] as const).map(async (how) => {
        const child = await mp.process(endAs, [mp.event('open'), LINES, how], { stdio: 'pipe' }).start()
        return { how, child, lines: linesOf(child.stdout), ended: child.join() }
      }),
    )
    proxy.refuse()
    await expect.poll(() => mp.state).toBe('suspended')
    await other.event('open').set()
    await new Promise((resolve) => setTimeout(resolve, CUT))
    proxy.accept()
    const all = Array.from({ length: LINES }, (_, n) => `line ${n}`)
    for (const { how, child, lines, ended } of children) {
      expect(await ended).toMatchObject(ends[how])
      const { length } = await lines
      // What was killed may not have written all that it said.
      expect(await lines).toEqual(all.slice(0, length))
      if (how === 'return') expect(await child.result()).toBe('returned')
      if (how === 'return' || how === 'throw') expect(length).toBe(LINES)
    }
    // A master of a cluster that had nothing to tell it may be there again later than the others.
    await expect.poll(() => mp.state).toBe('connected')
    expect(mp.lost.aborted).toBe(false)
  },
)

test('H17: what fails again and again elsewhere is given up after as many restarts as it may have', async () => {
  const { mp, host } = await field(redis)
  const hosts = [await host(), await host()]
  const { path, count } = counter()
  const restart = { on: 'failure', max: 3, within: 60_000, backoff: 20 } as const
  const began = performance.now()
  const child = await mp.process(fall, [path], { restart, stdio: 'ignore' }).start()
  await expect(child.result()).rejects.toMatchObject({
    code: 'ERR_SKEIN_CRASH_LOOP',
    message: expect.stringMatching(/was started again 3 times within 60000 ms, .* threw RangeError: fallen/) as unknown,
  })
  expect(performance.now() - began).toBeGreaterThan(20 + 40 + 80)
  expect(count()).toBe(4)
  expect(await child.status()).toMatchObject({ state: 'ended', restarts: 3 })
  for (const { pid } of hosts) process.kill(pid, 0)
})
