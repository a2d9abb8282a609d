/** Whoever starts and ends processes, opens and closes pools, for days, holds no more afterwards than before: files, listeners, keys, memory. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { STARTS } from '../support/chaos.ts'
import { Program } from '../support/program.ts'
import { freshNamespace, redisForTest } from '../support/redis.ts'

/** Before the first look: code is loaded and compiled, and in a long run all is there that is kept of the last 1,000 ended processes. */
const WARMING = STARTS < 1_000 ? 5 : STARTS
/** Bytes that one start may add: of the last 10,000 ended processes it is known who they were. An object with its listeners, or a timer, is more. */
const EACH = 512
/** Bytes that a heap is now heavier and now lighter. */
const NOISE = 512 * 1024
/** The library keeps up to 64 pipes ready, and makes as many in advance; each has two ends. */
const MOST_READY = 256

interface Weight {
  readonly main: number
  readonly supervisor: number
}

interface Told {
  readonly left: readonly string[]
  readonly before: Weight
  readonly after: Weight
}

/** One line for each thing that is there afterwards and should not be. */
async function findings(url: string, admin = ''): Promise<string[]> {
  const directory = mkdtempSync(join(tmpdir(), 'endurance-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  const program = new Program('many.mjs', {
    folder: import.meta.dirname,
    env: { TMPDIR: directory },
    args: [url, freshNamespace(), String(WARMING), String(STARTS), admin],
  })
  const found: string[] = []
  for (const what of ['processes', 'pools']) {
    const { left, before, after } = JSON.parse(await program.line(what)) as Told
    console.log(`${url.split(':')[0]}: ${STARTS} ${what}, heaps in bytes before and after:`, before, after)
    found.push(...left.map((line) => `after ${what}: ${line}`))
    for (const heap of ['main', 'supervisor'] as const) {
      const more = after[heap] - before[heap]
      if (more > NOISE + EACH * STARTS) found.push(`${what}: ${more} bytes more in the heap of ${heap}`)
    }
  }
  const { stock, left } = JSON.parse(await program.line('end')) as { stock: number; left: string[] }
  if (stock > MOST_READY) found.push(`${stock} descriptors of pipes that are kept ready`)
  const { code, stderr } = await program.ended
  return [...found, ...left, ...(code === 0 ? [] : [`exit code ${code}`]), ...(stderr === '' ? [] : [stderr])]
}

const LONG = 60_000 + STARTS * 3_000

describe('starts and ends in great number leave nothing', () => {
  test('local:', { timeout: LONG }, async () => {
    expect(await findings('local:')).toEqual([])
  })

  test('redis:', { timeout: LONG }, async () => {
    const redis = await redisForTest()
    expect(await findings(redis.url, redis.admin)).toEqual([])
  })
})
