/** Parties of barriers, waiters on events and latches, givers and takers of permits that nobody owns: killed at random moments, stopped, cut off. */
import { connect, type Context } from '@skein/core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { KILLS, SEED, seeded } from '../support/chaos.ts'
import { freshNamespace, type RedisServer, startRedis } from '../support/redis.ts'
import { Crew, type StartVictim } from './crew.ts'
import { giver, party, type Scene, signal, taker } from './scenes.ts'

/** Programs share two processors with all else: one that is only slow must not count as dead. */
const SESSION_TTL = 2_000

const scenes: Readonly<Record<string, (scene: Scene) => Promise<string>>> = {
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

interface Run {
  readonly mp: Context
  readonly start: StartVictim
  readonly crew: Crew
  readonly rounds: number
  readonly known: number
  readonly programs: boolean
}

async function play({ mp, start, crew, rounds, known, programs }: Run): Promise<void> {
  const counts = new Map<string, number>()
  // Side by side: most of the time each of them waits for a death to be known.
  const played = Object.entries(scenes).map(async ([what, scene], at) => {
    const random = seeded(SEED + at)
    for (let round = 0; round < rounds; round += 1) {
      const outcome = await scene({ mp, start, random, known, programs, name: `${what}-${round}` })
      const key = `${what} ${outcome}`
      counts.set(key, (counts.get(key) ?? 0) + 1)
    }
  })
  const ends = await Promise.allSettled(played)
  const failed = ends.flatMap((end): unknown[] => (end.status === 'rejected' ? [end.reason] : []))
  console.log(`seed ${SEED}, ${crew.kills} kills: ${[...counts].map(([what, count]) => `${what} ${count}`).join(', ')}`)
  if (failed.length > 0) throw new AggregateError(failed, `seed ${SEED}: ${String(failed[0])}`)
  // Not all of them died before they had begun.
  const struck = ['party broken', 'party passed', 'giver gave', 'taker took'].map((what) => counts.get(what) ?? 0)
  expect(struck.reduce((sum, count) => sum + count)).toBeGreaterThan(0)
}

describe.each(['local', 'redis'] as const)('%s', (kind) => {
  test(`children killed at random moments (seed ${SEED})`, { timeout: 60_000 + KILLS * 10_000 }, async () => {
    const mp = await connect(kind === 'local' ? 'local:' : redis.url, { namespace: freshNamespace() })
    const crew = new Crew()
    try {
      const run = { mp, crew, start: crew.children(mp), rounds: KILLS, known: 10_000, programs: false }
      await play(run)
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
    await play({ mp, crew, start, rounds: KILLS, known: 8 * SESSION_TTL, programs: true })
    expect(crew.kills).toBe(5 * KILLS)
  } finally {
    crew.close()
    await mp.close()
  }
})
