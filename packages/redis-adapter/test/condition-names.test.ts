/** Conditions with names: they belong to nobody, so no program that ends takes them away. */
import { connect } from '@skein/core'
import { expect, test } from 'vitest'
import { freshNamespace, redisForTest } from '../../../integration-tests/support/redis.ts'
import { sessionKeys } from '../src/supervisor/program-session.ts'

test('a program that has used a condition by its name closes, and its name stands for the same lock as before', async () => {
  const redis = await redisForTest()
  const namespace = freshNamespace()
  const mp = await connect(redis.url, { namespace })
  const condition = mp.condition('c')
  await condition.with(() => condition.notify())
  await mp.close()
  await expect.poll(() => redis.ask('ZCARD', sessionKeys(namespace).live)).toBe(0)
  // Which lock it is.
  const name = `{${namespace}:condition:c}:m`
  expect(await redis.ask('EXISTS', name)).toBe(1)
  await redis.ask('DEL', name)
})
