/** The supervisor's backend on Redis: which class answers for which noun. Only wiring. */
import type { Backend, Broker, ObjectFactory, Placement, Starter, SupervisorHost } from '@skein/core/adapter'
import type { ThreadStart } from '../options.ts'
import { RedisFleet } from './host/redis-fleet.ts'
import { RedisPlacement } from './host/redis-placement.ts'
import type { OpenQueue } from './host/work-line.ts'
import { jobQueue } from './job-queue.ts'
import { openSurround } from './opening.ts'
import { Quorum } from './redlock/quorum.ts'
import { RedlockPermits } from './redlock/redlock-permits.ts'
import { RedisCounter } from './redis-counter.ts'
import { RedisEvent } from './redis-event.ts'
import { RedisLatch } from './redis-latch.ts'
import { type PermitsSpec, RedisPermits } from './redis-permits.ts'
import { RedisPipeObject } from './redis-pipe-object.ts'
import { RedisQueueObject } from './redis-queue-object.ts'
import { RedisShared } from './redis-shared.ts'
import type { Surround } from './surround.ts'

interface Open {
  readonly around: Surround
  readonly placement: RedisPlacement
  readonly queues: OpenQueue
  /** Of an array of urls. */
  readonly quorum: Quorum | null
  readonly close: () => Promise<void>
}

export class RedisBackend implements Backend {
  readonly #start: ThreadStart
  #open: Open | null = null

  constructor(start: ThreadStart) {
    this.#start = start
  }

  async open(host: SupervisorHost): Promise<void> {
    const { around, close } = await openSurround(this.#start, { ...host.settings, namespace: host.namespace }, host)
    // What was taken but not begun is to be taken again, however often its taker loses it.
    const unlimited = { maxSize: Number.POSITIVE_INFINITY, maxDeliveries: Number.POSITIVE_INFINITY }
    const queues: OpenQueue = (key) => jobQueue(around, key, unlimited)
    const quorum = this.#start.quorum
      ? new Quorum(around, {
          confirm: (session, until) => host.confirmLocks(session, until),
          lose: (session, reason) => host.loseLocks(session, reason),
        })
      : null
    this.#open = { around, queues, quorum, placement: new RedisPlacement(around, queues), close }
  }

  /** The thread asks for it before it has opened anything. */
  readonly placement: Placement = {
    start: (spec, events, launch) => this.#opened.placement.start(spec, events, launch),
  }

  kinds(broker: Broker, starter: Starter): Readonly<Record<string, ObjectFactory>> {
    const { around, queues, quorum } = this.#opened
    const lock = (kind: 'lock' | 'rlock'): ObjectFactory =>
      quorum === null
        ? (name, spec) => new RedisPermits(kind, name, spec, around)
        : (name, spec) => new RedlockPermits(kind, name, spec, around, quorum)
    return {
      lock: lock('lock'),
      rlock: lock('rlock'),
      rwlock: (name, spec) => new RedisPermits('rwlock', name, spec, around),
      semaphore: (name, spec: PermitsSpec, session) =>
        spec.owned === false
          ? new RedisCounter(name, spec, around, session)
          : new RedisPermits('semaphore', name, spec, around),
      event: (name, _spec, session) => new RedisEvent(name, around, session),
      value: (name, spec, session) => new RedisShared('value', name, spec, around, session),
      latch: (name, spec, session) => new RedisLatch(name, spec, around, session),
      queue: (name, spec, session) => new RedisQueueObject(name, spec, around, session),
      pipe: (name, _spec, session) => new RedisPipeObject(name, (inbox) => broker.add(inbox), around, session),
      fleet: (name, spec, owner) => new RedisFleet(name, spec, owner, starter, around, queues),
    }
  }

  async close(): Promise<void> {
    const { placement, quorum, close } = this.#opened
    await placement.close()
    await quorum?.close()
    await close()
  }

  get #opened(): Open {
    if (this.#open === null) throw new Error('the backend was asked for something before it was open')
    return this.#open
  }
}
