/** bull-board, mounted as an example shows, has the items of a queue. */
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { leftovers } from './support/leftovers.ts'
import { Program } from './support/program.ts'
import { redisForTest } from './support/redis.ts'

const folder = join(import.meta.dirname, '..', 'examples')

test("07-bull-board.ts: bull-board's page is there, its API tells the items, and Ctrl-C leaves nothing", async () => {
  // Its own, since the example's queue has a name that others may use.
  const redis = await redisForTest({ own: true })
  // BullMQ there is given one connection, to whoever has the queue.
  const SKEIN_URL = await redis.urlOf('{skein:queue:orders}')
  const program = new Program('07-bull-board.ts', { folder, env: { SKEIN_URL } })
  const url = await program.line('Open')

  const page = await fetch(url)
  expect(page.status).toBe(200)
  const script = /<script [^>]*src="(?<path>[^"]+)"/.exec(await page.text())?.groups?.['path']
  expect((await fetch(new URL(String(script), `${url}/`))).headers.get('content-type')).toContain('javascript')

  const waiting = await fetch(`${url}/api/queues?activeQueue=q&status=waiting`)
  expect(await waiting.json()).toMatchObject({
    queues: [
      {
        name: 'q',
        displayName: 'orders',
        type: 'bullmq',
        counts: { waiting: 2, active: 0, failed: 0 },
        jobs: expect.arrayContaining([
          expect.objectContaining({ data: { fruit: 'pear', kilos: 3 } }),
          expect.objectContaining({ data: { fruit: 'plum', kilos: 1 } }),
        ]),
      },
    ],
  })

  // BullMQ would write 10,000 here, if it were let.
  expect(await redis.ask('HGET', '{skein:queue:orders}:q:meta', 'opts.maxLenEvents')).toBe('100')

  program.kill('SIGINT')
  expect(await program.ended).toEqual({ code: 0, signal: null, stdout: `Open ${url}\n`, stderr: '' })
  expect(await redis.ask('KEYS', '{skein:queue:orders}*')).toEqual([])
  expect(await leftovers(redis, 'skein')).toEqual([])
})
