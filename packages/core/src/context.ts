/** A context: one method per noun. Arguments are checked here, once for every adapter. */
import { availableParallelism } from 'node:os'
import { decode, encode } from './codec/index.ts'
import type { Adapter, QueueSpec } from './contract/adapter.ts'
import type { Condition, ConditionOptions } from './contract/condition.ts'
import type { Context, NameOptions, Waitable } from './contract/context.ts'
import type { Barrier, BarrierOptions } from './contract/barrier.ts'
import type { Election } from './contract/election.ts'
import type { Event } from './contract/event.ts'
import type { HostInfo } from './contract/host.ts'
import type { Latch } from './contract/latch.ts'
import { type HandleRef, handleRef } from './contract/handle.ts'
import type { Lock, RLock } from './contract/lock.ts'
import type { Connection, PipeOptions } from './contract/pipe.ts'
import type { Pool, PoolOptions } from './contract/pool.ts'
import type { Process, ProcessInfo, ProcessOptions } from './contract/process.ts'
import type { JoinableQueue, Queue, QueueOptions, SimpleQueue } from './contract/queue.ts'
import type { RWLock } from './contract/rwlock.ts'
import type { DictKey, SharedArray, SharedDict, SharedList, Value } from './contract/state.ts'
import type { Semaphore, SemaphoreOptions } from './contract/semaphore.ts'
import type { Snapshot } from './contract/snapshot.ts'
import type { Target, TargetRef } from './contract/target.ts'
import type { Topic } from './contract/topic.ts'
import type { WaitOptions } from './contract/wait.ts'
import { noteClosed } from './current-process.ts'
import { ArgumentError, ClosedError, StateError } from './errors.ts'
import { createPool } from './pool/pool.ts'
import { checkBackoff } from './queue/put-options.ts'
import { checkProcessOptions } from './process-options.ts'
import { inheritedDrift, type OnDrift, refOf, withDrift } from './target/index.ts'
import { checkName } from './util/names.ts'
import { describe } from './util/describe.ts'
import { checkInteger, checkOptions } from './util/options.ts'
import { checkWait } from './util/wait.ts'
import { waitAny } from './wait-any.ts'

/** The number of processors this process may use; the default size of a pool. */
export function cpuCount(): number {
  return availableParallelism()
}

/** The reference of what a condition may belong to. */
function lockRef(lock: unknown, where: string): HandleRef {
  if (typeof lock === 'object' && lock !== null && handleRef in lock) {
    const ref = lock[handleRef] as HandleRef
    if (ref.kind === 'lock' || ref.kind === 'rlock') return ref
    throw new ArgumentError(`${where}: lock must be a Lock or an RLock, got a handle of kind ${ref.kind}`)
  }
  throw new ArgumentError(`${where}: lock must be a Lock or an RLock, got ${describe(lock)}`)
}

/** How often an item is delivered before it is set aside. */
const MOST_DELIVERIES = 5

export class AdapterContext implements Context {
  readonly #adapter: Adapter
  /** What processes inherit. */
  readonly #daemon: boolean
  readonly #onDrift: OnDrift | null
  #processes = 0
  #closing: Promise<void> | null = null

  /** @param onDrift `null`: as the program does that has started this process */
  constructor(adapter: Adapter, daemon: boolean, onDrift: OnDrift | null = null) {
    this.#adapter = adapter
    this.#daemon = daemon
    this.#onDrift = onDrift
  }

  get kind(): 'local' | 'redis' {
    return this.#adapter.kind
  }

  /** Whether `close()` was called. */
  get closing(): boolean {
    return this.#closing !== null
  }

  get namespace(): string {
    return this.#adapter.namespace
  }

  get state(): 'connected' | 'suspended' | 'lost' {
    return this.#adapter.state
  }

  get lost(): AbortSignal {
    return this.#adapter.lost
  }

  process<A extends unknown[], R>(
    target: Target<A, R>,
    ...rest: [] extends A ? [args?: NoInfer<A>, options?: ProcessOptions] : [args: NoInfer<A>, options?: ProcessOptions]
  ): Process<R> {
    const [args = [], options] = rest
    const { name, ...chosen } = checkProcessOptions(options, this.#daemon)
    if (!Array.isArray(args)) {
      throw new ArgumentError(
        `process(): args must be an array of the target's arguments, got ${typeof args}; write [value]`,
      )
    }
    const { bound = [], ...ref } = this.#refOf(target)
    this.#processes += 1
    return this.#open.process<R>({
      ...chosen,
      name: name ?? `Process-${this.#processes}`,
      target: ref,
      args: encode([...bound, ...args], 'args', this.#open.admit),
    })
  }

