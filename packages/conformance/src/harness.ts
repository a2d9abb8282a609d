/**
 * What the suites are written with: a context for each noun, clean-up of what a failed check leaves running, and the leak check
 * when a noun is done. Knows no adapter.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import type { ConnectOptions, Context, Pool, PoolOptions, Process } from '@skein/core'
import { afterAll, afterEach, beforeAll, describe, test } from 'vitest'
import { expectNothingLeaked, footprint } from './leaks.ts'
import type { ListHeld } from './leaks.ts'

/** @param options over those that the adapter's test has chosen; default: none */
export type MakeContext = (options?: ConnectOptions) => Promise<Context>

export interface ConformanceOptions {
  /** Milliseconds within which the survivors know of a death by SIGKILL. Default 1 000. */
  readonly deathKnownWithin?: number | undefined
  /** Whether processes take over the environment and the directory of who starts them; not where another program runs them. Default true. */
  readonly inherits?: boolean | undefined
  /**
   * What to check: `objects` leaves out processes and pools, where only the place of the objects is another one; `locks` is for where only
   * they are kept otherwise. Default `all`.
   */
  readonly nouns?: 'all' | 'objects' | 'locks' | undefined
  /** Lists what the adapter holds beyond what every adapter may: what is there after a suite and was not before, is a leak. */
  readonly extraLeakCheck?: ListHeld | undefined
}

/** What a check works with. */
export interface Tools {
  readonly mp: Context
  /** Milliseconds within which the survivors know of a death by SIGKILL. */
  readonly deathKnownWithin: number
  /** Whether processes take over the environment and the directory of who starts them. */
  readonly inherits: boolean
  /** A further context, closed when the check is done. */
  readonly connect: (options?: ConnectOptions) => Promise<Context>
  /** Starts the process; if it still runs when the check is done, it is killed. */
  readonly start: <R>(child: Process<R>) => Promise<Process<R>>
  /** A pool, terminated when the check is done. */
  readonly pool: <I extends unknown[]>(size: number, options?: PoolOptions<I>) => Pool
  /** A name that nothing else has. */
  readonly unique: (prefix: string) => string
}

/** One promise to the user, and what shows it. */
type Check = (promise: string, body: (tools: Tools) => Promise<void> | void) => void

/** Registers the checks of one noun. */
export type Suite = (noun: string, define: (check: Check) => void) => void

/** Generous: the machine may be busy, and a check that fails by it says nothing about which promise was broken. */
const CHECK_MS = 30_000

export function createSuite(makeContext: MakeContext, options: ConformanceOptions): Suite {
  return (noun, define) => {
    describe(noun, () => {
      const bench = new Bench(makeContext, options)
      beforeAll(() => bench.open())
      afterEach(() => bench.tidy())
      afterAll(() => bench.close())
      define((promise, body) => {
        test(promise, { timeout: CHECK_MS }, () => body(bench.tools()))
      })
    })
  }
}

class Bench {
  readonly deathKnownWithin: number
  readonly inherits: boolean
  readonly #makeContext: MakeContext
  readonly #extraLeakCheck: ListHeld | undefined
  readonly #started: Process<unknown>[] = []
  readonly #contexts: Context[] = []
  readonly #pools: Pool[] = []
  readonly #outerTemporary = process.env['TMPDIR']
  #temporary = ''
  #before: readonly string[] = []
  #mp: Context | null = null
  #names = 0

  constructor(makeContext: MakeContext, options: ConformanceOptions) {
    this.#makeContext = makeContext
    this.#extraLeakCheck = options.extraLeakCheck
    this.deathKnownWithin = options.deathKnownWithin ?? 1_000
    this.inherits = options.inherits ?? true
  }

  get mp(): Context {
    if (this.#mp === null) throw new Error('there is no context outside of a check')
    return this.#mp
  }

  /** As functions of their own, so that a check can take them apart. */
  tools(): Tools {
    return {
      mp: this.mp,
      deathKnownWithin: this.deathKnownWithin,
      inherits: this.inherits,
      connect: (options) => this.connect(options),
      start: (child) => this.start(child),
      pool: (size, options) => this.pool(size, options),
      unique: (prefix) => this.unique(prefix),
    }
  }

  async connect(options?: ConnectOptions): Promise<Context> {
    const context = await this.#makeContext(options)
    this.#contexts.push(context)
    return context
  }

  start<R>(child: Process<R>): Promise<Process<R>> {
    this.#started.push(child)
    return child.start()
  }

  pool<I extends unknown[]>(size: number, options?: PoolOptions<I>): Pool {
    const pool = this.mp.pool(size, options)
    this.#pools.push(pool)
    return pool
  }

  unique(prefix: string): string {
    this.#names += 1
    return `${prefix}-${process.pid}-${Date.now().toString(36)}-${this.#names}`
  }

  async open(): Promise<void> {
    // Short, since some systems allow about a hundred bytes for the path of a socket in it.
    this.#temporary = mkdtempSync(join(tmpdir(), 'sk-'))
    process.env['TMPDIR'] = this.#temporary
    this.#before = await footprint(this.#extraLeakCheck)
    this.#mp = await this.#makeContext()
  }

  async tidy(): Promise<void> {
    for (const pool of this.#pools.splice(0)) await pool.terminate()
    for (const child of this.#started.splice(0)) if (child.pid !== null && child.exitCode === null) await child.kill()
    for (const context of this.#contexts.splice(0)) await context.close()
  }

  async close(): Promise<void> {
    try {
      await this.#mp?.close({ timeout: CHECK_MS / 3 })
      await expectNothingLeaked(this.#before, this.#extraLeakCheck)
    } finally {
      if (this.#outerTemporary === undefined) delete process.env['TMPDIR']
      else process.env['TMPDIR'] = this.#outerTemporary
      rmSync(this.#temporary, { recursive: true, force: true })
    }
  }
}
