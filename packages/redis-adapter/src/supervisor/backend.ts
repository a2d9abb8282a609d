/** The supervisor's backend on Redis: which class answers for which noun. Only wiring. */
import {
  type Backend,
  type Broker,
  type BrokerObject,
  type Foreign,
  type ObjectSnapshot,
  type ObjectFactory,
  type Opened,
  type Placement,
  type Starter,
  type SupervisorHost,
  openForeign,
} from '@skein/core/adapter'
import type { ThreadStart } from '../options.ts'
import { RedisFleet } from './host/redis-fleet.ts'
import { houseRules } from './host/house-rules.ts'
import { OpenPlacement } from './host/open-placement.ts'
import { UNLIMITED } from './host/open-work.ts'
import { RedisPlacement } from './host/redis-placement.ts'
import { Routing } from './host/routing.ts'
import { Serving } from './host/serving.ts'
import type { OpenQueue } from './host/work-line.ts'
import type { ConditionSpec } from './condition-name.ts'
import { Inspection } from './inspect/inspection.ts'
import { jobQueue } from './job-queue.ts'
import type { HostInfo, ProcessInfo } from '@skein/core'
import { openSurround } from './opening.ts'
import { census, hostsElsewhere, Roll } from './peers/census.ts'
import { Peers } from './peers/peers.ts'
import { sessionKeys } from './program-session.ts'
import { Quorum } from './redlock/quorum.ts'
import { RedlockCondition } from './redlock/redlock-condition.ts'
import { RedlockPermits } from './redlock/redlock-permits.ts'
import { RedisBarrier } from './redis-barrier.ts'
import { RedisCondition } from './redis-condition.ts'
import { RedisCounter } from './redis-counter.ts'
import { RedisEvent } from './redis-event.ts'
import { RedisLatch } from './redis-latch.ts'
import { type PermitsSpec, RedisPermits } from './redis-permits.ts'
import { RedisPipeObject } from './redis-pipe-object.ts'
import { RedisQueueObject } from './redis-queue-object.ts'
import { RedisShared } from './redis-shared.ts'
import { RedisTopic } from './redis-topic.ts'
import type { Surround } from './surround.ts'

interface Open {
  readonly host: SupervisorHost
  readonly around: Surround
  readonly queues: OpenQueue
  /** Of an array of urls. */
  readonly quorum: Quorum | null
  readonly close: () => Promise<void>
}

/** What needs the program's broker. */
interface Running {
  readonly broker: Broker
  readonly peers: Peers
  readonly placement: Routing
  readonly hosts: () => Promise<readonly HostInfo[]>
  /** Where this program runs what others start. */
  readonly serving: Serving | null
  readonly inspection: Inspection
}

export class RedisBackend implements Backend {
  readonly #start: ThreadStart
  #open: Open | null = null
  #running: Running | null = null

  constructor(start: ThreadStart) {
    this.#start = start
  }

  async open(host: SupervisorHost): Promise<Opened> {
    const { around, close, scope } = await openSurround(
      this.#start,
      { ...host.settings, namespace: host.namespace },
      host,
    )
    const queues: OpenQueue = (key) => jobQueue(around, key, UNLIMITED)
    const quorum = this.#start.quorum
      ? new Quorum(around, {
          confirm: (session, until) => host.confirmLocks(session, until),
          lose: (session, reason) => host.loseLocks(session, reason),
        })
      : null
    this.#open = { host, around, queues, quorum, close }
    return { scope }
  }

  /** The thread asks for it before it has opened anything. */
  readonly placement: Placement = {
    start: (spec, events, launch) => this.#begun.placement.start(spec, events, launch),
    refusals: (needs) => this.#begun.placement.refusals(needs),
  }

