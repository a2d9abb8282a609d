/** Many more processes than two programs that serve may run at once: all of them run, in the order in which they were started, and memory is bounded. */
import { readFileSync } from 'node:fs'
import process from 'node:process'
import { connect } from '@skein/core'
import { expect, onTestFinished, test } from 'vitest'
import { PROCESSES, SEED } from '../support/chaos.ts'
import { hostForTest } from '../support/hosts.ts'
import { freshNamespace, redisForTest } from '../support/redis.ts'
import { files, numbersIn } from './scene.ts'
import { beginAndEnd } from './tasks.mjs'

const SLOTS = 4
const AT_ONCE = 2 * SLOTS
/** Long: it is about those who live. */
const TTL = 20_000
/** Of each program that serves. */
const MOST_BYTES = 300 * 2 ** 20
/** Of each process that was started here and waits, with its record, its handle and its promises. */
const EACH = 40 * 2 ** 10

/** The most memory that it has ever had, in bytes. */
function peakOf(pid: number): number {
  return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1_024
}

test(`H16: processes (seed ${SEED})`, { timeout: 60_000 + PROCESSES * 500 }, async () => {
  const redis = await redisForTest()
  const namespace = freshNamespace()
  const said = files()('order')
  const mp = await connect(redis.url, { namespace, serve: false, sessionTtl: TTL })
  onTestFinished(() => mp.close())
  const before = process.memoryUsage.rss()
  let most = before
  const children = Array.from({ length: PROCESSES }, (_, n) => mp.process(beginAndEnd, [n, said]))
  const starts = children.map((child) => child.start())
  const hosts = [0, 1].map(() =>
    hostForTest(redis.url, namespace, { connect: { sessionTtl: TTL, serve: { slots: SLOTS } } }),
  )
  const pids = (await Promise.all(hosts)).map(({ pid }) => pid)
  const began = performance.now()
  const exits = await Promise.all(
    children.map(async (child, n) => {
      await starts[n]
      const { reason } = await child.join()
      if (n % 100 === 0) most = Math.max(most, process.memoryUsage.rss())
      return reason
    }),
  )
  const took = performance.now() - began
  expect(exits).toEqual(children.map(() => 'returned'))

  const order = numbersIn(said)
  expect(order).toHaveLength(2 * PROCESSES)
  expect(new Set(order).size).toBe(2 * PROCESSES)
  const ended = new Set<number>()
  let running = 0
  // The first that has not ended.
  let first = 0
  for (const word of order) {
    if (word < 0) {
      ended.add(-1 - word)
      running -= 1
      while (ended.has(first)) first += 1
      continue
    }
    running += 1
    expect(running).toBeLessThanOrEqual(AT_ONCE)
    // It was taken after all before it. Of these only so many can run that it has a place: the others have ended.
    let ahead = 0
    for (let n = first; n < word; n += 1) if (!ended.has(n)) ahead += 1
    expect(ahead).toBeLessThan(AT_ONCE)
  }
  const peaks = pids.map(peakOf)
  for (const peak of peaks) expect(peak).toBeLessThan(MOST_BYTES)
  expect(most - before).toBeLessThan(MOST_BYTES + PROCESSES * EACH)
  const mib = (bytes: number): string => `${Math.round(bytes / 2 ** 20)} MiB`
  console.log(
    `H16: ${PROCESSES} processes in ${Math.round(took / 1_000)} s; programs that serve ${peaks.map(mib).join(' and ')} at most, this one ${mib(before)} before and ${mib(most)} at most`,
  )
})
