/** Parties of barriers, waiters on events and latches, givers and takers of permits that nobody owns: killed at random moments, stopped, cut off. */
import { connect } from '@skein/core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { KILLS, SEED } from '../support/chaos.ts'
import { freshNamespace, type RedisServer, startRedis } from '../support/redis.ts'
import { Crew } from './crew.ts'
import { play, type Scenes } from './play.ts'
import { giver, party, signal, taker } from './scenes.ts'

/** Programs share two processors with all else: one that is only slow must not count as dead. */
const SESSION_TTL = 2_000

const scenes: Scenes = {
  party,
  event: (scene) => signal(scene, 'event'),
  latch: (scene) => signal(scene, 'latch'),
  giver,
  taker,
}

let redis: RedisServer
beforeAll(async () => {
  redis = await startRedis({ own: true })
})
afterAll(() => redis.close())

/** Not all of them died before they had begun. */
function struck(counts: ReadonlyMap<string, number>): number {
  return ['party broken', 'party passed', 'giver gave', 'taker took'].reduce(
    (sum, what) => sum + (counts.get(what) ?? 0),
    0,
  )
}

describe.each(['local', 'redis'] as const)('%s', (kind) => {
  test(`children killed at random moments (seed ${SEED})`, { timeout: 60_000 + KILLS * 10_000 }, async () => {
    const mp = await connect(kind === 'local' ? 'local:' : redis.url, { namespace: freshNamespace() })
    const crew = new Crew()
    try {
      const start = crew.children(mp)
      const counts = await play({ scenes, mp, crew, start, rounds: KILLS, known: 10_000, programs: false })
      expect(struck(counts)).toBeGreaterThan(0)
      expect(crew.kills).toBe(5 * KILLS)
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
    const start = crew.programs(redis.url, namespace, SESSION_TTL)
    const known = 8 * SESSION_TTL
    const counts = await play({ scenes, mp, crew, start, rounds: KILLS, known, programs: true })
    expect(struck(counts)).toBeGreaterThan(0)
    expect(crew.kills).toBe(5 * KILLS)
  } finally {
    crew.close()
    await mp.close()
  }
})
