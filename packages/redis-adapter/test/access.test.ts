/** Contexts of one process that share connections, and who they are to the server. */
import { ConflictError, connect } from '@skein/core'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { entered, freshNamespace, type RedisServer, startRedis } from '../../../integration-tests/support/redis.ts'

let redis: RedisServer
beforeAll(async () => {
  redis = await startRedis({ own: true })
  await redis.ask('ACL', 'SETUSER', 'alice', 'on', '>one-secret', '>other-secret', '~*', '&*', '+@all')
})
afterAll(() => redis.close())

function as(user: string): string {
  return entered(redis.url, user)
}

describe('a second context of the same place and namespace', () => {
  test.each<[string, string, string, RegExp]>([
    ['as another user', 'alice:one-secret', 'bob:one-secret', /open with another user/],
    ['with another password', 'alice:one-secret', 'alice:other-secret', /open with another password/],
  ])('%s is refused', async (_, first, second, message) => {
    const namespace = freshNamespace()
    const mp = await connect(as(first), { namespace })
    onTestFinished(() => mp.close())
    const error: unknown = await connect(as(second), { namespace }).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(ConflictError)
    expect((error as Error).message).toMatch(message)
    expect((error as Error).message).not.toContain('secret')
  })

  test('over another transport is refused', async () => {
    const namespace = freshNamespace()
    const mp = await connect(redis.url, { namespace })
    onTestFinished(() => mp.close())
    const other = redis.url.replace(/^[a-z]+:/, redis.url.startsWith('rediss:') ? 'redis:' : 'rediss:')
    await expect(connect(other, { namespace })).rejects.toThrow(/another transport/)
  })

  test('without user and password shares what is there', async () => {
    const namespace = freshNamespace()
    const mp = await connect(as('alice:one-secret'), { namespace })
    const too = await connect(as(''), { namespace })
    onTestFinished(async () => {
      await too.close()
      await mp.close()
    })
    expect(await redis.ask('CLIENT', 'LIST')).toContain('user=alice')
    const queue = too.queue<string>()
    await queue.put('shared')
    expect(await queue.get()).toBe('shared')
  })
})