  kinds(broker: Broker, starter: Starter): Readonly<Record<string, ObjectFactory>> {
    const { around, queues, quorum } = this.#opened
    this.#running = this.#begin(broker, starter)
    const lock = (kind: 'lock' | 'rlock' | 'election'): ObjectFactory =>
      quorum === null
        ? (name, spec) => new RedisPermits(kind, name, spec, around)
        : (name, spec) => new RedlockPermits(kind, name, spec, around, quorum)
    return {
      lock: lock('lock'),
      rlock: lock('rlock'),
      election: lock('election'),
      // Either one, or the lock of one that has its own.
      condition: (name, spec: ConditionSpec | PermitsSpec) => {
        if (!('of' in spec)) return new RedisPermits('condition', name, spec, around)
        const known = (): BrokerObject | undefined => broker.find(spec.lock, spec.of)
        const as = <T extends BrokerObject>(its: new (...args: never[]) => T): T | null => {
          const there = known()
          return there instanceof its ? there : null
        }
        if (quorum !== null && spec.lock !== 'condition') {
          return new RedlockCondition(name, spec, around, () => as(RedlockPermits))
        }
        return new RedisCondition(name, spec, around, {
          find: () => as(RedisPermits),
          endOwn: (reason) => known()?.remove?.(reason),
        })
      },
      rwlock: (name, spec) => new RedisPermits('rwlock', name, spec, around),
      semaphore: (name, spec: PermitsSpec, session) =>
        spec.owned === false
          ? new RedisCounter(name, spec, around, session)
          : new RedisPermits('semaphore', name, spec, around),
      barrier: (name, spec, session) => new RedisBarrier(name, spec, around, session),
      event: (name, _spec, session) => new RedisEvent(name, around, session),
      value: (name, spec, session) => new RedisShared('value', name, spec, around, session),
      latch: (name, spec, session) => new RedisLatch(name, spec, around, session),
      queue: (name, spec, session, attach) => new RedisQueueObject(name, spec, around, session, attach),
      dict: (name, spec, session) => new RedisShared('dict', name, spec, around, session),
      list: (name, spec, session) => new RedisShared('list', name, spec, around, session),
      array: (name, spec, session) => new RedisShared('array', name, spec, around, session),
      topic: (name) => new RedisTopic(name, around),
      pipe: (name, _spec, session) => new RedisPipeObject(name, (inbox) => broker.add(inbox), around, session),
      fleet: (name, spec, owner) => new RedisFleet(name, spec, owner, starter, around, queues),
    }
  }

  async close(): Promise<void> {
    const { quorum, close } = this.#opened
    const { placement, peers, serving } = this.#begun
    await serving?.close()
    await placement.close()
    await peers.close()
    await quorum?.close()
    await close()
  }

  async drain(): Promise<void> {
    await this.#begun.serving?.drain()
  }

  stopping(): void {
    this.#begun.serving?.stop()
  }

  /** For the processes of this program that were sent a handle of what another program keeps. */
  elsewhere(of: Foreign): Promise<BrokerObject> {
    const { peers } = this.#begun
    return openForeign(of, (program) => peers.reach(program))
  }

  processes(): Promise<readonly ProcessInfo[]> {
    const { broker, peers } = this.#begun
    return census(broker, peers)
  }

  hosts(): Promise<readonly HostInfo[]> {
    return this.#begun.hosts()
  }

  inspect(): Promise<readonly ObjectSnapshot[]> {
    return this.#begun.inspection.look()
  }

  #begin(broker: Broker, starter: Starter): Running {
    const { host, around, queues, quorum } = this.#opened
    const { serve } = host.settings
    const peers = new Peers({ around, keys: sessionKeys(around.namespace), broker })
    const { launch } = starter
    const serving =
      serve === false || serve === null
        ? null
        : new Serving({ around, peers, launch, rules: houseRules(serve, this.#start.surroundings), serve })
    const hosts = async (): Promise<readonly HostInfo[]> => [
      ...(serving === null ? [] : [{ program: host.program, ...serving.info }]),
      ...(await hostsElsewhere(peers)),
    ]
    const placement = new Routing({
      home: serve === false ? null : new RedisPlacement(around, queues),
      open: new OpenPlacement(around, broker, host.program),
      hosts,
    })
    broker.add(new Roll(broker, () => serving?.info ?? { busy: 0, state: 'serving' }))
    const inspection = new Inspection(around, quorum, () => broker.sessions())
    return { broker, peers, placement, hosts, serving, inspection }
  }

  get #begun(): Running {
    if (this.#running === null) throw new Error('the backend was asked for something before it was open')
    return this.#running
  }

  get #opened(): Open {
    if (this.#open === null) throw new Error('the backend was asked for something before it was open')
    return this.#open
  }
}
