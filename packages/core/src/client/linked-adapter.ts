/** An adapter as a process has it: one method per noun, as handles on the broker of its program. Only wiring. */
import { decode, decodeJson, encode } from '../codec/index.ts'
import type { Barrier } from '../contract/barrier.ts'
import type { Condition } from '../contract/condition.ts'
import type { Election } from '../contract/election.ts'
import type { Event } from '../contract/event.ts'
import type {
  Adapter,
  ArraySpec,
  BarrierSpec,
  ConditionSpec,
  LatchSpec,
  Named,
  Needs,
  PipeSpec,
  ProcessSpec,
  QueueSpec,
  SemaphoreSpec,
  ValueSpec,
} from '../contract/adapter.ts'
import type { Handle, HandleKind, HandleRef } from '../contract/handle.ts'
import type { HostInfo } from '../contract/host.ts'
import type { Latch } from '../contract/latch.ts'
import type { Lock, RLock } from '../contract/lock.ts'
import type { Connection } from '../contract/pipe.ts'
import type { Process, ProcessInfo } from '../contract/process.ts'
import type { JoinableQueue, Queue } from '../contract/queue.ts'
import type { RWLock } from '../contract/rwlock.ts'
import type { Semaphore } from '../contract/semaphore.ts'
import type { DictKey, SharedArray, SharedDict, SharedList, Value } from '../contract/state.ts'
import type { ObjectSnapshot, Snapshot } from '../contract/snapshot.ts'
import type { Topic } from '../contract/topic.ts'
import type { WaitOptions } from '../contract/wait.ts'
import { ClosedError, NotSupportedError, ScopeError } from '../errors.ts'
import type { Fleet, FleetEvents, FleetSpec } from '../contract/fleet.ts'
import { checkWait, waitFor } from '../util/wait.ts'
import type { Nature } from '../supervisor/boot.ts'
import { attachers, conditionAt, semaphoreAt } from './attachers.ts'
import { LinkedBarrier } from './barrier.ts'
import type { BrokerClient } from './broker-client.ts'
import { LinkedArray } from './array.ts'
import { LinkedDict } from './dict.ts'
import { LinkedList } from './list.ts'
import { LinkedElection } from './election.ts'
import { LinkedEvent } from './event.ts'
import { LinkedFleet } from './fleet.ts'
import { LinkedJoinableQueue } from './joinable-queue.ts'
import { LinkedLatch } from './latch.ts'
import { LinkedLock } from './lock.ts'
import type { LinkedLease } from './lease.ts'
import { type Home, labelOf, type Place, type RemoteObject } from './remote-object.ts'
import { LinkedConnection } from './pipe.ts'
import { LinkedProcess } from './process.ts'
import { LinkedQueue, queueShape } from './queue.ts'
import { LinkedRLock } from './rlock.ts'
import { LinkedRWLock, rwlockShape } from './rwlock.ts'
import { encodeItems, encodeStored } from './shared.ts'
import { LinkedTopic } from './topic.ts'
import { LinkedValue } from './value.ts'
import type { Presence } from './presence.ts'

/** What an adapter stands on: the way to the broker, shared by all contexts of this process and namespace. */
export interface Ground {
  readonly nature: Nature
  readonly client: BrokerClient
  readonly namespace: string
  /** The program that this process belongs to. */
  readonly program: string
  /** The process's own id, which makes the names of its anonymous objects its own. */
  readonly processId: string
  /** Unique numbers for those names. */
  next(): number
  /** This process is at its end: what it waits for ends with it, unheard. */
  readonly ending?: boolean
  /** This process is about to start others. */
  starts?(): void
  /** This adapter needs the broker no longer. */
  leave(): Promise<void>
}

export class LinkedAdapter implements Adapter, Home {
  readonly #ground: Ground
  readonly #anonymous = new Map<string, RemoteObject<Presence>>()
  readonly #processes = new Set<LinkedProcess<unknown>>()
  readonly #fleets = new Set<LinkedFleet>()
  readonly leases: Set<LinkedLease> = new Set()
  #closing: Promise<void> | null = null
  /** It gives back what it holds: nothing that is granted from now on is of use to anybody. */
  #leaving = false
  #closed = false

  constructor(ground: Ground) {
    this.#ground = ground
  }

  get kind(): 'local' | 'redis' {
    return this.nature.kind
  }

  get nature(): Nature {
    return this.#ground.nature
  }

  get scope(): string {
    return this.nature.scope
  }

  get namespace(): string {
    return this.#ground.namespace
  }

  get state(): 'connected' | 'suspended' | 'lost' {
    if (this.lost.aborted) return 'lost'
    return this.#ground.client.interrupted ? 'suspended' : 'connected'
  }

