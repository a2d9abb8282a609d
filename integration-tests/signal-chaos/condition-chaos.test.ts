/** Waiters of conditions and those who notify them, killed at random moments: no notification is lost on the dead, nobody waits for ever, one at a time holds the lock. */
import { connect, type ConnectOptions, type Context } from '@skein/core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { KILLS, SEED } from '../support/chaos.ts'
import { freshNamespace, grownUp, type RedisServer, startMasters, startRedis } from '../support/redis.ts'
import { condition } from './condition-scene.ts'
import { Crew } from './crew.ts'
import { play, type Scenes } from './play.ts'

/** See `signal-chaos.test.ts`. */
const SESSION_TTL = 2_000

let redis: RedisServer
let servers: readonly RedisServer[] = []
beforeAll(async () => {
  redis = await startRedis()
  servers = await startMasters()
  await grownUp(servers, SESSION_TTL)
}, 60_000)
afterAll(() => Promise.all([redis, ...servers].map((server) => server.close())))

type Place = 'local' | 'redis' | 'three masters'

/** With commas between. */
function urlOf(place: Place): string {
  if (place === 'local') return 'local:'
  return place === 'redis' ? redis.url : servers.map(({ url }) => url).join(',')
}

function open(url: string, options: ConnectOptions): Promise<Context> {
  return connect(url.includes(',') ? url.split(',') : url, options)
}

const waiter: Scenes[string] = (scene) => condition(scene, ['waiter'])
const notifier: Scenes[string] = (scene) => condition(scene, ['notifier'])
const both: Scenes[string] = (scene) => condition(scene, ['waiter', 'notifier'])

describe.each(['local', 'redis', 'three masters'] as const)('%s', (place) => {
  test(`children killed at random moments (seed ${SEED})`, { timeout: 60_000 + KILLS * 10_000 }, async () => {
    const mp = await open(urlOf(place), { namespace: freshNamespace(), sessionTtl: SESSION_TTL })
    const crew = new Crew()
    try {
      const start = crew.children(mp)
      const scenes = {
        'of-waiter': waiter,
        'of-notifier': notifier,
        [place === 'three masters' ? 'of-both' : 'both']: both,
      }
      const counts = await play({ scenes, mp, crew, start, rounds: KILLS, known: 10_000, programs: false })
      expect(crew.kills).toBe(4 * KILLS)
      // Not all of them died before anything had come to them.
      const early = ['waiting', 'nothing'].flatMap((how) => Object.keys(scenes).map((what) => `${what} ${how}`))
      expect(early.reduce((sum, what) => sum + (counts.get(what) ?? 0), 0)).toBeLessThan(3 * KILLS)
    } finally {
      crew.close()
      await mp.close()
    }
  })
})

describe.each(['redis', 'three masters'] as const)('%s', (place) => {
  test(`programs killed at random moments (seed ${SEED})`, { timeout: 60_000 + KILLS * 20_000 }, async () => {
    const [namespace, url] = [freshNamespace(), urlOf(place)]
    const mp = await open(url, { namespace, sessionTtl: SESSION_TTL })
    const crew = new Crew()
    try {
      await play({
        // Three of the same side by side: most of the time each of them waits for a death to be known.
        scenes: { 'of-one': both, 'of-two': both, [place === 'redis' ? 'three' : 'of-three']: both },
        mp,
        crew,
        start: crew.programs(url, namespace, SESSION_TTL),
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
})
