/** Programs for the tests of queues, pipes, shared state and what calls wait on: core's real broker and handles on a real Redis, with losses and deaths on command. */
import { Broker, type BrokerObject, LinkedAdapter, type ObjectFactory, type Session } from '@skein/core/adapter'
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest'
import { freshNamespace, type RedisServer, startRedis } from '../../../integration-tests/support/redis.ts'
import { RedisBarrier } from '../src/supervisor/redis-barrier.ts'
import { RedisCounter } from '../src/supervisor/redis-counter.ts'
import { RedisEvent } from '../src/supervisor/redis-event.ts'
import { RedisLatch } from '../src/supervisor/redis-latch.ts'
import { type PermitsSpec, RedisPermits } from '../src/supervisor/redis-permits.ts'
import { RedisPipeObject } from '../src/supervisor/redis-pipe-object.ts'
import { RedisQueueObject } from '../src/supervisor/redis-queue-object.ts'
import { RedisShared } from '../src/supervisor/redis-shared.ts'
import { RedisTopic } from '../src/supervisor/redis-topic.ts'
import { linked } from './pair-link.ts'
import { type Dead, type Ground, groundAt, Surroundings, type Times } from './surroundings.ts'

export interface Stage {
  readonly redis: RedisServer
  readonly namespace: string
  /** Who was declared dead. */
  readonly dead: Dead
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
  beforeEach(() => {
    namespace = freshNamespace()
  })
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
    program: async (beat = 1_000) => {
      const world = await World.open(redis().url, namespace, dead, { beat })
      worlds.push(world)
      return world
    },
  }
}

/** Cuts all connections of the server until `done` settles: some when they have just begun, none before long. */
export async function cutting(redis: RedisServer, done: Promise<unknown>): Promise<void> {
  let over = false
  const end = (): void => {
    over = true
  }
  done.then(end, end)
  while (!over) {
    await new Promise((go) => setTimeout(go, 20 + Math.random() * 130))
    await redis.ask('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
    await redis.ask('CLIENT', 'KILL', 'TYPE', 'pubsub')
  }
  await done
}

/** A client process of a program. */
export class TestProcess {
  readonly session: Session
  /** What the process makes its objects with. */
  readonly mp: LinkedAdapter
  /** As by `kill -9`. */
  readonly kill: () => void

  constructor(session: Session, mp: LinkedAdapter, kill: () => void) {
    this.session = session
    this.mp = mp
    this.kill = kill
  }

  queue<T>(name: string, spec: { maxSize?: number; maxDeliveries?: number } = {}): ReturnType<typeof this.mp.queue<T>> {
    return this.mp.queue<T>({ name, maxSize: spec.maxSize ?? Infinity, maxDeliveries: spec.maxDeliveries ?? 5 })
  }
}

export class World extends Surroundings {
  readonly broker: Broker
  readonly #namespace: string
  readonly #objects = new Set<BrokerObject>()
  #processes = 0

  private constructor(ground: Ground, dead: Dead, times: Times) {
    super(ground, dead, times)
    this.#namespace = ground.namespace
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
      topic: (name) => made(new RedisTopic(name, around)),
    }
    this.broker = new Broker(kinds)
  }

  static async open(url: string, namespace: string, dead: Dead, times: Times = {}): Promise<World> {
    return new World(await groundAt(url, namespace), dead, times).ready()
  }

  process(name = 'main'): TestProcess {
    this.#processes += 1
    const id = `${this.sid.slice(2)}${this.#processes}`
    const session = this.broker.session({ id, name, pid: 1_000 + this.#processes, host: 'here' })
    const { client, kill } = linked(this.broker, session)
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
    return new TestProcess(session, mp, kill)
  }

  /** As the supervisor does it for a process that is silent for too long. */
  suspend({ session }: TestProcess): void {
    for (const object of this.#objects) object.suspend(session)
  }

  resume({ session }: TestProcess): void {
    for (const object of this.#objects) object.resume(session)
  }
}
