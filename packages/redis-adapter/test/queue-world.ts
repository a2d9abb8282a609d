/** Programs for the tests of queues, pipes, shared state and what calls wait on: core's real broker and handles on a real Redis, with losses and deaths on command. */
import { randomBytes } from 'node:crypto'
import {
  Broker,
  type BrokerObject,
  BrokerClient,
  Link,
  type LinkEvents,
  LinkedAdapter,
  type ObjectFactory,
  type Session,
} from '@skein/core/adapter'
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll } from 'vitest'
import { freshNamespace, type RedisServer, startRedis } from '../../../integration-tests/support/redis.ts'
import { RedisBarrier } from '../src/supervisor/redis-barrier.ts'
import { RedisCounter } from '../src/supervisor/redis-counter.ts'
import { RedisEvent } from '../src/supervisor/redis-event.ts'
import { RedisLatch } from '../src/supervisor/redis-latch.ts'
import { type PermitsSpec, RedisPermits } from '../src/supervisor/redis-permits.ts'
import { RedisPipeObject } from '../src/supervisor/redis-pipe-object.ts'
import { RedisQueueObject } from '../src/supervisor/redis-queue-object.ts'
import { RedisShared } from '../src/supervisor/redis-shared.ts'
import { Scripts } from '../src/supervisor/script.ts'
import type { Surround } from '../src/supervisor/surround.ts'

export interface Stage {
  readonly redis: RedisServer
  readonly namespace: string
  /** Who was declared dead. */
  readonly dead: Set<string>
  /** @param beat in ms; a long one leaves everything to messages */
  program(beat?: number): Promise<World>
}

/** A server for the tests of a file, and programs that end with their test. */
export function useStage(): Stage {
  let server: RedisServer | null = null
  let namespace = ''
  const dead = new Set<string>()
  const worlds: World[] = []
  beforeAll(async () => {
    server = await startRedis({ own: true })
  }, 60_000)
  afterAll(() => server?.close())
  afterEach(async () => {
    await Promise.all(worlds.splice(0).map((world) => world.close()))
    dead.clear()
  })
  const redis = (): RedisServer => {
    if (server === null) throw new Error('the server is started before the first test')
    return server
  }
  return {
    get redis() {
      return redis()
    },
    get namespace() {
      return namespace
    },
    dead,
    program: (beat) => {
      if (worlds.length === 0) {
        namespace = freshNamespace()
      }
      const world = new World(redis().url, namespace, dead, beat)
      worlds.push(world)
      return world.ready()
    },
  }
}

