/**
 * The client half of every pool: checks a call, encodes it, hands its chunks out and settles what the caller holds. It starts
 * no process and knows no transport; that is the fleet's.
 */
import type {
  ApplyAsyncOptions,
  AsyncResult,
  MapAsyncOptions,
  MapOptions,
  Pool,
  PoolOptions,
  TaskOptions,
} from '../contract/pool.ts'
import type { Target, TargetRef } from '../contract/target.ts'
import type { WaitOptions } from '../contract/wait.ts'
import { PoolClosedError, PoolTerminatedError, StateError } from '../errors.ts'
import { deferred } from '../util/deferred.ts'
import { waitFor } from '../util/wait.ts'
import { AbortWatch } from './abort-watch.ts'
import {
  checkApply,
  checkApplyAsync,
  checkArgs,
  checkMap,
  checkMapAsync,
  checkPoolOptions,
  checkPoolWait,
  checkSize,
} from './arguments.ts'
import { PendingResult } from './async-result.ts'
import { checkEachIsArgs, collectItems, defaultChunkSize, encodeChunks } from './chunking.ts'
import type { Fleet, FleetEvents, FleetSpec, Shape } from '../contract/fleet.ts'
import { type Job, type KnownTarget, TaskJob } from './job.ts'
import { MapJob } from './map-job.ts'
import { TaskTable } from './task-table.ts'

export interface PoolDeps {
  openFleet(spec: FleetSpec, events: FleetEvents): Fleet
  /** @param path the root's name in messages */
  readonly encode: (value: unknown, path: string) => Uint8Array
  readonly decode: (bytes: Uint8Array) => unknown
  refOf(target: unknown): TargetRef
}

/** @param size number of worker processes, 1 … 4,096 */
export function createPool<I extends unknown[]>(
  size: number,
  options: PoolOptions<I> | undefined,
  deps: PoolDeps,
): Pool {
  const { initializer, initArgs = [] } = checkPoolOptions(options)
  const spec: FleetSpec = {
    size: checkSize(size),
    initializer: initializer === undefined ? null : deps.refOf(initializer),
    initArgs: deps.encode(initArgs, 'initArgs'),
  }
  return new FleetPool(spec, deps)
}

class FleetPool implements Pool {
  readonly size: number
  readonly #deps: PoolDeps
  readonly #tasks: TaskTable
  readonly #targets = new WeakMap<object, KnownTarget>()
  readonly #giveUp = (job: Job): void => this.#tasks.abandon(job, cancelled())
  readonly #aborts = new AbortWatch((job, reason) => this.#tasks.abandon(job, reason))
  #nextTarget = 1
  #state: 'open' | 'closed' | 'terminated' = 'open'
  /** Why the fleet as a whole cannot work. */
  #failure: { readonly error: Error } | null = null
  /** Resolves when the fleet was told that no more chunks come. */
  readonly #fleetClosing = deferred()
  #fleetClosed = false
  #terminated: Promise<void> | null = null

