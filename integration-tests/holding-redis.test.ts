/** Holding on Redis for much longer than a session lives without a sign of life: computing keeps it, standing still loses it. */
import process from 'node:process'
import { connect, type Lock, type Queue, QueueClosedError, type Semaphore } from '@skein/core'
import { expect, onTestFinished, test } from 'vitest'
import { holdAndCompute, holdUntilWoken, type Tokens } from './holding.mjs'
import { freshNamespace, redisForTest } from './support/redis.ts'

const TTL = 500

interface Stage {
  readonly mp: Awaited<ReturnType<typeof connect>>
  readonly lock: Lock
  readonly permits: Semaphore
  readonly items: Queue<string>
  readonly held: Queue<Tokens>
}

/** @param urls one, or those of several masters */
async function stage(urls: string | readonly string[]): Promise<Stage> {
  const mp = await connect(urls, { namespace: freshNamespace(), sessionTtl: TTL })
  onTestFinished(() => mp.close())
  const items = mp.queue<string>()
  await items.put('work')
  return { mp, lock: mp.lock(), permits: mp.semaphore(1), items, held: mp.queue<Tokens>() }
}

const places = {
  'one server': async () => (await redisForTest()).url,
  'an array of one': async () => [(await redisForTest({ single: true })).url],
}

for (const [where, open] of Object.entries(places)) {
  test(`${where}: a child that computes for ten sessionTtls keeps a lock, a permit and a delivery`, async () => {
    const { mp, lock, permits, items, held } = await stage(await open())
    const child = mp.process(holdAndCompute, [lock, permits, items, held, 10 * TTL])
    await child.start()
    const tokens = await held.get()
    const [next, nextPermit] = [lock.acquire(), permits.acquire()]
    const other = items.receive({ timeout: 20 * TTL }).catch((error: unknown) => error)
    expect(await child.result()).toEqual({
      lock: 'held',
      permit: 'held',
      aborted: [false, false, false],
      released: [true, true],
      acknowledged: 'yes',
    })
    expect((await next).token).toBeGreaterThan(tokens.lock)
    expect((await nextPermit).token).toBeGreaterThan(tokens.permit)
    await items.close()
    expect(await other).toBeInstanceOf(QueueClosedError)
  })

  test(`${where}: one that is stopped loses all three, and hears of it at its first look when it goes on`, async () => {
    const { mp, lock, permits, items, held } = await stage(await open())
    const child = await mp.process(holdUntilWoken, [lock, permits, items, held]).start()
    const pid = child.pid as number
    const tokens = await held.get()
    const stopped = performance.now()
    process.kill(pid, 'SIGSTOP')
    onTestFinished(() => {
      if (child.exitCode === null) process.kill(pid, 'SIGCONT')
    })
    const [next, nextPermit, again] = [await lock.acquire(), await permits.acquire(), await items.receive()]
    // Not before the deadline that the holder itself has read.
    expect(performance.now() - stopped).toBeGreaterThan(TTL / 2)
    expect(next.token).toBeGreaterThan(tokens.lock)
    expect(nextPermit.token).toBeGreaterThan(tokens.permit)
    expect(again).toMatchObject({ value: 'work', attempt: 2 })
    process.kill(pid, 'SIGUSR2')
    process.kill(pid, 'SIGCONT')
    expect(await child.result()).toMatchObject({
      lock: 'LeaseLostError',
      permit: 'LeaseLostError',
      released: [false, false],
      acknowledged: 'LeaseLostError',
    })
    // What was refused there has taken nothing away here.
    next.assertHeld()
    nextPermit.assertHeld()
    await again.ack()
    expect([await next.release(), await nextPermit.release()]).toEqual([true, true])
  })
}
