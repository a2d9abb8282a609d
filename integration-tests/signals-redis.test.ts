/** Barriers, conditions, events, latches and semaphores that nobody owns on Redis, with parties that are stopped and a server that loses everything. */
import process from 'node:process'
import { BrokenBarrierError, connect, type Context } from '@skein/core'
import { expect, onTestFinished, test } from 'vitest'
import { Crew } from './signal-chaos/crew.ts'
import { conditionOf } from './signal-chaos/condition-turns.mjs'
import { victim } from './signal-chaos/victim.mjs'
import { freshNamespace, grownUp, redisForTest } from './support/redis.ts'

const SESSION_TTL = 1_000
const namespace = freshNamespace()

async function program(url: string | readonly string[]): Promise<Context> {
  const mp = await connect(url, { namespace, sessionTtl: SESSION_TTL })
  onTestFinished(() => mp.close())
  return mp
}

/** How long it took to be refused, in ms, and in which words. */
async function brokenAfter(waiting: Promise<number>): Promise<{ took: number; message: string }> {
  const asked = performance.now()
  const error = await waiting.then(
    () => expect.unreachable(),
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(BrokenBarrierError)
  return { took: performance.now() - asked, message: (error as Error).message }
}

test('a process that is stopped at a barrier loses its seat after sessionTtl, and hears of it when it goes on', async () => {
  const redis = await redisForTest({ own: true })
  const mp = await program(redis.url)
  const crew = new Crew()
  onTestFinished(() => crew.close())
  const barrier = mp.barrier(3, 'stopped')
  const child = mp.process(victim, ['party', 'stopped', crew.file()], { name: 'sleeper' })
  await child.start()
  await expect.poll(() => barrier.waiting()).toBe(1)
  const waiting = brokenAfter(barrier.wait())
  process.kill(Number(child.pid), 'SIGSTOP')
  const { took, message } = await waiting
  expect(took).toBeGreaterThan(SESSION_TTL / 2)
  expect(took).toBeLessThan(10 * SESSION_TTL)
  expect(message).toMatch(`process sleeper (pid ${child.pid}) was stopped for too long`)
  await barrier.reset()
  process.kill(Number(child.pid), 'SIGCONT')
  await expect(child.result()).rejects.toBeInstanceOf(BrokenBarrierError)
  expect(await Promise.all([barrier.wait(), barrier.wait(), barrier.wait()])).toEqual([0, 1, 2])
  await barrier.destroy()
})

test('a program that is stopped as a whole breaks the barrier at which it waits; one that waits for an event waits on', async () => {
  const redis = await redisForTest({ own: true })
  const mp = await program(redis.url)
  const crew = new Crew()
  onTestFinished(() => crew.close())
  const start = crew.programs(redis.url, namespace, SESSION_TTL)
  const [barrier, event] = [mp.barrier(3, 'frozen'), mp.event('frozen')]
  const [party, waiter] = [await start('party', 'frozen'), await start('event', 'frozen')]
  await expect.poll(() => barrier.waiting()).toBe(1)
  const waiting = brokenAfter(barrier.wait())
  for (const { pid } of [party, waiter]) process.kill(pid, 'SIGSTOP')
  const { message } = await waiting
  expect(message).toMatch(`process main (pid ${party.pid}`)
  expect(message).toMatch('died, or was cut off, while it waited')
  await event.set()
  for (const { pid } of [party, waiter]) process.kill(pid, 'SIGCONT')
  await expect.poll(() => waiter.said('woken')).toBe(1)
  expect(party.said('passed')).toBe(0)
  await barrier.reset()
  expect(await Promise.all([barrier.wait(), barrier.wait(), barrier.wait()])).toEqual([0, 1, 2])
})

test.each([1, 3])(
  'a process that is stopped in a condition (%d masters) passes its notification on, and ends as if it had it',
  async (count) => {
    const servers = await Promise.all(
      Array.from({ length: count }, () => redisForTest({ own: true, single: count > 1 })),
    )
    await grownUp(servers, SESSION_TTL)
    const urls = servers.map(({ url }) => url)
    const mp = await program(count === 1 ? String(urls[0]) : urls)
    const crew = new Crew()
    onTestFinished(() => crew.close())
    const condition = conditionOf(mp, 'of-frozen')
    const child = await crew.children(mp)('waiter', 'of-frozen', crew.file())
    const waiters = async (): Promise<number> =>
      (await mp.inspect()).objects.find(({ kind }) => kind === 'condition')?.waiters.length ?? 0
    await expect.poll(waiters).toBe(1)
    const heir = condition.with(() => condition.wait())
    await expect.poll(waiters).toBe(2)
    process.kill(child.pid, 'SIGSTOP')
    await condition.with(() => condition.notify())
    await heir
    expect(child.said('woken')).toBe(0)
    process.kill(child.pid, 'SIGCONT')
    await expect.poll(() => child.said('woken')).toBe(1)
    await expect.poll(() => child.said('returned')).toBe(1)
    await expect.poll(waiters).toBe(1)
    await child.end()
  },
  60_000,
)

test('when the server comes back empty, whoever waits waits on, in several programs', async () => {
  const redis = await redisForTest({ own: true })
  const [one, two] = [await program(redis.url), await program(redis.url)]
  const objects = (mp: Context) =>
    ({
      event: mp.event('e'),
      latch: mp.latch(2, 'l'),
      barrier: mp.barrier(3, 'b'),
      semaphore: mp.semaphore(0, { name: 's', owned: false }),
    }) as const
  const [here, there] = [objects(one), objects(two)]
  await here.event.set()
  await here.event.clear()
  await here.latch.countDown()
  const waits = [here, there].map(({ event, latch, barrier, semaphore }) => [
    event.wait(),
    latch.wait(),
    barrier.wait(),
    semaphore.acquire(),
  ])
  const nameless = one.event()
  const local = nameless.wait()
  await expect.poll(() => here.barrier.waiting()).toBe(2)
  await expect.poll(async () => (await one.inspect()).objects.flatMap(({ waiters }) => waiters).length).toBe(9)
  await redis.restart({ empty: true })
  // All that was kept is lost, and everybody is there again.
  await expect.poll(() => here.barrier.waiting().catch(() => 0)).toBe(2)
  await expect.poll(async () => (await one.inspect()).objects.flatMap(({ waiters }) => waiters).length).toBe(9)
  expect(await here.event.isSet()).toBe(false)
  expect(await here.latch.count()).toBe(2)
  await here.event.set()
  await there.latch.countDown(2)
  const seat = there.barrier.wait()
  await here.semaphore.release()
  await there.semaphore.release()
  await nameless.set()
  await Promise.all([...waits.flat(), seat, local])
  expect(await here.semaphore.value()).toBe(0)
}, 60_000)
