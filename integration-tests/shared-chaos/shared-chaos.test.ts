/**
 * Processes and whole programs that change shared state, killed at random: each change is there as a whole or not at all, none that was
 * answered is missing, none is there twice, and the others go on.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { inspect, isDeepStrictEqual } from 'node:util'
import { connect, type Context, type Process, type SharedDict, type SharedList, type Value } from '@skein/core'
import { expect, onTestFinished, test } from 'vitest'
import { KILLS, pause, SEED, seeded } from '../support/chaos.ts'
import { freshNamespace, redisForTest } from '../support/redis.ts'
import { change, stateOf } from './worker.mjs'

/** Milliseconds that a victim lives at most after its first answer. */
const LIFE = 60

type State = ReturnType<typeof stateOf>

interface Shared {
  readonly value: Value<State>
  readonly dict: SharedDict<unknown>
  readonly list: SharedList<string>
}

/** What was answered, by letter. */
class History {
  readonly path: string
  readonly #folder = mkdtempSync(join(tmpdir(), 'shared-chaos-'))

  constructor() {
    this.path = join(this.#folder, 'history')
    writeFileSync(this.path, '')
    onTestFinished(() => rmSync(this.#folder, { recursive: true, force: true }))
  }

  get length(): number {
    return readFileSync(this.path).length
  }

  count(letter: string): number {
    return readFileSync(this.path, 'latin1').split(letter).length - 1
  }

  /** Somebody goes on. */
  async grows(): Promise<void> {
    const before = this.length
    await expect.poll(() => this.length, { timeout: 15_000, interval: 2 }).toBeGreaterThan(before + 4)
  }
}

function sharedOf(mp: Context): Shared {
  return { value: mp.value(stateOf(0), 'v'), dict: mp.dict('d'), list: mp.list('l') }
}

function start(mp: Context, shared: Shared, history: History, who: number): Promise<Process<unknown>> {
  return mp.process(change, [shared, history.path, who], { daemon: true }).start()
}

/** What is wrong, if anything: more or less than what was answered and what those may have done who died before they could say so. */
async function faults({ value, dict, list }: Shared, history: History, deaths: number): Promise<string[]> {
  const wrong: string[] = []
  const there = (letter: string, count: number): void => {
    const answered = history.count(letter)
    if (count < answered || count > answered + deaths) wrong.push(`${letter}: ${answered} answered, ${count} there`)
  }
  const whole = (what: string, state: State | undefined): number => {
    const n = state?.n ?? -1
    if (!isDeepStrictEqual(state, stateOf(n))) wrong.push(`${what} is half of a change: ${inspect(state)}`)
    return n
  }
  there('v', whole('the value', await value.get()))
  const entries = new Map(await dict.entries())
  there('a', entries.get('sum') as number)
  entries.delete('sum')
  there(
    'd',
    [...entries].reduce((sum, [key, state]) => sum + whole(`key ${String(key)}`, state as State), 0),
  )
  const items = await list.slice()
  for (let at = 0; at < items.length; at += 2) if (items[at] !== items[at + 1]) wrong.push(`${items[at]} is alone`)
  if (new Set(items).size !== items.length / 2) wrong.push('a pair is there twice')
  there('p', items.length / 2)
  return wrong
}

async function killing(mp: Context, shared: Shared, history: History, random: () => number): Promise<void> {
  let who = 0
  const survivor = await start(mp, shared, history, who)
  for (let kill = 0; kill < KILLS;) {
    // A few at a time, so that they are in each other's way.
    const victims = await Promise.all([1, 2, 3].map(() => start(mp, shared, history, ++who)))
    await history.grows()
    for (const victim of victims) {
      await pause(LIFE * random())
      await victim.kill()
      kill += 1
    }
    await history.grows()
  }
  await survivor.kill()
}

for (const adapter of ['local', 'redis'] as const) {
  test(
    `${adapter}: ${KILLS} processes killed while they change shared state (seed ${SEED})`,
    async () => {
      const url = adapter === 'local' ? 'local:' : (await redisForTest()).url
      const mp = await connect(url, { namespace: freshNamespace() })
      onTestFinished(() => mp.close())
      const [shared, history] = [sharedOf(mp), new History()]
      await killing(mp, shared, history, seeded(SEED))
      expect(await faults(shared, history, KILLS + 4)).toEqual([])
      expect(history.count('p')).toBeGreaterThan(KILLS)
      await Promise.all([shared.value.destroy(), shared.dict.destroy(), shared.list.destroy()])
    },
    60_000 + KILLS * 5_000,
  )
}

test(
  `programs killed while they change shared state (seed ${SEED})`,
  async () => {
    const { url } = await redisForTest()
    const namespace = freshNamespace()
    const [history, random] = [new History(), seeded(SEED)]
    const mp = await connect(url, { namespace, sessionTtl: 1_000 })
    onTestFinished(() => mp.close())
    const shared = sharedOf(mp)
    await shared.value.get()
    const program = fileURLToPath(new URL('worker.mjs', import.meta.url))
    const begin = (who: number): { end(): Promise<void> } => {
      const child = spawn(process.execPath, [program, url, namespace, history.path, String(who)], {
        stdio: ['ignore', 'ignore', 'inherit'],
      })
      const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
      onTestFinished(() => void child.kill('SIGKILL'))
      return {
        end: () => {
          child.kill('SIGKILL')
          return ended
        },
      }
    }
    const survivor = begin(0)
    await history.grows()
    const programs = Math.max(3, Math.ceil(KILLS / 4))
    for (let kill = 1; kill <= programs; kill += 1) {
      const victim = begin(kill)
      await pause(500 + LIFE * random())
      await history.grows()
      await victim.end()
      await history.grows()
    }
    await survivor.end()
    expect(await faults(shared, history, programs + 1)).toEqual([])
    await Promise.all([shared.value.destroy(), shared.dict.destroy(), shared.list.destroy()])
  },
  60_000 + KILLS * 5_000,
)