  get lost(): AbortSignal {
    return this.#ground.client.lost
  }

  get open(): boolean {
    return !this.#leaving
  }

  readonly checkOpen = (): void => {
    if (this.#leaving) throw closed()
  }

  get client(): BrokerClient {
    if (this.#closed) throw closed()
    return this.#ground.client
  }

  anonymousName(): string {
    return `~${this.#ground.processId}-${this.#ground.next()}`
  }

  decode(bytes: Uint8Array): unknown {
    return decode(bytes, (ref) => this.attach(ref))
  }

  decodeJson(text: Uint8Array): unknown {
    const { buffer, byteOffset, byteLength } = text
    return this.decodeText(Buffer.from(buffer, byteOffset, byteLength).toString())
  }

  decodeText(json: string): unknown {
    return decodeJson(json, (ref) => this.attach(ref))
  }

  lock({ name }: Named): Lock {
    return this.#own(new LinkedLock(this.#place('lock', name, { permits: 1 })))
  }

  rlock({ name }: Named): RLock {
    return this.#own(new LinkedRLock(this.#place('rlock', name, { permits: 1 })))
  }

  condition({ name, lock }: ConditionSpec): Condition {
    if (lock !== null) this.admit(lock)
    // Its own lock is an object beside it, under a name that nobody can give.
    const { kind, name: of, program } = lock ?? { kind: 'condition' as const, name: `${name}/lock` }
    const shape = { lock: kind, of, ...(program === undefined ? {} : { program }) }
    return this.#own(conditionAt(this.#place('condition', name, shape)))
  }

  election({ name }: Named): Election {
    return new LinkedElection(this.#place('election', name, { permits: 1 }))
  }

  rwlock({ name }: Named): RWLock {
    return this.#own(LinkedRWLock.at(this.#place('rwlock', name, rwlockShape)))
  }

  semaphore({ name, permits, bounded, owned }: SemaphoreSpec): Semaphore {
    const how = { ...(bounded ? { bounded } : {}), ...(owned ? {} : { owned }) }
    return this.#own(semaphoreAt(this.#place('semaphore', name, { permits, ...how })))
  }

  barrier({ name, parties, action }: BarrierSpec): Barrier {
    const place = this.#place('barrier', name, LinkedBarrier.shape(parties, action))
    return this.#own(new LinkedBarrier(place, action?.run))
  }

  event({ name }: Named): Event {
    return this.#own(new LinkedEvent(this.#place('event', name, {})))
  }

  value<T>({ name, initial }: ValueSpec<T>): Value<T> {
    const one = encodeStored(this, labelOf({ kind: 'value', name }), initial, 'initial')
    return this.#own(new LinkedValue<T>(this.#place('value', name, {}), { one }))
  }

  latch({ name, count }: LatchSpec): Latch {
    return this.#own(new LinkedLatch(this.#place('latch', name, { count })))
  }

  topic<T>({ name }: Named): Topic<T> {
    return new LinkedTopic<T>(this.#place('topic', name, {}))
  }

  dict<V, K extends DictKey>({ name }: Named): SharedDict<V, K> {
    return this.#own(new LinkedDict<V, K>(this.#place('dict', name, {}), {}))
  }

  list<T>({ name }: Named): SharedList<T> {
    return this.#own(new LinkedList<T>(this.#place('list', name, {}), {}))
  }

  array<T>({ name, init }: ArraySpec<T>): SharedArray<T> {
    const label = labelOf({ kind: 'array', name })
    const [length, seed] =
      typeof init === 'number'
        ? [init, { one: encodeStored(this, label, 0, 'zero') }]
        : [init.length, { items: encodeItems(this, label, init) }]
    return this.#own(new LinkedArray<T>(this.#place('array', name, { length }), seed))
  }

  queue<T>(spec: QueueSpec): Queue<T> {
    return this.#own(new LinkedQueue<T>(this.#place('queue', spec.name, queueShape(spec))))
  }

  joinableQueue<T>(spec: QueueSpec): JoinableQueue<T> {
    const shape = { ...queueShape(spec), joinable: true }
    return this.#own(new LinkedJoinableQueue<T>(this.#place('queue', spec.name, shape)))
  }

  pipe<A, B>({ name, duplex }: PipeSpec): [Connection<A, B>, Connection<B, A>] {
    return [
      this.#own(new LinkedConnection<A, B>(this.#place('pipe', name, { duplex, end: 0 }))),
      new LinkedConnection<B, A>(this.#place('pipe', name, { duplex, end: 1 })),
    ]
  }

  process<R>({ name: label, daemon, target, ...plan }: ProcessSpec): Process<R> {
    this.#checkNeeds(plan.options.needs, 'process()')
    this.#ground.starts?.()
    const id = `${this.#ground.processId}.${this.#ground.next()}`
    const place = this.#place('process', id, { label, daemon, detached: plan.options.detached })
    const process = new LinkedProcess<R>(place, { ...plan, target: encode(target, 'target') })
    this.#processes.add(process)
    process.whenOver(() => this.#processes.delete(process))
    return process
  }

  fleet(spec: FleetSpec, events: FleetEvents): Fleet {
    this.#checkNeeds(spec.needs, 'pool()')
    this.#ground.starts?.()
    const fleet: LinkedFleet = new LinkedFleet(this, this.anonymousName(), spec, events, () =>
      this.#fleets.delete(fleet),
    )
    this.#fleets.add(fleet)
    return fleet
  }

  #checkNeeds(needs: Needs | null, where: string): void {
    if (needs === null || this.kind !== 'local') return
    throw new NotSupportedError(
      `${where}: host and labels are not supported on local:, where everything runs on this machine; leave them out, or connect to a redis:// url`,
    )
  }

  attach(ref: HandleRef): Handle {
    this.admit(ref)
    const { kind, name, program, shape = {} } = ref
    const place: Place = { home: this, kind, name, shape, attach: true, program }
    return attachers[kind](place)
  }

  readonly admit = ({ kind, name, scope, namespace }: HandleRef): void => {
    const same = scope === this.nature.scope || this.#ground.client.aliases.has(scope)
    if (same && namespace === this.namespace) return
    const where = [...(namespace === this.namespace ? [] : [`namespace ${namespace}`]), ...(same ? [] : [scope])].join(
      ' of ',
    )
    throw new ScopeError(
      `${kind} "${name}" belongs to ${where}, not to the ${this.kind} namespace ${this.namespace} of this context; create it in the context that shares it`,
    )
  }

  async processes(): Promise<ProcessInfo[]> {
    const { client } = this
    return client.call<ProcessInfo[]>(client.open('inspector', 'all', null, false), 'processes')
  }

  async hosts(): Promise<HostInfo[]> {
    const { client } = this
    return client.call<HostInfo[]>(client.open('inspector', 'all', null, false), 'hosts')
  }

  async drain(wait?: WaitOptions): Promise<void> {
    const { client } = this
    const what = 'what runs here for others had not ended'
    const options = { wait: checkWait(wait), what, owner: this }
    await client.call(client.open('session', 'all', null, false), 'drain', [], options)
  }

  async inspect(): Promise<Snapshot> {
    const at = Date.now()
    const { client, namespace } = this
    const objects = await client.call<ObjectSnapshot[]>(client.open('inspector', 'all', null, false), 'look')
    return { at, namespace, objects }
  }

  async close(wait?: WaitOptions): Promise<void> {
    this.#closing ??= this.#close()
    return waitFor(this.#closing, wait, 'the processes of this context had not ended')
  }

  async #close(): Promise<void> {
    const running = [...this.#processes].filter((process) => process.running && !process.detached)
    if (this.#ground.ending !== true) for (const fleet of this.#fleets) fleet.abandon(closed())
    // What is gone already, or lost with the broker, rejects here: then there is nothing of it left to end.
    await Promise.allSettled([
      ...[...this.#fleets].map((fleet) => fleet.terminate()),
      ...running.map((process) => (process.daemon ? process.terminate() : process.join())),
    ])
    this.#leaving = true
    if (this.#ground.ending !== true) {
      // From now on nobody begins to wait, and who waits hears of the close, not that what they wait for is gone.
      this.#closed = true
      await this.#ground.client.abandon(this, closed())
    }
    await Promise.allSettled([...this.leases].map((lease) => lease.revoke(closed())))
    // Among the processes are those that were never started.
    const left = [...this.#processes].filter((process) => !(process.running && process.detached))
    await Promise.allSettled([...this.#anonymous.values(), ...left].map((handle) => handle.end()))
    this.#closed = true
    await this.#ground.leave()
  }

  #place(kind: HandleKind, name: string, shape: Place['shape']): Place {
    const program = kind === 'process' || name.startsWith('~') ? this.#ground.program : undefined
    return { home: this, kind, name, shape, attach: false, program }
  }

  /** Remembers what ends with this context. */
  #own<T extends RemoteObject<Presence>>(handle: T): T {
    const { name } = handle
    if (!name.startsWith('~')) return handle
    this.#anonymous.set(name, handle)
    handle.whenGone(() => this.#anonymous.delete(name))
    return handle
  }
}

function closed(): ClosedError {
  return new ClosedError('the context is closed; connect() again')
}
