/** What `connect()` does with an array of urls, all of them there or not. */
import { ConnectionError, connect } from '@skein/core'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { entered, freshNamespace, type RedisServer, startMasters } from '../../../integration-tests/support/redis.ts'

/** As in a message. */
function shown(url = ''): string {
  return entered(url, '')
}

describe('connect() with an array of urls', () => {
  let servers: readonly RedisServer[] = []
  beforeAll(async () => {
    servers = await startMasters()
  })
  afterAll(async () => {
    await Promise.all(servers.map((server) => server.close()))
  })

  async function without(...away: readonly number[]): Promise<readonly string[]> {
    for (const index of away) await servers[index]?.kill()
    onTestFinished(async () => {
      for (const index of away) await servers[index]?.restart()
    })
    return servers.map(({ url }) => url)
  }

  /** Whether a lock on them is one. */
  async function locks(urls: readonly string[], meanwhile?: () => Promise<void>): Promise<boolean> {
    const mp = await connect(urls, { namespace: freshNamespace(), sessionTtl: 500 })
    onTestFinished(() => mp.close())
    await meanwhile?.()
    const lease = await mp.lock('a').acquire({ timeout: 10_000 })
    lease.assertHeld()
    expect(lease.expiresIn).toBeGreaterThan(0)
    return lease.release()
  }

  test('takes locks on all, on a majority, and on one', async () => {
    expect(await locks(await without())).toBe(true)
    expect(await locks(await without(2))).toBe(true)
    expect(await locks([(servers[0] as RedisServer).url])).toBe(true)
  })

  /** What `connect()` says to three servers, in less than 5 s. */
  async function told(urls: readonly string[]): Promise<string> {
    const began = performance.now()
    const error: unknown = await connect(urls, { namespace: freshNamespace() }).catch((reason: unknown) => reason)
    expect(performance.now() - began).toBeLessThan(5_000)
    expect(error).toBeInstanceOf(ConnectionError)
    expect((error as ConnectionError).cause).toBeInstanceOf(Error)
    return (error as Error).message
  }

  test('needs the first one, where all but locks lives, and says so', async () => {
    const urls = await without(0)
    const first = `no connection to Redis at ${shown(servers[0]?.url)}`
    const must = 'it is the first of 3 servers, where all but locks lives, so it must be there'
    expect(await told(urls)).toMatch(new RegExp(`^${first} \\(.*ECONNREFUSED.*\\); ${must}`))
    await servers[0]?.restart()
    await servers[0]?.stop()
    // A port that answers to no handshake may be one that speaks no TLS.
    const silence = first.includes('rediss:')
      ? /no answer to the TLS handshake/
      : `^${first} \\(no answer within .*\\); ${must}`
    expect(await told(urls)).toMatch(new RegExp(silence))
    await servers[0]?.cont()
    expect(await locks(urls)).toBe(true)
  })

  test('needs a majority, and names those that are not there', async () => {
    const [first = '', ...others] = await without(1, 2)
    expect(await told([first, ...others])).toContain(
      `no connection to 2 of the 3 Redis servers (${others.map(shown).join(', ')}), and locks need a majority of them`,
    )
  })

  test('waits not for one that stands still, once there is a majority', async () => {
    const urls = await without()
    await servers[1]?.stop()
    onTestFinished(() => servers[1]?.cont())
    const began = performance.now()
    expect(await locks(urls)).toBe(true)
    // It has been asked for longer than that by then.
    expect(performance.now() - began).toBeLessThan(3_500)
  })

  test('a master that was away at the start is used when it comes', async () => {
    const urls = await without(1)
    const swap = async (): Promise<void> => {
      await servers[1]?.restart()
      await without(2)
    }
    expect(await locks(urls, swap)).toBe(true)
  })
})
