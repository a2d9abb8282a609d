/** The way in: one method per noun. */
import type { Barrier, BarrierOptions } from './barrier.ts'
import type { Election } from './election.ts'
import type { Event } from './event.ts'
import type { HostInfo, Labels } from './host.ts'
import type { Latch } from './latch.ts'
import type { Condition, ConditionOptions } from './condition.ts'
import type { Lock, RLock } from './lock.ts'
import type { Connection, PipeOptions } from './pipe.ts'
import type { Pool, PoolOptions } from './pool.ts'
import type { Process, ProcessInfo, ProcessOptions } from './process.ts'
import type { JoinableQueue, Queue, QueueOptions, SimpleQueue } from './queue.ts'
import type { RWLock } from './rwlock.ts'
import type { DictKey, SharedArray, SharedDict, SharedList, Value } from './state.ts'
import type { Semaphore, SemaphoreOptions } from './semaphore.ts'
import type { Snapshot } from './snapshot.ts'
import type { Target } from './target.ts'
import type { Topic } from './topic.ts'
import type { WaitOptions } from './wait.ts'

/** What `wait()` waits for. */
export type Waitable = Process<unknown> | Connection<never, unknown>

/** `{ name }`, or the name itself. Without a name the object is reachable only through its handle and ends with its creator. */
export type NameOptions = string | { readonly name?: string | undefined }

/**
 * What a program runs for others, and how. Those who may write into the store, and know the secret if there is one (`SKEIN_SECRET`), can make
 * it run any function that it lets them, with arguments of their choice.
 */
export interface ServeOptions {
  /** How many processes of others may run here at once. Default: any number. */
  readonly slots?: number | undefined
  /** What this host is or has: `{ gpu: 'yes' }`. A start that asks for labels runs only where all of them are. */
  readonly labels?: Labels | undefined
  /**
   * The folder whose code it runs for others: exported functions of the files in it, without what is installed in `node_modules`. It is their
   * working directory, too. Default: the working directory of this program.
   */
  readonly root?: string | undefined
  /** Further files that it runs functions of, as globs of paths from `root`: `node_modules/our-tasks/**`. */
  readonly allow?: string | readonly string[] | undefined
  /** Names of variables that processes of others get of this program's environment, beside those that tell of no secrets (`PATH`, `HOME`, `LANG`, …). */
  readonly env?: string | readonly string[] | undefined
  /** Serve a store that other machines reach without a secret: then whoever can write there has this program's rights. Default `false`. */
  readonly unsigned?: boolean | undefined
}

/**
 * Contexts of one process, place and namespace share what these options are about: the first one sets them, and a later one that asks for
 * something else is refused with `ConflictError`. In a child they are those of its program.
 */
export interface ConnectOptions {
  /** Names of different namespaces never meet. Default `skein`. */
  readonly namespace?: string | undefined
  /**
   * Milliseconds of silence after which a program counts as dead: then others get what it held. Default 5,000. This and the options
   * below mean nothing on the local adapter, where the death of a process is known at once.
   */
  readonly sessionTtl?: number | undefined
  /** Milliseconds that a process may be too busy to answer and keep what it holds. Default 30,000. One that is stopped keeps it for `sessionTtl`. */
  readonly stallLimit?: number | undefined
  /** Milliseconds that calls which wait survive a lost connection; then they reject with `ConnectionError`. Default: as long as it takes. */
  readonly outage?: number | undefined
  /**
   * How many replicas of the server must have a lock, permit or term of office before `acquire()` resolves, so that it outlives a failover to one of
   * them. Where fewer confirm it within `sessionTtl / 5`, it is given back and `acquire()` rejects with `ConnectionError`; where they cannot be asked,
   * with what is in the way, such as `CapacityError`. Default 0: what the server has granted is granted. A failover may promote any replica, so only
   * as many as there are is sure. Each grant takes a round trip more. Permits that belong to nobody (`owned: false`) are not waited for, nor are
   * queues and values.
   */
  readonly replicas?: number | undefined
  /**
   * Who runs the processes and the workers that this program starts. Default: this program does. `true`, or options: it does, and it takes
   * those of programs that said `false`, too, and stays alive until it is closed. `false`: any program of the namespace does that serves; a
   * start waits until there is one.
   */
  readonly serve?: boolean | ServeOptions | undefined
  /**
   * What becomes of what this context starts where a host has another version of its module: `reject`, the default, with `TargetMismatchError`;
   * or `warn`, which runs it, as what it starts in turn, and writes a warning to standard error there. Contexts need not agree on this one.
   */
  readonly onDrift?: 'reject' | 'warn' | undefined
}

export interface Context extends AsyncDisposable {
  readonly kind: 'local' | 'redis'
  readonly namespace: string
  readonly state: 'connected' | 'suspended' | 'lost'
  /** Aborts with `ConnectionError` when the connection is lost for good. */
  readonly lost: AbortSignal

