/**
 * Three masters, of which the first goes away: killed, back empty, stopped. All but locks lives on it; who runs already, programs and
 * children, takes and keeps locks as if nothing were.
 */
import { connect } from '@skein/core'
import { expect, onTestFinished, test } from 'vitest'
import { pause } from '../support/chaos.ts'
import { freshNamespace, grownUp, type RedisServer, startMasters } from '../support/redis.ts'
import { Arena, SESSION_TTL, sizes } from './arena.ts'

/** In two programs. */
const FLOWS = 2 * (1 + sizes.children * sizes.flows)

test('locks go on and are kept while the first master is away', { timeout: 120_000 }, async () => {
  const servers = await startMasters()
  onTestFinished(async () => void (await Promise.all(servers.map((server) => server.close()))))
  const [first] = servers as [RedisServer, ...RedisServer[]]
  await grownUp(servers, SESSION_TTL)
  const urls = servers.map(({ url }) => url)
  const namespace = freshNamespace()
  const arena = new Arena({ ...sizes, urls: urls.join(','), namespace, mutant: null })
  onTestFinished(() => arena.close())
  arena.start()
  arena.start()
  await arena.begun(FLOWS)
  const mp = await connect(urls, { namespace, sessionTtl: SESSION_TTL })
  onTestFinished(() => mp.close())
  const kept = await mp.lock('kept').acquire()
  /** Longer than any session or lease lives without it. */
  const goesOn = async (): Promise<void> => {
    await pause(1.5 * SESSION_TTL)
    await arena.goesOn(FLOWS)
    kept.assertHeld()
    expect(await mp.lock('kept').tryAcquire()).toBeNull()
  }
  await first.kill()
  await goesOn()
  await first.restart({ empty: true })
  await goesOn()
  await first.stop()
  await goesOn()
  await first.cont()
  await goesOn()
  expect(kept.signal.aborted).toBe(false)
  expect(await kept.release()).toBe(true)
  const next = await mp.lock('kept').acquire()
  expect(next.token).toBeGreaterThan(kept.token)
  await next.release()
  // What lives on the first can be had again.
  const event = mp.event('again')
  await event.set()
  await event.wait({ timeout: 10_000 })
  const all = await arena.stop()
  const { violations, losses } = arena.read().verdict
  expect(violations).toEqual([])
  expect(losses).toBe(0)
  expect(all.map(({ stderr }) => stderr).join('')).toBe('')
})
