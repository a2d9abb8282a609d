/**
 * What an adapter provides: the nouns, made from checked arguments, and the way to close. Names are already given (`~…` for
 * anonymous objects) and options validated by `Context`, so that every adapter refuses the same things with the same words.
 * Whatever may fail for reasons outside the process (the object exists with another shape) shows in the first call of the
 * handle, since making one is synchronous.
 */
import type { Barrier } from './barrier.ts'
import type { Election } from './election.ts'
import type { Event } from './event.ts'
import type { Fleet, FleetEvents, FleetSpec } from './fleet.ts'
import type { Condition } from './condition.ts'
import type { Handle, HandleRef } from './handle.ts'
import type { HostInfo, Labels } from './host.ts'
import type { Latch } from './latch.ts'
import type { Lock, RLock } from './lock.ts'
import type { Connection } from './pipe.ts'
import type { Process, ProcessInfo, Stdio } from './process.ts'
import type { JoinableQueue, Queue } from './queue.ts'
import type { RWLock } from './rwlock.ts'
import type { Semaphore } from './semaphore.ts'
import type { DictKey, SharedArray, SharedDict, SharedList, Value } from './state.ts'
import type { Snapshot } from './snapshot.ts'
import type { TargetRef } from './target.ts'
import type { Topic } from './topic.ts'
import type { WaitOptions } from './wait.ts'

export interface Named {
  readonly name: string
}

export interface SemaphoreSpec extends Named {
  readonly permits: number
  /** A release too many is a RangeError. */
  readonly bounded: boolean
  /** `false`: permits belong to nobody. */
  readonly owned: boolean
}

export interface BarrierAction {
  readonly ref: TargetRef
  /** The function itself, for the process that makes the barrier. */
  readonly run: () => unknown
}

export interface BarrierSpec extends Named {
  readonly parties: number
  readonly action: BarrierAction | null
}

export interface LatchSpec extends Named {
  readonly count: number
}

export interface ConditionSpec extends Named {
  /** Of a Lock or an RLock; `null`: it has its own. */
  readonly lock: HandleRef | null
}

export interface QueueSpec extends Named {
  /** `Infinity`: unbounded. */
  readonly maxSize: number
  readonly maxDeliveries: number
  /** Milliseconds: `base` after the first delivery, doubled with each further one up to `max`. Absent: none. */
  readonly backoff?: { readonly base: number; readonly max: number } | undefined
}

export interface ValueSpec<T> extends Named {
  readonly initial: T
}

export interface ArraySpec<T> extends Named {
  /** Full of zeros, or what it begins with. */
  readonly init: number | readonly T[]
}

export interface PipeSpec extends Named {
  readonly duplex: boolean
}

/** What the creator of a process asks for, beside what the child takes over from it. Plain data: it travels to whoever starts the child. */
export interface ChildOptions {
  /** Set over the environment; `null` removes a variable. */
  readonly env: Readonly<Record<string, string | null>>
  /** `null`: the one that it takes over; a relative one starts from there. */
  readonly cwd: string | null
  readonly stdio: Stdio
  /** It goes on when its parent ends. */
  readonly detached: boolean
  /** `null`: it runs where everything runs that its program starts. */
  readonly needs: Needs | null
}

/** What a start asks of the program that runs it. */
export interface Needs {
  /** The name of a machine; `null`: any. */
  readonly host: string | null
  /** In the order of their names. */
  readonly labels: Labels
}

export interface RestartSpec {
  readonly on: 'failure' | 'always'
  /** Restarts within `within` milliseconds; `Infinity`: without end. */
  readonly max: number
  readonly within: number
  /** Milliseconds before the first of these restarts. */
  readonly backoff: number
}

export interface ProcessSpec {
  /** For people. */
  readonly name: string
  readonly daemon: boolean
  readonly target: TargetRef
  /** Encoded argument array. */
  readonly args: Uint8Array
  readonly options: ChildOptions
  /** `null`: it is started once. */
  readonly restart: RestartSpec | null
  /** Its abort ends the process. */
  readonly signal: AbortSignal | null
}

export interface Adapter {
  readonly kind: 'local' | 'redis'
  readonly namespace: string
  /** Which store it is, as references name it. */
  readonly scope: string
  readonly state: 'connected' | 'suspended' | 'lost'
  /** Aborts with `ConnectionError` when the connection is lost for good. */
  readonly lost: AbortSignal

  /** A name for an anonymous object, `~…`, that nobody else uses. */
  anonymousName(): string
  process<R>(spec: ProcessSpec): Process<R>
  fleet(spec: FleetSpec, events: FleetEvents): Fleet
  queue<T>(spec: QueueSpec): Queue<T>
  joinableQueue<T>(spec: QueueSpec): JoinableQueue<T>
  pipe<A, B>(spec: PipeSpec): [Connection<A, B>, Connection<B, A>]
  lock(spec: Named): Lock
  rlock(spec: Named): RLock
  condition(spec: ConditionSpec): Condition
  rwlock(spec: Named): RWLock
  election(spec: Named): Election
  semaphore(spec: SemaphoreSpec): Semaphore
  /** @throws EncodeError if what is bound to its action cannot cross processes */
  barrier(spec: BarrierSpec): Barrier
  event(spec: Named): Event
  /** @throws EncodeError if the initial value cannot be stored */
  value<T>(spec: ValueSpec<T>): Value<T>
  latch(spec: LatchSpec): Latch
  topic<T>(spec: Named): Topic<T>
  dict<V, K extends DictKey>(spec: Named): SharedDict<V, K>
  list<T>(spec: Named): SharedList<T>
  /** @throws EncodeError if an item cannot be stored; CapacityError if they are too many */
  array<T>(spec: ArraySpec<T>): SharedArray<T>
  /** @throws ScopeError if a handle of this reference belongs to another context, so that those it is sent to could not use it */
  readonly admit: (ref: HandleRef) => void
  /** The handle that a reference stands for. @throws ScopeError if it belongs to another context. */
  attach(ref: HandleRef): Handle
  inspect(): Promise<Snapshot>
  processes(): Promise<ProcessInfo[]>
  hosts(): Promise<HostInfo[]>
  drain(wait?: WaitOptions): Promise<void>
  /** Waits for non-daemon processes, ends daemons, frees anonymous objects. */
  close(wait?: WaitOptions): Promise<void>
}
