/** Programs for the tests of locks: core's real broker and clients on a real Redis, with losses and deaths on command. */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { CapacityError, ConnectionError } from '@skein/core'
import {
  Broker,
  BrokerClient,
  Link,
  type LinkEvents,
  monotonic,
  type ObjectFactory,
  type Session,
} from '@skein/core/adapter'
import { Redis } from 'ioredis'
import type { Part, Script, ScriptArgument, ScriptOptions, Store, Surround } from '../src/supervisor/surround.ts'

/** One end of a link within this process. */
class PairLink extends Link {
  peer: PairLink | null = null

  protected override write(segments: readonly Uint8Array[]): null {
    const bytes = Buffer.concat(segments.map((one) => Uint8Array.from(one)))
    setImmediate(() => this.peer?.received(bytes))
    return null
  }
  override ref(): void {
    // Nothing keeps this process alive but the test.
  }
  override unref(): void {
    // As above.
  }
  override close(): void {
    const { peer } = this
    this.finish()
    setImmediate(() => peer?.finish())
  }
}

/** A client process of a program. */
export class TestProcess {
  readonly session: Session
  readonly client: BrokerClient
  readonly #end: () => void

  constructor(session: Session, client: BrokerClient, end: () => void) {
    this.session = session
    this.client = client
    this.#end = end
  }

  permits(kind: 'lock' | 'rlock' | 'semaphore', name: string, permits = 1): TestPermits {
    return new TestPermits(this.client, this.client.open(kind, name, { permits }, false))
  }

  lock(name: string): TestPermits {
    return this.permits('lock', name)
  }

  /** As by `kill -9`. */
  kill(): void {
    this.#end()
  }
}

export class TestPermits {
  readonly #client: BrokerClient
  readonly number: number
  gone: Error | null = null

  constructor(client: BrokerClient, number: number) {
    this.#client = client
    this.number = number
    client.listener(number, () => ({
      event: (name, args) => {
        if (name === 'gone') this.gone = args[0] as Error
      },
    }))
  }

  acquire(options: { permits?: number; timeout?: number; signal?: AbortSignal } = {}): Promise<number> {
    const { permits = 1, timeout, signal } = options
    return this.#client.call<number>(this.number, 'acquire', [permits, false], {
      wait: { timeout, signal },
      what: 'not granted',
      late: (token) => this.release(token as number),
    })
  }
  tryAcquire(permits = 1): Promise<number | null> {
    return this.#client.call<number | null>(this.number, 'acquire', [permits, true])
  }
  release(token: number): void {
    this.#client.post(this.number, 'release', token)
  }
  value(): Promise<number> {
    return this.#client.call<number>(this.number, 'value')
  }
  holder(): Promise<unknown> {
    return this.#client.call(this.number, 'holder')
  }
  destroy(): Promise<void> {
    return this.#client.call(this.number, 'destroy')
  }
}

export class World {
  readonly redis: Redis
  readonly #subscriber: Redis
  readonly #masters: readonly Redis[]
  readonly broker: Broker
  readonly around: Surround
  readonly dead: Set<string>
  readonly #namespace: string
  readonly #wakes = new Map<string, (letter: string, rest: string) => void>()
  readonly #lost = new Set<(old: string) => void>()
  readonly #reborn = new Set<(sid: string) => void>()
  readonly #deaths = new Set<(sids: readonly string[]) => void>()
  readonly #connected = new Set<() => void>()
  readonly #resubscribed = new Set<() => void>()
  readonly confirmedUntil = { mono: Number.POSITIVE_INFINITY, wall: Number.POSITIVE_INFINITY }
  grantsFrom = 0
  sid = randomBytes(6).toString('hex')
  /** Scripts that are called, by name. */
  readonly calls: string[] = []
  /** Messages are lost while it is set. */
  deaf = false
  #processes = 0

