/**
 * The same lock on three independent masters: each in turn is killed and restarted empty, stopped and continued, while processes are
 * killed and stopped, too.
 */
import process from 'node:process'
import { expect, test } from 'vitest'
import { Proxy } from '../support/proxy.ts'
import { freshNamespace, redisForTest } from '../support/redis.ts'
import { Arena } from './arena.ts'
import { Faults, kinds, pause, seeded } from './faults.ts'
import { fairness } from './history.ts'

const SECONDS = Number(process.env['SKEIN_CHAOS_SECONDS'] ?? '15')
const SEED = Number(process.env['SKEIN_CHAOS_SEED'] ?? Math.floor(Math.random() * 1e9))
const SESSION_TTL = 2_000
/** Milliseconds: one lease, and the second to which a server knows its age. */
const VOTES_AFTER = SESSION_TTL + 1_000

test(
  `three masters: no overlap, nobody left out (seed ${SEED}, ${SECONDS} s)`,
  { timeout: (SECONDS + 120) * 1_000 },
  async () => {
    const servers = [
      await redisForTest({ own: true }),
      await redisForTest({ own: true }),
      await redisForTest({ own: true }),
    ]
    const [first] = servers
    if (first === undefined) throw new Error('no server')
    const proxy = await Proxy.start(first.url)
    const urls = [proxy.url, ...servers.slice(1).map(({ url }) => url)].join(',')
    const random = seeded(SEED)
    const plan = { sessionTtl: SESSION_TTL, children: 2, flows: 2, hold: 4, namespace: freshNamespace(), mutant: null }
    const arena = new Arena(plan)
    const verdict = (): typeof arena.history.verdict => arena.read().verdict
    try {
      const steady = [arena.start(urls), arena.start(urls)]
      const victims = [arena.start(urls), arena.start(urls)]
      await Promise.all([...steady, ...victims].map(({ ready }) => ready))
      await expect.poll(() => verdict().grants.size, { timeout: 30_000 }).toBeGreaterThanOrEqual(20)
      const before = new Map(verdict().grants)
      // Children are started through the first server, and programs connect to it.
      let up = true
      const faults = new Faults({
        arena,
        server: first,
        proxy,
        victims,
        urls,
        sessionTtl: SESSION_TTL,
        random,
        mayKill: () => ({ child: up, program: false }),
      })
      let over = false
      const processes = (async () => {
        for (let round = 0; !over; round += 1) {
          await faults.run(kinds[round % kinds.length] ?? 'kill')
          await pause(random() * 600)
        }
      })()
      const end = performance.now() + SECONDS * 1_000
      let longest = 0
      do {
        for (const server of servers) {
          up = server !== first
          await server.kill()
          await pause(SESSION_TTL / 2 + random() * SESSION_TTL)
          await server.restart({ empty: true })
          longest = Math.max(longest, await untilGranted(arena))
          up = true
          // It has no vote before (decision 18): with another master away there would be no majority, and no line to wait in order.
          await pause(VOTES_AFTER)
          up = server !== first
          await server.stop()
          await pause(SESSION_TTL / 2 + random() * SESSION_TTL)
          await server.cont()
          longest = Math.max(longest, await untilGranted(arena))
          up = true
          await pause(SESSION_TTL / 2)
        }
      } while (performance.now() < end)
      over = true
      await processes
      await faults.settled()
      const counts = verdict().grants
      const pids = new Set(steady.flatMap(({ pid, children }) => [pid, ...children]).map(String))
      const shares = [...counts]
        .filter(([flow]) => pids.has(flow.slice(0, flow.indexOf(' '))))
        .map(([flow, count]) => count - (before.get(flow) ?? 0))
      const all = await arena.stop()
      const { violations, losses, grants } = verdict()
      const sum = [...grants.values()].reduce((total, count) => total + count, 0)
      console.log(
        `seed ${SEED}: ${JSON.stringify(faults.done)}, ${sum} grants to ${grants.size} flows, ${losses} leases lost, fairness ${fairness(shares).toFixed(4)}, at most ${longest.toFixed(0)} ms to the next grant`,
      )
      expect(violations).toEqual([])
      expect(all.map(({ stderr }) => stderr).join('')).toBe('')
      for (const kind of kinds) expect(faults.done[kind]).toBeGreaterThanOrEqual(3)
      expect(shares).toHaveLength(10)
      expect(Math.min(...shares)).toBeGreaterThan(0)
      expect(fairness(shares)).toBeGreaterThanOrEqual(0.99)
    } finally {
      arena.close()
      await proxy.close()
    }
  },
)

/** Milliseconds until somebody is granted the lock. */
async function untilGranted(arena: Arena): Promise<number> {
  const count = (): number => [...arena.read().verdict.grants.values()].reduce((sum, one) => sum + one, 0)
  const start = performance.now()
  const before = count()
  await expect.poll(count, { timeout: 20_000, interval: 5 }).toBeGreaterThan(before)
  return performance.now() - start
}
