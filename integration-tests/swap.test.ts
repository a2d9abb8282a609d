/** The same program on one machine and on Redis: nothing but the url differs, and nothing of what it prints. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Program } from './support/program.ts'
import { type RedisServer, startRedis } from './support/redis.ts'

const folder = join(import.meta.dirname, '..', 'examples')

/** What they show is on Redis only. */
const redisOnly: readonly string[] = ['07-bull-board.ts', '10-two-machines.ts']

const examples = readdirSync(folder)
  .filter((file) => /^\d\d-.*\.ts$/.test(file) && !redisOnly.includes(file))
  .toSorted()

let redis: RedisServer

beforeAll(async () => {
  redis = await startRedis()
})

afterAll(() => redis.close())

test('there are examples', () => {
  expect(examples.length).toBeGreaterThan(0)
})

for (const file of examples) {
  test(`${file} prints the same on local: and on redis:`, async () => {
    const [local, shared] = await Promise.all(
      ['local:', redis.url].map((url) => new Program(file, { folder, env: { SKEIN_URL: url } }).ended),
    )
    expect(local).toMatchObject({ code: 0, signal: null, stderr: '' })
    expect(shared).toEqual(local)
  })
}