  /** @param dead shared by the programs of a test: who was declared dead */
  constructor(
    url: string | readonly string[],
    namespace: string,
    dead: Set<string>,
    kinds: (around: Surround) => Readonly<Record<string, ObjectFactory>>,
    more: Partial<Pick<Surround, 'beat' | 'sessionTtl' | 'outage'>> = {},
  ) {
    const urls = typeof url === 'string' ? [url] : url
    this.#namespace = namespace
    this.dead = dead
    const settings = { retryStrategy: () => 20, maxRetriesPerRequest: null, protocol: 2 as const }
    this.redis = new Redis(urls[0] as string, settings)
    this.#subscriber = new Redis(urls[0] as string, settings)
    const fast = { commandTimeout: 200, maxRetriesPerRequest: 1, enableOfflineQueue: false }
    this.#masters =
      typeof url === 'string'
        ? []
        : urls.map((one) => new Redis(one, { ...settings, ...fast, autoResendUnfulfilledCommands: false }))
    for (const client of this.#all) client.on('error', () => undefined)
    this.#subscriber.on('message', (_channel, message: string) => this.#message(message))
    let first = true
    this.redis.on('ready', () => {
      if (!first) for (const told of this.#connected) told()
      first = false
    })
    this.#subscriber.on('ready', () => {
      this.#subscriber.subscribe(`${namespace}:wake:${this.sid}`).then(
        () => this.#resubscribed.forEach((told) => told()),
        () => undefined,
      )
    })
    const beat = more.beat ?? 1_000
    const { redis, confirmedUntil } = this
    const grantsFrom = (): number => this.grantsFrom
    const sid = (): string => this.sid
    let count = 0
    const store: Store = {
      partOf: () => store.parts[0] as Part,
      parts: [
        {
          client: redis,
          script: (name, options) => store.script(name, options),
          get state() {
            return store.state
          },
        },
      ],
      masters: this.#masters,
      get state() {
        return redis.status === 'ready' ? 'connected' : 'suspended'
      },
      script: (name, options) => this.#script(name, options?.prelude, flagsOf(options)),
      onConnected: (told) => on(this.#connected, told),
    }
    this.around = {
      store,
      seal: null,
      replication: null,
      session: {
        get sid() {
          return sid()
        },
        rid: (session) => `${this.sid}/${session.serial}/${++count}`,
        processOf: (session) => `${this.sid}/${session.serial}`,
        confirmedUntil,
        get grantsFrom() {
          return grantsFrom()
        },
        onLost: (told) => on(this.#lost, told),
        onReborn: (told) => on(this.#reborn, told),
      },
      wakes: {
        prefix: `${namespace}:wake:`,
        on: (tag, told) => {
          this.#wakes.set(tag, told)
          return () => {
            if (this.#wakes.get(tag) === told) this.#wakes.delete(tag)
          }
        },
        onResubscribed: (told) => on(this.#resubscribed, told),
      },
      deaths: {
        isDead: (one) => Promise.resolve(dead.has(one)),
        deadOf: (sids) => Promise.resolve(sids.filter((one) => dead.has(one))),
        onDeath: (told) => on(this.#deaths, told),
      },
      owned: { add: () => undefined, has: (_kind, name) => name.startsWith('~'), remove: () => undefined },
      namespace,
      sessionTtl: more.sessionTtl ?? beat * 5,
      beat,
      outage: more.outage ?? Number.POSITIVE_INFINITY,
    }
    this.broker = new Broker(kinds(this.around))
  }

  get #all(): readonly Redis[] {
    return [this.redis, this.#subscriber, ...this.#masters]
  }

  async ready(): Promise<this> {
    await this.#subscriber.subscribe(`${this.#namespace}:wake:${this.sid}`)
    await this.redis.ping()
    await Promise.all(this.#masters.map((one) => ready(one)))
    return this
  }

  process(name = 'main'): TestProcess {
    this.#processes += 1
    const id = `${this.sid}${this.#processes}`
    const session = this.broker.session({ id, name, pid: 1_000 + this.#processes, host: 'here' })
    let far: PairLink | null = null
    const client = new BrokerClient((events: LinkEvents) => {
      const near = new PairLink(events, false)
      far = new PairLink({ frame: (frame) => session.frame(frame), ended: () => this.broker.end(session) }, false)
      near.peer = far
      far.peer = near
      return near
    })
    if (far !== null) session.connect(far)
    return new TestProcess(session, client, () => this.broker.end(session))
  }

  /** The program's session is lost: everybody is told. */
  lose(): void {
    this.confirmedUntil.wall = Number.NEGATIVE_INFINITY
    this.confirmedUntil.mono = Number.NEGATIVE_INFINITY
    this.dead.add(this.sid)
    for (const told of this.#lost) told(this.sid)
  }

  /** A new one is there. */
  async bear(): Promise<void> {
    this.sid = randomBytes(6).toString('hex')
    await this.#subscriber.subscribe(`${this.#namespace}:wake:${this.sid}`)
    this.confirmedUntil.wall = Date.now() + 1e6
    this.confirmedUntil.mono = monotonic() + 1e6
    for (const told of this.#reborn) told(this.sid)
  }

  /** These were declared dead, and this program hears of it. */
  hear(...sids: readonly string[]): void {
    for (const sid of sids) this.dead.add(sid)
    for (const told of this.#deaths) told(sids)
  }

  /** Vanishes without giving anything back. */
  crash(): void {
    for (const client of this.#all) client.disconnect()
  }

  async close(): Promise<void> {
    if (this.redis.status === 'ready') await Promise.allSettled([this.redis.quit()])
    this.crash()
  }

  #message(message: string): void {
    if (this.deaf) return
    const [letter = '', tag = '', ...rest] = message.split(' ')
    this.#wakes.get(tag)?.(letter, rest.join(' '))
  }

  #script<A extends readonly ScriptArgument[], R>(
    name: string,
    prelude: string | undefined,
    flags: string,
  ): Script<A, R> {
    const text = `#!lua${flags}\n${prelude === undefined ? '' : lua(prelude)}${lua(name)}`
    return {
      call: async (keys, args) => {
        this.calls.push(name)
        try {
          return (await this.redis.eval(text, keys.length, ...keys, ...(args as readonly string[]))) as R
        } catch (error) {
          const { message } = error as Error
          if (message.includes('OOM')) throw new CapacityError('the store is full', { cause: error, retryable: true })
          throw new ConnectionError(message, { cause: error, indeterminate: true })
        }
      },
    }
  }
}

async function ready(client: Redis): Promise<void> {
  if (client.status !== 'ready') await once(client, 'ready')
}

function flagsOf(options: ScriptOptions | undefined): string {
  if (options?.readOnly === true) return ' flags=no-writes'
  return options?.allowOom === true ? ' flags=allow-oom' : ''
}

function lua(name: string): string {
  return readFileSync(new URL(`../scripts/${name}.lua`, import.meta.url), 'utf8')
}

function on<T>(all: Set<T>, told: T): () => void {
  all.add(told)
  return () => all.delete(told)
}
