/** What a process writes that runs in another program. */
import { expect, test } from 'vitest'
import { startHost } from './support/hosts.ts'
import { Program } from './support/program.ts'
import { freshNamespace, redisForTest } from './support/redis.ts'

test('is written by the program that started it, whole, before join() resolves', async () => {
  const { url } = await redisForTest()
  const namespace = freshNamespace()
  const host = await startHost(url, namespace)
  const { stdout, stderr, code } = await new Program('say.mjs', { args: [url, namespace] }).ended
  await host.close()
  const lines = Array.from({ length: 10_000 }, (_, n) => `out ${n}`)
  expect(stdout.trimEnd().split('\n')).toEqual([...lines, 'joined'])
  expect(stderr).toBe('err\n')
  expect(code).toBe(0)
})