/** Cuts all connections of the server every 60 ms until `done` settles. */
export async function cutting(redis: RedisServer, done: Promise<unknown>): Promise<void> {
  let over = false
  const end = (): void => {
    over = true
  }
  done.then(end, end)
  while (!over) {
    await new Promise((go) => setTimeout(go, 60))
    await redis.ask('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
    await redis.ask('CLIENT', 'KILL', 'TYPE', 'pubsub')
  }
  await done
}

/** One end of a link within this process. */
class PairLink extends Link {
  peer: PairLink | null = null
  /** Nothing comes out of it while it is set. */
  stopped = false
  #kept: Uint8Array[] = []

  protected override write(segments: readonly Uint8Array[]): null {
    const bytes = Buffer.concat(segments.map((one) => Uint8Array.from(one)))
    setImmediate(() => this.peer?.arrived(bytes))
    return null
  }
  arrived(bytes: Uint8Array): void {
    if (this.stopped) this.#kept.push(bytes)
    else this.received(bytes)
  }
  cont(): void {
    this.stopped = false
    const kept = this.#kept
    this.#kept = []
    for (const bytes of kept) this.received(bytes)
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
  /** What the process makes its objects with. */
  readonly mp: LinkedAdapter
  readonly #near: PairLink
  readonly #world: World

  constructor(session: Session, mp: LinkedAdapter, near: PairLink, world: World) {
    this.session = session
    this.mp = mp
    this.#near = near
    this.#world = world
  }

  queue<T>(name: string, spec: { maxSize?: number; maxDeliveries?: number } = {}): ReturnType<typeof this.mp.queue<T>> {
    return this.mp.queue<T>({ name, maxSize: spec.maxSize ?? Infinity, maxDeliveries: spec.maxDeliveries ?? 5 })
  }

  /** As by `kill -9`. */
  kill(): void {
    this.#near.stopped = true
    this.#world.broker.end(this.session)
  }
}

function on<T>(all: Set<T>, told: T): () => void {
  all.add(told)
  return () => all.delete(told)
}

const newSid = (): string => `h.${randomBytes(5).toString('hex')}`

export class World {
  readonly redis: Redis
  readonly #subscriber: Redis
  readonly broker: Broker
  readonly around: Surround
  readonly store: Scripts
  readonly #namespace: string
  readonly #wakes = new Map<string, Set<(letter: string, rest: string) => void>>()
  readonly #lost = new Set<(old: string) => void>()
  readonly #reborn = new Set<(sid: string) => void>()
  readonly #deaths = new Set<(sids: readonly string[]) => void>()
  readonly #resubscribed = new Set<() => void>()
  readonly owned = new Set<string>()
  sid: string = newSid()
  /** Messages are lost while it is set. */
  deaf = false
  readonly #objects = new Set<BrokerObject>()
  #processes = 0
  #rids = 0

  /** @param dead shared by the programs of a test: who was declared dead */
  constructor(
    url: string,
    namespace: string,
    dead: Set<string>,
    beat = 1_000,
    outage: number = Number.POSITIVE_INFINITY,
  ) {
    this.#namespace = namespace
    const settings = {
      protocol: 2,
      maxRetriesPerRequest: null,
      autoResendUnfulfilledCommands: false,
      retryStrategy: () => 20,
    } as const
    this.redis = new Redis(url, { ...settings, enableOfflineQueue: false })
    this.#subscriber = new Redis(url, { ...settings, autoResubscribe: false })
    for (const client of [this.redis, this.#subscriber]) client.on('error', () => undefined)
    this.#subscriber.on('message', (_channel, message: string) => this.#message(message))
    this.#subscriber.on('ready', () => {
      const told = (): void => this.#resubscribed.forEach((one) => one())
      this.#subscribe().then(told, () => undefined)
    })
    this.store = new Scripts({ client: this.redis, masters: [], where: 'the test', mask: (text) => text, flags: true })
    this.redis.on('ready', () => this.store.resume())
    const [store, owned, sid] = [this.store, this.owned, (): string => this.sid]
    this.around = {
      store,
      seal: null,
      replication: null,
      session: {
        get sid() {
          return sid()
        },
        rid: (session) => `${this.sid}/${session.serial}/${++this.#rids}`,
        processOf: (session) => `${this.sid}/${session.serial}`,
        confirmedUntil: { mono: Number.POSITIVE_INFINITY, wall: Number.POSITIVE_INFINITY },
        grantsFrom: 0,
        onLost: (told) => on(this.#lost, told),
        onReborn: (told) => on(this.#reborn, told),
      },
      wakes: {
        prefix: `${namespace}:wake:`,
        on: (tag, told) => {
          const of = this.#wakes.get(tag) ?? new Set()
          this.#wakes.set(tag, of)
          return on(of, told)
        },
        onResubscribed: (told) => on(this.#resubscribed, told),
      },
      deaths: {
        isDead: (one) => Promise.resolve(dead.has(one)),
        deadOf: (sids) => Promise.resolve(sids.filter((one) => dead.has(one))),
        onDeath: (told) => on(this.#deaths, told),
      },
      owned: {
        has: (kind, name) => owned.has(`${kind} ${name}`),
        add: (kind, name) => owned.add(`${kind} ${name}`),
        remove: (kind, name) => owned.delete(`${kind} ${name}`),
      },
      namespace,
      sessionTtl: beat * 5,
      beat,
      outage,
    }
    const { around } = this
    const made = <T extends BrokerObject>(object: T): T => {
      this.#objects.add(object)
      return object
    }
    const kinds: Record<string, ObjectFactory> = {
      pipe: (name, _spec, session) =>
        made(new RedisPipeObject(name, (inbox) => this.broker.add(inbox), around, session)),
      barrier: (name, spec, session) => made(new RedisBarrier(name, spec, around, session)),
      event: (name, _spec, session) => made(new RedisEvent(name, around, session)),
      latch: (name, spec, session) => made(new RedisLatch(name, spec, around, session)),
      semaphore: (name, spec: PermitsSpec, session) =>
        made(
          spec.owned === false
            ? new RedisCounter(name, spec, around, session)
            : new RedisPermits('semaphore', name, spec, around),
        ),
      queue: (name, spec, session) => made(new RedisQueueObject(name, spec, around, session)),
      value: (name, spec, session) => made(new RedisShared('value', name, spec, around, session)),
      dict: (name, spec, session) => made(new RedisShared('dict', name, spec, around, session)),
      list: (name, spec, session) => made(new RedisShared('list', name, spec, around, session)),
      array: (name, spec, session) => made(new RedisShared('array', name, spec, around, session)),
    }
    this.broker = new Broker(kinds)
  }

  async ready(): Promise<this> {
    await this.#subscribe()
    if (this.redis.status !== 'ready') await new Promise<void>((told) => this.redis.once('ready', () => told()))
    return this
  }

  process(name = 'main'): TestProcess {
    this.#processes += 1
    const id = `${this.sid.slice(2)}${this.#processes}`
    const session = this.broker.session({ id, name, pid: 1_000 + this.#processes, host: 'here' })
    const ends: PairLink[] = []
    const client = new BrokerClient((events: LinkEvents) => {
      const near = new PairLink(events, false)
      const far = new PairLink({ frame: (frame) => session.frame(frame), ended: () => this.broker.end(session) }, false)
      near.peer = far
      far.peer = near
      ends.push(near, far)
      return near
    })
    const [near, far] = ends as [PairLink, PairLink]
    session.connect(far)
    let count = 0
    const mp = new LinkedAdapter({
      nature: { kind: 'redis', place: 'test', scope: 'test', json: true, confirmed: true },
      client,
      namespace: this.#namespace,
      program: 'test',
      processId: id,
      next: () => ++count,
      leave: () => Promise.resolve(),
    })
    return new TestProcess(session, mp, near, this)
  }

  /** As the supervisor does it for a process that is silent for too long. */
  suspend({ session }: TestProcess): void {
    for (const object of this.#objects) object.suspend(session)
  }

  resume({ session }: TestProcess): void {
    for (const object of this.#objects) object.resume(session)
  }

  /** The program's session is lost: everybody is told, and nothing reaches Redis until `bear`. */
  lose(): void {
    this.store.closeGate()
    for (const told of this.#lost) told(this.sid)
  }

  /** A new one is there. */
  async bear(): Promise<void> {
    this.sid = newSid()
    await this.#subscribe()
    this.store.openGate()
    for (const told of this.#reborn) told(this.sid)
  }

  /** These were declared dead, and this program hears of it. */
  hear(...sids: readonly string[]): void {
    for (const told of this.#deaths) told(sids)
  }

  /** Vanishes without giving anything back. */
  crash(): void {
    this.store.close()
    for (const client of [this.redis, this.#subscriber]) client.disconnect()
  }

  async close(): Promise<void> {
    this.#subscriber.removeAllListeners('ready')
    await Promise.allSettled([this.redis, this.#subscriber].map((one) => one.quit()))
    this.crash()
  }

  #subscribe(): Promise<unknown> {
    return this.#subscriber.subscribe(`${this.#namespace}:all`, `${this.#namespace}:wake:${this.sid}`)
  }

  #message(message: string): void {
    if (this.deaf) return
    const [letter = '', tag = '', ...rest] = message.split(' ')
    for (const told of this.#wakes.get(tag) ?? []) told(letter, rest.join(' '))
  }
}