  constructor(spec: FleetSpec, deps: PoolDeps) {
    this.size = spec.size
    this.#deps = deps
    this.#tasks = new TaskTable({
      openFleet: (events) => deps.openFleet(spec, events),
      encode: deps.encode,
      decode: deps.decode,
      onIdle: () => this.#closeIdleFleet(),
      onFailed: (error) => {
        this.#failure ??= { error }
      },
    })
  }

  apply<A extends unknown[], R>(
    target: Target<A, R>,
    ...rest: [] extends A ? [args?: NoInfer<A>, options?: TaskOptions] : [args: NoInfer<A>, options?: TaskOptions]
  ): Promise<R> {
    return new Promise<R>((resolve, reject) => {
      const args = checkArgs(rest[0])
      const { signal, retries = 0 } = checkApply(rest[1])
      const known = this.#admit(target)
      this.#checkReady(signal)
      const payload = this.#deps.encode(args, 'args')
      // What a target returns is what its type says: the codec keeps it.
      const receiver = { resolve: resolve as (value: unknown) => void, reject }
      this.#start(new TaskJob(known, retries, receiver), signal, 'apply', [payload], 1, 1)
    })
  }

  applyAsync<A extends unknown[], R>(
    target: Target<A, R>,
    ...rest: [] extends A
      ? [args?: NoInfer<A>, options?: ApplyAsyncOptions<R>]
      : [args: NoInfer<A>, options?: ApplyAsyncOptions<R>]
  ): AsyncResult<R> {
    const args = checkArgs(rest[0])
    const options = checkApplyAsync(rest[1])
    const { signal, retries = 0 } = options
    const known = this.#admit(target)
    const payload = this.#deps.encode(args, 'args')
    const result = new PendingResult<R>(options, this.#giveUp)
    const job = new TaskJob(known, retries, result)
    result.job = job
    if (this.#readyFor(job, signal)) this.#start(job, signal, 'apply', [payload], 1, 1)
    return result
  }

  map<T, R>(target: Target<[item: T], R>, items: Iterable<NoInfer<T>>, options?: MapOptions): Promise<R[]> {
    return this.#map('map', 'map()', target, items, options) as Promise<R[]>
  }

  mapAsync<T, R>(
    target: Target<[item: T], R>,
    items: Iterable<NoInfer<T>>,
    options?: MapAsyncOptions<R>,
  ): AsyncResult<R[]> {
    return this.#mapAsync('map', 'mapAsync()', target, items, options)
  }

  starmap<A extends unknown[], R>(
    target: Target<A, R>,
    items: Iterable<NoInfer<A>>,
    options?: MapOptions,
  ): Promise<R[]> {
    return this.#map('starmap', 'starmap()', target, items, options) as Promise<R[]>
  }

  starmapAsync<A extends unknown[], R>(
    target: Target<A, R>,
    items: Iterable<NoInfer<A>>,
    options?: MapAsyncOptions<R>,
  ): AsyncResult<R[]> {
    return this.#mapAsync('starmap', 'starmapAsync()', target, items, options)
  }

  close(): void {
    if (this.#state !== 'open') return
    this.#state = 'closed'
    if (this.#tasks.idle) this.#closeIdleFleet()
  }

  terminate(): Promise<void> {
    if (this.#terminated === null) {
      this.#state = 'terminated'
      this.#terminated = this.#tasks.fleet.terminate()
      this.#fleetClosing.resolve()
      this.#tasks.abandonAll(new PoolTerminatedError('the pool was terminated before this result was there'))
    }
    return this.#terminated
  }

  async join(wait?: WaitOptions): Promise<void> {
    const checked = checkPoolWait(wait, 'join()')
    if (this.#state === 'open') {
      throw new StateError(
        'join() was called on an open pool, whose workers never end; call close() or terminate() first',
      )
    }
    checked.signal?.throwIfAborted()
    await waitFor(this.#workersEnded(), checked, 'the workers of the pool had not ended')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close()
    await this.join()
  }

  /** @throws PoolClosedError; whatever is wrong with the target */
  #admit(target: unknown): KnownTarget {
    this.#checkOpen()
    const key = typeof target === 'function' ? target : null
    const known = key === null ? undefined : this.#targets.get(key)
    if (known !== undefined) return known
    const fresh: KnownTarget = { id: this.#nextTarget++, ref: this.#deps.refOf(target), told: false }
    if (key !== null) this.#targets.set(key, fresh)
    return fresh
  }

  #checkOpen(): void {
    if (this.#state === 'open') return
    throw new PoolClosedError(`the pool was ${this.#state} and takes no more tasks; make a new one`)
  }

  /** Throws why no task could run now, however right the call is. */
  #checkReady(signal: AbortSignal | undefined): void {
    if (this.#failure !== null) throw this.#failure.error
    signal?.throwIfAborted()
  }

  #isReady(signal: AbortSignal | undefined): boolean {
    return this.#failure === null && signal?.aborted !== true
  }

  /** As `#checkReady`, but the job is told: it is not the caller's mistake. */
  #readyFor(job: Job, signal: AbortSignal | undefined): boolean {
    if (this.#isReady(signal)) return true
    const error: unknown = this.#failure === null ? signal?.reason : this.#failure.error
    // A callback never runs before its caller has the result.
    queueMicrotask(() => job.abandon(error))
    return false
  }

  /** @param where the call, as in `map()` */
  #map(shape: Shape, where: string, target: unknown, items: unknown, given?: MapOptions): Promise<unknown[]> {
    return new Promise((resolve, reject) => {
      const options = checkMap(given, where)
      const known = this.#admit(target)
      this.#checkReady(options.signal)
      const all = this.#collect(shape, where, items)
      this.#checkReady(options.signal)
      if (all.length === 0) resolve([])
      else {
        const job = new MapJob(known, options.retries ?? 0, all.length, { resolve, reject })
        this.#startMap(job, shape, all, options)
      }
    })
  }

  #mapAsync<R>(
    shape: Shape,
    where: string,
    target: unknown,
    items: unknown,
    given?: MapAsyncOptions<R>,
  ): AsyncResult<R[]> {
    const options = checkMapAsync(given, where)
    const known = this.#admit(target)
    const { signal, retries = 0 } = options
    const all = this.#isReady(signal) ? this.#collect(shape, where, items) : []
    const result = new PendingResult<R[]>(options, this.#giveUp)
    const job = new MapJob(known, retries, all.length, result)
    result.job = job
    if (!this.#readyFor(job, signal)) return result
    if (all.length === 0) queueMicrotask(() => result.resolve([]))
    else this.#startMap(job, shape, all, options)
    return result
  }

  #collect(shape: Shape, where: string, items: unknown): readonly unknown[] {
    const all = collectItems(items, where)
    // The iterable was user code, which may have closed the pool.
    this.#checkOpen()
    if (shape === 'starmap') checkEachIsArgs(all)
    return all
  }

  #startMap(job: MapJob, shape: Shape, items: readonly unknown[], { chunkSize, signal }: MapOptions): void {
    const size = chunkSize ?? defaultChunkSize(items.length, this.size)
    this.#start(job, signal, shape, encodeChunks(items, size, this.#deps.encode), size, items.length)
  }

  /** @param size tasks in each chunk but perhaps the last */
  #start(
    job: Job,
    signal: AbortSignal | undefined,
    shape: Shape,
    payloads: Iterable<Uint8Array>,
    size: number,
    total: number,
  ): void {
    if (signal !== undefined) this.#aborts.add(signal, job)
    try {
      let offset = 0
      for (const payload of payloads) {
        this.#tasks.submit(job, shape, offset, Math.min(size, total - offset), payload)
        offset += size
      }
    } catch (error) {
      this.#tasks.withdraw(job)
      job.onSettled?.()
      throw error
    }
  }

  /** A lost task that is to run again needs an open fleet, so it hears of the close only when nothing is outstanding. */
  #closeIdleFleet(): void {
    if (this.#state !== 'closed' || this.#fleetClosed) return
    this.#fleetClosed = true
    this.#tasks.fleet.close()
    this.#fleetClosing.resolve()
  }

  async #workersEnded(): Promise<void> {
    await this.#fleetClosing.promise
    await this.#tasks.fleet.join()
  }
}

function cancelled(): DOMException {
  return new DOMException('the task was cancelled by cancel()', 'AbortError')
}
