/**
 * Consumers of a joinable queue killed at random while they get, work and call done: every item that was put is handled, what is handled
 * twice is explained by a kill, and join() ends.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { connect, type Context, type Process } from '@skein/core'
import { expect, onTestFinished, test } from 'vitest'
import { SEED, seeded } from '../support/chaos.ts'
import { freshNamespace, redisForTest } from '../support/redis.ts'
import { workOff } from './joinable.mjs'

const KILLS = 30
const CONSUMERS = 3
/** Milliseconds that an item takes, and that lie between two kills, at most. */
const PACE = 10
const SPELL = 120
/** Items that wait while there are kills to come. */
const BACKLOG = 30

/** @returns the items that were put and those that were handled, in order; a repeated one was handled again */
async function chaos(
  mp: Context,
): Promise<{ readonly put: number; readonly handled: number[]; readonly dead: number }> {
  const random = seeded(SEED)
  const queue = mp.joinableQueue<number>({ maxDeliveries: 1_000, maxSize: BACKLOG })
  const done = mp.queue<number>()
  const start = (): Promise<Process<void>> => mp.process(workOff, [queue, done, PACE], { daemon: true }).start()
  const crew = await Promise.all(Array.from({ length: CONSUMERS }, start))
  let put = 0
  let killing = true
  const putting = (async () => {
    for (; killing; put += 1) await queue.put(put)
  })()
  for (let kills = 0; kills < KILLS; kills += 1) {
    await pause(random() * SPELL)
    const at = Math.floor(random() * CONSUMERS)
    await (crew[at] as Process<void>).kill()
    crew[at] = await start()
  }
  killing = false
  await putting
  await queue.join()
  const dead = (await queue.deadLetters.list()).length
  await Promise.all(crew.map((one) => one.kill()))
  const handled = await done.getMany(put + KILLS + 1)
  console.log(`seed ${SEED}: ${put} put, ${handled.length} handled, ${KILLS} kills`)
  return { put, handled: handled.toSorted((a, b) => a - b), dead }
}

test(`a joinable queue of one machine, ${KILLS} kills of its consumers`, async () => {
  const mp = await connect('local:', { namespace: freshNamespace() })
  onTestFinished(() => mp.close())
  const { put, handled, dead } = await chaos(mp)
  expect([...new Set(handled)]).toEqual(Array.from({ length: put }, (_, item) => item))
  // Each was killed with one item in hand at most.
  expect(handled.length - put).toBeLessThanOrEqual(KILLS)
  expect(dead).toBe(0)
}, 120_000)

test(`a joinable queue on Redis, ${KILLS} kills of its consumers`, async () => {
  const { url } = await redisForTest()
  const mp = await connect(url, { namespace: freshNamespace(), sessionTtl: 1_000 })
  onTestFinished(() => mp.close())
  const { put, handled, dead } = await chaos(mp)
  expect([...new Set(handled)]).toEqual(Array.from({ length: put }, (_, item) => item))
  // Each was killed with one item in hand at most.
  expect(handled.length - put).toBeLessThanOrEqual(KILLS)
  expect(dead).toBe(0)
}, 120_000)