  pool<I extends unknown[]>(size: number = cpuCount(), options?: PoolOptions<I>): Pool {
    const adapter = this.#open
    return createPool(size, options, {
      openFleet: (spec, events) => adapter.fleet(spec, events),
      encode: (value, path) => encode(value, path, adapter.admit),
      decode: (bytes) => decode(bytes, (ref) => adapter.attach(ref)),
      refOf: (target) => this.#refOf(target),
    })
  }

  queue<T>(options?: string | QueueOptions): Queue<T> {
    return this.#open.queue<T>(this.#queue(options, 'queue()'))
  }

  joinableQueue<T>(options?: string | QueueOptions): JoinableQueue<T> {
    return this.#open.joinableQueue<T>(this.#queue(options, 'joinableQueue()'))
  }

  simpleQueue<T>(options?: NameOptions): SimpleQueue<T> {
    const where = 'simpleQueue()'
    const known = typeof options === 'string' ? { name: options } : options
    return this.#open.queue<T>(this.#queue({ ...checkOptions(known, ['name'], where) }, where))
  }

  topic<T>(name: string): Topic<T> {
    return this.#open.topic<T>({ name: checkName(name, 'topic()') })
  }

  pipe<A = unknown, B = A>(options?: PipeOptions): [Connection<A, B>, Connection<B, A>] {
    const { duplex = true } = checkOptions(options, ['duplex'], 'pipe()')
    if (typeof duplex !== 'boolean')
      throw new ArgumentError(`pipe(): duplex must be true or false, got ${String(duplex)}`)
    return this.#open.pipe<A, B>({ name: this.#open.anonymousName(), duplex })
  }

  lock(options?: NameOptions): Lock {
    return this.#open.lock({ name: this.#named(options, 'lock()') })
  }

  rlock(options?: NameOptions): RLock {
    return this.#open.rlock({ name: this.#named(options, 'rlock()') })
  }

  condition(options?: string | ConditionOptions): Condition {
    const where = 'condition()'
    const known = typeof options === 'string' ? { name: options } : options
    const { name, lock } = checkOptions(known, ['name', 'lock'], where)
    const of = lock === undefined ? null : lockRef(lock, where)
    return this.#open.condition({ name: this.#name(name, where), lock: of })
  }

  election(name: string): Election {
    return this.#open.election({ name: checkName(name, 'election()') })
  }

  rwlock(options?: NameOptions): RWLock {
    return this.#open.rwlock({ name: this.#named(options, 'rwlock()') })
  }

  semaphore(permits: number, options?: string | SemaphoreOptions): Semaphore {
    const where = 'semaphore()'
    const known = typeof options === 'string' ? { name: options } : options
    const { name, owned = true } = checkOptions(known, ['name', 'owned'], where)
    if (typeof owned !== 'boolean')
      throw new ArgumentError(`${where}: owned must be true or false, got ${String(owned)}`)
    checkInteger(permits, { min: owned ? 1 : 0, what: `${where}: permits` })
    return this.#open.semaphore({ name: this.#name(name, where), permits, bounded: false, owned })
  }

  boundedSemaphore(permits: number, options?: NameOptions): Semaphore {
    const where = 'boundedSemaphore()'
    checkInteger(permits, { min: 1, what: `${where}: permits` })
    return this.#open.semaphore({ name: this.#named(options, where), permits, bounded: true, owned: true })
  }

