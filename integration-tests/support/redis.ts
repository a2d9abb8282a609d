/**
 * A real Redis for a test, never a mock: the server of `SKEIN_TEST_REDIS_URL`; else one in Docker; else the `redis-server` or
 * `valkey-server` of the machine; else the one that the machine's package manager installs. Each server but the first is the
 * test's own, with a port and a directory of its own, and may be stopped, killed or filled. `SKEIN_TEST_REDIS` says how they are entered.
 */
import { randomBytes } from 'node:crypto'
import { isClustered, startTogether } from './clustered.ts'
import { startContainer } from './redis-docker.ts'
import { startProcess } from './redis-process.ts'
import { ask, type Reply } from './resp.ts'
import { isSecured, startSecured } from './secured.ts'

export interface RedisOptions {
  /** The test stops, fills or configures the server, so it must not be the one of `SKEIN_TEST_REDIS_URL`. */
  readonly own?: boolean
  /** One server by itself, also where a cluster stands for each other one. */
  readonly single?: boolean
  /** More of the server's command line: `['--maxmemory', '20mb']`. */
  readonly args?: readonly string[]
  /** A configuration file that the server may write into; only where it is a process of this machine. */
  readonly file?: string
  /** `always`: nothing that was answered is lost by a crash. Default: nothing is kept. */
  readonly persistence?: 'none' | 'always'
}

/** How to run one server; each way of running one implements this. */
export interface RedisControls {
  /** For the programs under test. */
  readonly url: string
  /** For the test itself, which may do anything there. */
  readonly admin: string
  /** Of the server; null if it is not a process of this machine's table. */
  readonly pid: number | null
  /** Stands still, connections and all. */
  stop(): Promise<void>
  cont(): Promise<void>
  /** Ends at once, as by a power cut of this one server. */
  kill(): Promise<void>
  /** Runs again under the same url, after a `kill` if it runs; `empty`: with nothing of what it kept. */
  restart(options?: { readonly empty?: boolean }): Promise<void>
  close(): Promise<void>
  /** Where one server is not asked as any other. */
  ask?(...command: readonly (string | number)[]): Promise<Reply>
  /** Of several, the one that has that key. */
  nodeOf?(key: string): Promise<RedisControls>
}

export interface RedisServer extends RedisControls {
  /** `CONFIG SET`. */
  config(name: string, value: string | number): Promise<void>
  ask(...command: readonly (string | number)[]): Promise<Reply>
  /** For a program that knows of one server only: the url of the one that has that key. */
  urlOf(key: string): Promise<string>
}

/** A way to run a server, or why it cannot be gone here. */
export type Way = (options: RedisOptions) => Promise<RedisControls | string>

const ways: readonly Way[] = isSecured() ? [startSecured] : [startContainer, startProcess]

/** Starts a server. Whoever starts it closes it: `afterAll(() => redis.close())`, or `redisForTest` within a test. */
export async function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
  const given = process.env['SKEIN_TEST_REDIS_URL'] ?? ''
  if (given !== '' && options.own !== true && options.args === undefined && options.persistence === undefined) {
    await ask(given, 'PING')
    return complete(notOurs(given))
  }
  const reasons: string[] = []
  for (const way of isClustered() && options.single !== true ? [startTogether] : ways) {
    const made = await way(options)
    if (typeof made !== 'string') return complete(made)
    reasons.push(made)
  }
  throw new Error(
    `these tests need a Redis, and there is none (${reasons.join('; ')}): set SKEIN_TEST_REDIS_URL, start Docker, or install redis-server`,
  )
}

/** As `startRedis`, for the test that runs now: closed when that is over. */
export async function redisForTest(options: RedisOptions = {}): Promise<RedisServer> {
  // Programs that are no tests start servers, too.
  const { onTestFinished } = await import('vitest')
  const server = await startRedis(options)
  onTestFinished(() => server.close())
  return server
}

/** Three servers that know nothing of each other. */
export async function startMasters(): Promise<readonly RedisServer[]> {
  return Promise.all([1, 2, 3].map(() => startRedis({ own: true, single: true })))
}

/** Resolves when these servers have run for so long that they may vote for locks with such a lease, in ms. */
export async function grownUp(servers: readonly RedisServer[], lease: number): Promise<void> {
  for (const server of servers) {
    for (;;) {
      const [, age = '0'] = /uptime_in_seconds:(\d+)/.exec(String(await server.ask('INFO', 'server'))) ?? []
      if ((Number(age) - 1) * 1_000 >= lease) break
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}

/** A namespace that nobody else uses. */
export function freshNamespace(): string {
  return `t${randomBytes(5).toString('hex')}`
}

/** The same server for another user; `''`: for nobody in particular. @param user as in a url: `name:password` */
export function entered(url: string, user: string): string {
  return url.replace(/\/\/(?:[^@/]*@)?/, user === '' ? '//' : `//${user}@`)
}

function complete(controls: RedisControls): RedisServer {
  const asked = controls.ask?.bind(controls) ?? ((...command) => ask(controls.admin, ...command))
  return Object.assign(controls, {
    config: async (name: string, value: string | number) => {
      await asked('CONFIG', 'SET', name, value)
    },
    ask: asked,
    urlOf: async (key: string) => ((await controls.nodeOf?.(key)) ?? controls).url,
  })
}

function notOurs(url: string): RedisControls {
  const refuse = async (): Promise<never> => {
    throw new Error('the server of SKEIN_TEST_REDIS_URL is not stopped by tests; ask for startRedis({ own: true })')
  }
  return {
    url,
    admin: url,
    pid: null,
    stop: refuse,
    cont: refuse,
    kill: refuse,
    restart: refuse,
    close: async () => undefined,
  }
}
