/** As much of a program's surroundings as its queues of work need, on a real Redis and without a heartbeat, so that a test says when a session is lost. */
import { CapacityError, ConnectionError } from '@skein/core'
import { Redis } from 'ioredis'
import type { Script, ScriptArgument, ScriptOptions, Surround } from '../src/supervisor/surround.ts'

interface Listeners {
  readonly reborn: Set<(sid: string) => void>
  readonly connected: Set<() => void>
}

export interface TestSurround extends Surround {
  /** The session is lost, and the program has another one. */
  rebirth(): void
  /** The connection is there again. */
  reconnected(): void
  /** What is written down as this program's: `kind name`. */
  readonly written: ReadonlySet<string>
  close(): Promise<void>
}

function mapped(error: unknown): Error {
  if (!(error instanceof Error)) return new Error(String(error))
  if (error.message.includes('OOM')) return new CapacityError('the store is full', { cause: error })
  if (/timed out|Connection is closed|ECONNREFUSED|max retries/i.test(error.message))
    return new ConnectionError('no answer', { cause: error, indeterminate: true })
  return error
}

export function testSurround(url: string, namespace: string, outage: number = Number.POSITIVE_INFINITY): TestSurround {
  const client = new Redis(url, {
    protocol: 2,
    commandTimeout: 300,
    maxRetriesPerRequest: null,
    retryStrategy: () => 50,
  })
  // What matters is told by the commands that fail.
  client.on('error', () => undefined)
  const listeners: Listeners = { reborn: new Set(), connected: new Set() }
  const written = new Set<string>()
  let lives = 0
  const sidNow = (): string => `host.1.${lives}`
  const listen = <T>(to: Set<T>, told: T): (() => void) => {
    to.add(told)
    return () => to.delete(told)
  }
  const script = <A extends readonly ScriptArgument[], R>(_name: string, options: ScriptOptions = {}): Script<A, R> => {
    const text = (options.text ?? '').replace(/^#!lua.*\n/, '')
    const head = options.allowOom === true ? '#!lua flags=allow-oom\n' : '#!lua\n'
    return {
      call: async (keys, args) => {
        const all = [...keys, ...args.map((one) => (typeof one === 'object' ? Buffer.from(one) : one))]
        try {
          return (await client.callBuffer('EVAL', head + text, keys.length, ...all)) as R
        } catch (error) {
          throw mapped(error)
        }
      },
    }
  }
  return {
    seal: null,
    replication: null,
    store: {
      script,
      state: 'connected',
      onConnected: (told) => listen(listeners.connected, told),
      partOf: () => ({ client, script, state: 'connected' }),
      parts: [{ client, script, state: 'connected' }],
      masters: [],
    },
    session: {
      get sid() {
        return sidNow()
      },
      rid: () => `${sidNow()}/1/1`,
      processOf: () => `${sidNow()}/1`,
      confirmedUntil: { mono: Number.POSITIVE_INFINITY, wall: Number.POSITIVE_INFINITY },
      grantsFrom: 0,
      onLost: () => () => undefined,
      onReborn: (told) => listen(listeners.reborn, told),
    },
    wakes: { on: () => () => undefined, onResubscribed: () => () => undefined, prefix: `${namespace}:wake:` },
    deaths: {
      isDead: async () => false,
      deadOf: async () => [],
      onDeath: () => () => undefined,
    },
    owned: {
      has: (kind, name) => written.has(`${kind} ${name}`),
      add: (kind, name) => written.add(`${kind} ${name}`),
      remove: (kind, name) => written.delete(`${kind} ${name}`),
    },
    namespace,
    sessionTtl: 1_000,
    beat: 100,
    outage,
    rebirth: () => {
      lives += 1
      for (const told of listeners.reborn) told(sidNow())
    },
    reconnected: () => {
      for (const told of listeners.connected) told()
    },
    written,
    close: async () => client.disconnect(),
  }
}