  barrier(parties: number, options?: string | BarrierOptions): Barrier {
    const where = 'barrier()'
    const known = typeof options === 'string' ? { name: options } : options
    const { name, action } = checkOptions(known, ['name', 'action'], where)
    checkInteger(parties, { min: 1, what: `${where}: parties` })
    return this.#open.barrier({
      name: this.#name(name, where),
      parties,
      action: action === undefined ? null : { ref: this.#refOf(action), run: action },
    })
  }

  event(options?: NameOptions): Event {
    return this.#open.event({ name: this.#named(options, 'event()') })
  }

  value<T>(initial: T, options?: NameOptions): Value<T> {
    return this.#open.value({ name: this.#named(options, 'value()'), initial })
  }

  latch(count: number, options?: NameOptions): Latch {
    const where = 'latch()'
    checkInteger(count, { min: 0, what: `${where}: count` })
    return this.#open.latch({ name: this.#named(options, where), count })
  }

  dict<V, K extends DictKey = DictKey>(options?: NameOptions): SharedDict<V, K> {
    return this.#open.dict({ name: this.#named(options, 'dict()') })
  }

  list<T>(options?: NameOptions): SharedList<T> {
    return this.#open.list({ name: this.#named(options, 'list()') })
  }

  array<T extends number = number>(length: number, options?: NameOptions): SharedArray<T>
  array<T>(items: readonly T[], options?: NameOptions): SharedArray<T>
  array<T>(init: number | readonly T[], options?: NameOptions): SharedArray<T> {
    const where = 'array()'
    if (typeof init === 'number') checkInteger(init, { min: 0, what: `${where}: length` })
    else if (!Array.isArray(init)) {
      throw new ArgumentError(`${where} takes a length or an array of the items, got ${describe(init)}`)
    }
    return this.#open.array({ name: this.#named(options, where), init })
  }

  async processes(): Promise<ProcessInfo[]> {
    return this.#open.processes()
  }

  async hosts(): Promise<HostInfo[]> {
    return this.#open.hosts()
  }

  async drain(wait?: WaitOptions): Promise<void> {
    return this.#open.drain(wait)
  }

  async find(id: string): Promise<Process<unknown>> {
    const adapter = this.#open
    if (typeof id !== 'string') throw new ArgumentError(`find(): id must be a string, got ${describe(id)}`)
    const found = (await adapter.processes()).find((one) => one.id === id)
    if (found === undefined) {
      throw new StateError(`find(): no process with the id ${describe(id)} runs; processes() lists those that do`)
    }
    if (found.role !== 'process') {
      const what = found.role === 'main' ? 'the main process of a program' : 'a worker of a pool'
      throw new StateError(`find(): ${found.name} (pid ${found.pid}) is ${what}, of which there are no handles`)
    }
    const { name: label, daemon, detached, program } = found
    const { scope, namespace } = adapter
    return adapter.attach({
      kind: 'process',
      name: id,
      namespace,
      scope,
      program,
      shape: { label, daemon, detached },
    }) as Process<unknown>
  }

  async wait<W extends Waitable>(things: readonly W[], wait?: WaitOptions): Promise<W[]> {
    const { admit } = this.#open
    return waitAny(things, wait, ({ ref }) => admit(ref))
  }

  async inspect(): Promise<Snapshot> {
    return this.#open.inspect()
  }

  async close(wait?: WaitOptions): Promise<void> {
    checkWait(wait)
    noteClosed(this)
    this.#closing ??= this.#adapter.close()
    return wait === undefined ? this.#closing : this.#adapter.close(wait)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  get #open(): Adapter {
    if (this.#closing !== null) throw new ClosedError('the context is closed; connect() again')
    return this.#adapter
  }

  #refOf(target: unknown): TargetRef {
    return withDrift(refOf(target), this.#onDrift ?? inheritedDrift())
  }

  #queue(options: string | QueueOptions | undefined, where: string): QueueSpec {
    const known = typeof options === 'string' ? { name: options } : options
    const {
      name,
      maxSize = 0,
      maxDeliveries = MOST_DELIVERIES,
      backoff,
    } = checkOptions(known, ['name', 'maxSize', 'maxDeliveries', 'backoff'], where)
    if (!Number.isSafeInteger(maxSize)) {
      throw new ArgumentError(
        `${where}: maxSize must be an integer, got ${describe(maxSize)}; leave it out for a queue without bound`,
      )
    }
    checkInteger(maxDeliveries, { min: 1, what: `${where}: maxDeliveries` })
    return {
      name: this.#name(name, where),
      maxSize: maxSize <= 0 ? Number.POSITIVE_INFINITY : maxSize,
      maxDeliveries,
      backoff: checkBackoff(backoff, where),
    }
  }

  #named(options: NameOptions | undefined, where: string): string {
    const known = typeof options === 'string' ? { name: options } : options
    return this.#name(checkOptions(known, ['name'], where).name, where)
  }

  #name(name: string | undefined, where: string): string {
    return name === undefined ? this.#open.anonymousName() : checkName(name, where)
  }
}
