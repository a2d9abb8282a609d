/**
 * One bounded queue, producers and consumers in programs of their own, killed at random: what was put is handled, what comes again is
 * explained by a kill, each producer's order is kept, and the bound holds at every moment.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, openSync, readSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { connect } from '@skein/core'
import { expect, test } from 'vitest'
import { ITEMS, pause, SEED, seeded } from '../support/chaos.ts'
import { freshNamespace, redisForTest } from '../support/redis.ts'
import { History } from './history.ts'

const SESSION_TTL = 1_000
const MAX_SIZE = 100
/** Milliseconds between two kills, on average. */
const EVERY = 1_200
const PRODUCERS = 3
const CONSUMERS = ['receive', 'consume', 'receive', 'consume'] as const

interface Worker {
  readonly who: string
  readonly role: string
  readonly process: ChildProcess
  readonly ended: Promise<void>
}

class Crew {
  readonly history = new History()
  readonly killed = new Set<string>()
  readonly workers = new Set<Worker>()
  readonly #folder = mkdtempSync(join(tmpdir(), 'queue-chaos-'))
  readonly #path = join(this.#folder, 'history')
  readonly #file: number
  readonly #arguments: readonly string[]
  #rest = ''
  #count = 0

  constructor(url: string, namespace: string) {
    writeFileSync(this.#path, '')
    this.#file = openSync(this.#path, 'r')
    this.#arguments = [url, namespace, String(SESSION_TTL), String(MAX_SIZE), this.#path]
  }

  start(role: string, items = 0): Worker {
    this.#count += 1
    const who = `${role}-${this.#count}`
    const program = fileURLToPath(new URL('worker.mjs', import.meta.url))
    const child = spawn(process.execPath, [program, ...this.#arguments, role, who, String(items)], {
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
    const worker = { who, role, process: child, ended }
    this.workers.add(worker)
    void ended.then(() => this.workers.delete(worker))
    return worker
  }

  async kill(worker: Worker): Promise<void> {
    if (worker.process.exitCode !== null) return
    this.killed.add(worker.who)
    worker.process.kill('SIGKILL')
    await worker.ended
  }

  /** Everybody who is there knows the queue. */
  async ready(): Promise<void> {
    const known = (): boolean => [...this.workers].every(({ who }) => this.read().ready.has(who))
    await expect.poll(known, { timeout: 20_000, interval: 5 }).toBe(true)
  }

  /** Reads what has been written since the last time. */
  read(): History {
    const buffer = Buffer.alloc(1 << 16)
    for (;;) {
      const length = readSync(this.#file, buffer, 0, buffer.length, null)
      if (length === 0) return this.history
      const lines = (this.#rest + buffer.toString('utf8', 0, length)).split('\n')
      this.#rest = lines.pop() ?? ''
      for (const line of lines) this.history.add(line)
    }
  }

  async close(): Promise<void> {
    for (const { process: child } of this.workers) child.kill('SIGKILL')
    await Promise.all([...this.workers].map(({ ended }) => ended))
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

test(
  `${ITEMS} items, producers and consumers killed at random (seed ${SEED})`,
  async () => {
    const server = await redisForTest({ own: true })
    const namespace = freshNamespace()
    const random = seeded(SEED)
    const crew = new Crew(server.url, namespace)
    const base = `{${namespace}:queue:work}`
    // Waiting and delivered items in one look.
    const look = `return redis.call('LLEN',KEYS[1])+redis.call('LLEN',KEYS[2])`
    let [most, samples, running] = [0, 0, true]
    const sampling = (async () => {
      while (running) {
        most = Math.max(most, Number(await server.ask('EVAL', look, 2, `${base}:q:wait`, `${base}:q:active`)))
        samples += 1
        await pause(3)
      }
    })()
    try {
      for (const role of CONSUMERS) crew.start(role)
      const each = Math.ceil(ITEMS / PRODUCERS)
      for (let n = 0; n < PRODUCERS; n += 1) crew.start('produce', each)
      while (crew.read().put < ITEMS) {
        await pause(EVERY * (0.5 + random()))
        // Few die before they have begun: on a machine with much else to do it would be all of them.
        const { ready } = crew.read()
        const all = [...crew.workers].filter(({ who }) => ready.has(who) || random() < 0.1)
        const victim = all[Math.floor(random() * all.length)]
        if (victim !== undefined) {
          await crew.kill(victim)
          if (victim.role !== 'produce') crew.start(victim.role)
        }
        const left = ITEMS - crew.read().put
        const producers = [...crew.workers].filter(({ role }) => role === 'produce')
        if (left > 0 && producers.length < PRODUCERS) crew.start('produce', Math.ceil(left / PRODUCERS))
      }
      const mp = await connect(server.url, { namespace, sessionTtl: SESSION_TTL })
      const queue = mp.queue({ name: 'work', maxSize: MAX_SIZE, maxDeliveries: 1_000 })
      // Producers that have more to put than was asked for.
      await Promise.all([...crew.workers].filter(({ role }) => role === 'produce').map((one) => crew.kill(one)))
      await queue.join()
      // Who names a queue that was closed and drained opens it again.
      await crew.ready()
      await queue.close()
      await Promise.all([...crew.workers].map(({ ended }) => ended))
      await queue.destroy()
      await mp.close()
      const verdict = crew.read().verdict(crew.killed)
      const { put, handled, redeliveries, explained, violations } = verdict
      console.log(
        `seed ${SEED}: ${put} put, ${handled} acknowledged, ${crew.killed.size} kills, ${redeliveries} redeliveries (${explained} explained), at most ${most} of ${MAX_SIZE} in ${samples} looks`,
      )
      expect(violations.slice(0, 20)).toEqual([])
      expect(put).toBeGreaterThanOrEqual(ITEMS)
      expect(explained).toBe(redeliveries)
      expect(crew.killed.size).toBeGreaterThanOrEqual(3)
      expect(most).toBeLessThanOrEqual(MAX_SIZE)
    } finally {
      running = false
      await sampling
      await crew.close()
    }
  },
  60_000 + ITEMS * 20,
)