  /** A process that will run `target(...args)`. Nothing happens before `start()`. */
  process<A extends unknown[], R>(
    target: Target<A, R>,
    ...rest: [] extends A ? [args?: NoInfer<A>, options?: ProcessOptions] : [args: NoInfer<A>, options?: ProcessOptions]
  ): Process<R>
  /** @param size number of worker processes; default `cpuCount()` */
  pool<I extends unknown[]>(size?: number, options?: PoolOptions<I>): Pool
  queue<T>(options?: string | QueueOptions): Queue<T>
  joinableQueue<T>(options?: string | QueueOptions): JoinableQueue<T>
  simpleQueue<T>(options?: NameOptions): SimpleQueue<T>
  topic<T>(name: string): Topic<T>
  pipe<A = unknown, B = A>(options?: PipeOptions): [Connection<A, B>, Connection<B, A>]
  lock(options?: NameOptions): Lock
  rlock(options?: NameOptions): RLock
  condition(options?: string | ConditionOptions): Condition
  rwlock(options?: NameOptions): RWLock
  /** @param name of the post; an election without one would be nobody else's */
  election(name: string): Election
  /** @param permits from 1 on; from 0 on with `owned: false` */
  semaphore(permits: number, options?: string | SemaphoreOptions): Semaphore
  /** The semaphore of that name, but that one `release()` too many is a `RangeError`. */
  boundedSemaphore(permits: number, options?: NameOptions): Semaphore
  /** @param parties how many wait for each other: 1 or more */
  barrier(parties: number, options?: string | BarrierOptions): Barrier
  event(options?: NameOptions): Event
  /** @param initial counts only where the name is new */
  value<T>(initial: T, options?: NameOptions): Value<T>
  /** @param count how often it must be counted down: 0 or more */
  latch(count: number, options?: NameOptions): Latch
  dict<V, K extends DictKey = DictKey>(options?: NameOptions): SharedDict<V, K>
  list<T>(options?: NameOptions): SharedList<T>
  /** @param length of an array of zeros, which take no room until they are set */
  array<T extends number = number>(length: number, options?: NameOptions): SharedArray<T>
  /** @param items at most 100,000; they count only where the name is new */
  array<T>(items: readonly T[], options?: NameOptions): SharedArray<T>
  /**
   * Who holds, who waits, how deep: all locks, semaphores, queues and whatever else processes wait on. On one machine those of this program,
   * on Redis those of every program of the namespace, found by a scan of the keys: for people who look, not for a loop. What nobody has used
   * yet may be missing. Who is dead is left out.
   */
  inspect(): Promise<Snapshot>
  /**
   * The processes that run: on one machine those of this program, or of all that met under one name; on Redis those of every program of the
   * namespace. A program that does not answer is there with its main process alone, until it counts as dead.
   */
  processes(): Promise<ProcessInfo[]>
  /**
   * The programs that run processes for others: those of the namespace that said `serve`. On one machine, this program alone, which runs its
   * own, with as many slots as it likes.
   */
  hosts(): Promise<HostInfo[]>
  /**
   * Before a host is closed in good order: it takes no more work of others, and this resolves when none runs here. Processes run to their end;
   * a pool's workers to the end of the chunk that they are at, and the rest goes to other hosts. Where time runs out or the wait is
   * aborted, what still runs goes on, and nothing more is taken; `close()` ends it. Resolves at once where nothing is served.
   *
   * @throws StateError in a process that runs on a host for another program
   */
  drain(wait?: WaitOptions): Promise<void>
  /**
   * The process of that id, whoever started it; what it was made to return is not known here.
   *
   * @throws StateError if none runs that has a handle: main programs and pool workers have none
   */
  find(id: string): Promise<Process<unknown>>
  /**
   * Waits for processes that have ended and connections that can be received from, and gives all that are ready, in their order. Nothing is
   * taken from a connection; one whose other end is gone is ready. Of nothing: nothing, at once.
   *
   * @throws TimeoutError if none is ready in time; StateError for a process that was not started and for an end that only sends
   */
  wait<W extends Waitable>(things: readonly W[], wait?: WaitOptions): Promise<W[]>
  /**
   * Waits for this context's non-daemon processes, ends its daemons and pools, frees its anonymous objects. Whatever waits through it then
   * rejects with `ClosedError`, as do the results that its pools had not given. What it holds, leases and items of queues, goes back, and so does
   * what was granted meanwhile: to others, also in this process. Running out of time or an abort leaves what still runs running. Falling off the end of the main module does the same. Again: the
   * same promise.
   */
  close(wait?: WaitOptions): Promise<void>
}

/** The process that this code runs in. */
export interface CurrentProcess {
  readonly id: string
  readonly name: string
  readonly pid: number
  readonly host: string
  readonly daemon: boolean
  /** Who started it; `null` in the main program. */
  readonly parent: { readonly id: string; readonly name: string; readonly pid: number; readonly host: string } | null
  /** Aborts when this process was asked to end (`terminate()`); looking at it is what makes a graceful end possible. */
  readonly signal: AbortSignal
  /** The first of its contexts that is still open; `null` if there is none. */
  readonly context: Context | null
}
