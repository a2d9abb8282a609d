/** Waiters of conditions and those who notify them, killed at random moments: no notification is lost on the dead, nobody waits for ever, one at a time holds the lock. */
import { connect } from '@skein/core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { KILLS, SEED } from '../support/chaos.ts'
import { freshNamespace, type RedisServer, startRedis } from '../support/redis.ts'
import { condition } from './condition-scene.ts'
import { Crew } from './crew.ts'
import { play, type Scenes } from './play.ts'

/** See `signal-chaos.test.ts`. */
const SESSION_TTL = 2_000

let redis: RedisServer
beforeAll(async () => {
  redis = await startRedis({ own: true })
})
afterAll(() => redis.close())

describe.each(['local', 'redis'] as const)('%s', (kind) => {
  test(`children killed at random moments (seed ${SEED})`, { timeout: 60_000 + KILLS * 10_000 }, async () => {
    const mp = await connect(kind === 'local' ? 'local:' : redis.url, { namespace: freshNamespace() })
    const crew = new Crew()
    try {
      const counts = await play({
        scenes: {
          waiter: (scene) => condition(scene, ['waiter']),
          notifier: (scene) => condition(scene, ['notifier']),
          both: (scene) => condition(scene, ['waiter', 'notifier']),
        },
        mp,
        crew,
        start: crew.children(mp),
        rounds: KILLS,
        known: 10_000,
        programs: false,
      })
      expect(crew.kills).toBe(4 * KILLS)
      // Not all of them died before anything had come to them.
      const early = ['waiter waiting', 'both waiting', 'notifier nothing'].map((what) => counts.get(what) ?? 0)
      expect(early.reduce((sum, count) => sum + count)).toBeLessThan(3 * KILLS)
    } finally {
      crew.close()
      await mp.close()
    }
  })
})

test(`programs killed at random moments (seed ${SEED})`, { timeout: 60_000 + KILLS * 20_000 }, async () => {
  const namespace = freshNamespace()
  const mp = await connect(redis.url, { namespace, sessionTtl: SESSION_TTL })
  const crew = new Crew()
  try {
    // Three of the same side by side: most of the time each of them waits for a death to be known.
    const both: Scenes[string] = (scene) => condition(scene, ['waiter', 'notifier'])
    await play({
      scenes: { one: both, two: both, three: both },
      mp,
      crew,
      start: crew.programs(redis.url, namespace, SESSION_TTL),
      rounds: Math.ceil(KILLS / 3),
      known: 8 * SESSION_TTL,
      programs: true,
    })
    expect(crew.kills).toBe(6 * Math.ceil(KILLS / 3))
  } finally {
    crew.close()
    await mp.close()
  }
})
