/** A lock for readers and writers whose holders and waiters are killed and stopped at random, on both adapters, and cut off on Redis. */
import { expect, onTestFinished, test } from 'vitest'
import { KILLS, pause, SEED, seeded } from '../support/chaos.ts'
import { Proxy } from '../support/proxy.ts'
import { freshNamespace, redisForTest } from '../support/redis.ts'
import { Arena, SESSION_TTL } from './arena.ts'
import { Faults, type Kind, type Site } from './faults.ts'
import { type Mutant, roomy } from './mutants.ts'

interface Field {
  readonly url: string
  readonly sites: readonly Site[]
  readonly programs: number
  readonly children: number
  readonly kinds: readonly Kind[]
  /** Milliseconds; what is stopped is stopped for longer. */
  readonly sessionTtl: number
}

const sizes = { flows: 2, hold: 4, kind: 'rwlock' } as const

const fields = {
  // Programs know nothing of each other there.
  local: async (): Promise<Field> => ({
    url: 'local:',
    sites: [],
    programs: 1,
    children: 6,
    kinds: ['kill-child', 'stop'],
    // A stopped process keeps what it holds there, and all the others wait.
    sessionTtl: 300,
  }),
  redis: async (): Promise<Field> => {
    const server = await redisForTest({ own: true })
    const proxy = await Proxy.start(server.url)
    onTestFinished(() => proxy.close())
    const kinds: readonly Kind[] = ['kill-child', 'kill-program', 'stop', 'client-kill', 'lost-reply']
    return { url: proxy.url, sites: [{ server, proxy }], programs: 3, children: 2, kinds, sessionTtl: SESSION_TTL }
  },
}

function arenaOf({ url, children, sessionTtl }: Field, mutant: Mutant | null): Arena {
  const arena = new Arena({ ...sizes, children, sessionTtl, urls: url, namespace: freshNamespace(), mutant })
  onTestFinished(() => arena.close())
  return arena
}

test(`found: ${roomy.fault}`, { timeout: 60_000 }, async () => {
  const arena = arenaOf(await fields.local(), roomy)
  arena.start()
  await expect.poll(() => arena.read().verdict.violations, { timeout: 30_000 }).not.toEqual([])
})

for (const [adapter, open] of Object.entries(fields)) {
  test(
    `${adapter}: readers and writers, ${KILLS} of them killed (seed ${SEED})`,
    { timeout: 90_000 + KILLS * 10_000 },
    async () => {
      const field = await open()
      const { sites, programs, children, kinds, sessionTtl } = field
      const random = seeded(SEED)
      const arena = arenaOf(field, null)
      const flows = programs * (1 + children * sizes.flows)
      const victims = Array.from({ length: programs }, () => arena.start())
      await arena.begun(flows)
      const faults = new Faults({ arena, sites, victims, kinds, sessionTtl, random })
      const kills = (): number => faults.done['kill-child'] + faults.done['kill-program']
      for (let round = 0; kills() < KILLS || !faults.enough; round += 1) {
        await faults.run(round)
        await pause(600 * random())
      }
      await faults.settled()
      await arena.goesOn(flows)
      const all = await arena.stop()
      const { violations, losses, grants } = arena.read().verdict
      console.log(
        `seed ${SEED}, ${adapter}: ${JSON.stringify(faults.done)}, ${arena.grants} grants to ${grants.size} flows, ${losses} leases lost`,
      )
      expect(violations).toEqual([])
      expect(all.map(({ stderr }) => stderr).join('')).toBe('')
    },
  )
}
