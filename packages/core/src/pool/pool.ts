/**
 * The client half of every pool: checks a call, encodes it, hands its chunks out and settles what the caller holds. It starts
 * no process and knows no transport; that is the fleet's.
 */
import type {
  ApplyAsyncOptions,
  AsyncResult,
  ImapOptions,
  MapAsyncOptions,
  MapOptions,
  Pool,
  PoolOptions,
  PoolStats,
  TaskOptions,
} from '../contract/pool.ts'
import type { Target, TargetRef } from '../contract/target.ts'
import type { WaitOptions } from '../contract/wait.ts'
import { AbortWatch } from './abort-watch.ts'
import {
  checkApply,
  checkApplyAsync,
  checkArgs,
  checkImap,
  checkMap,
  checkMapAsync,
  checkPoolOptions,
  checkPoolWait,
  checkSize,
  withDefaults,
} from './arguments.ts'
import { PendingResult } from './async-result.ts'
import { checkEachIsArgs, collectItems, defaultChunkSize, defaultWindow, encodeChunks } from './chunking.ts'
import { inputOf } from './feed.ts'
import type { Fleet, FleetEvents, FleetSpec, Shape } from '../contract/fleet.ts'
import { type Job, type KnownTarget, type Order, TaskJob } from './job.ts'
import { PoolLife } from './life.ts'
import { MapJob } from './map-job.ts'
import { type ProgressReport, progressReport } from './progress.ts'
import { ResultStream } from './result-stream.ts'
import type { TaskTable } from './task-table.ts'

/** Milliseconds, 24 days. */
const LONGEST_TIMER = 2 ** 31 - 1

import { checkLabels } from '../util/labels.ts'

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
  const checked = checkPoolOptions(options)
  const {
    initializer,
    initArgs = [],
    maxTasksPerChild: tasks,
    maxMemoryPerChild: memory,
    idleTimeout = Infinity,
    labels,
  } = checked
  const spec: FleetSpec = {
    size: checkSize(size),
    initializer: initializer === undefined ? null : deps.refOf(initializer),
    initArgs: deps.encode(initArgs, 'initArgs'),
    limits:
      tasks === undefined && memory === undefined ? null : { tasks: tasks ?? Infinity, memory: memory ?? Infinity },
    idleTimeout: idleTimeout > LONGEST_TIMER ? null : idleTimeout,
    needs: labels === undefined ? null : { host: null, labels: checkLabels(labels, 'pool(): labels') },
  }
  return new FleetPool(spec, deps)
}

class FleetPool implements Pool {
  readonly size: number
  readonly #deps: PoolDeps
  readonly #life: PoolLife
  readonly #tasks: TaskTable
  readonly #targets = new WeakMap<object, KnownTarget>()
  readonly #aborts = new AbortWatch((job, reason) => this.#tasks.abandon(job, reason))
  readonly #giveUp = (job: Job): void => this.#tasks.abandon(job, cancelled())
  #nextTarget = 1

  constructor(spec: FleetSpec, deps: PoolDeps) {
    this.size = spec.size
    this.#deps = deps
    this.#life = new PoolLife({
      openFleet: (events) => deps.openFleet(spec, events),
      encode: deps.encode,
      decode: deps.decode,
    })
    this.#tasks = this.#life.tasks
  }

  apply<A extends unknown[], R>(
    target: Target<A, R>,
    ...rest: [] extends A ? [args?: NoInfer<A>, options?: TaskOptions] : [args: NoInfer<A>, options?: TaskOptions]
  ): Promise<R> {
    return new Promise<R>((resolve, reject) => {
      const args = checkArgs(rest[0])
      const options = checkApply(withDefaults(target, rest[1]))
      const { signal } = options
      const order = this.#order(target, options)
      this.#life.checkReady(signal)
      const payload = this.#deps.encode(args, 'args')
      // What a target returns is what its type says: the codec keeps it.
      const receiver = { resolve: resolve as (value: unknown) => void, reject }
      this.#start(new TaskJob(order, receiver), signal, 'apply', [payload], 1, 1)
    })
  }

  applyAsync<A extends unknown[], R>(
    target: Target<A, R>,
    ...rest: [] extends A
      ? [args?: NoInfer<A>, options?: ApplyAsyncOptions<R>]
      : [args: NoInfer<A>, options?: ApplyAsyncOptions<R>]
  ): AsyncResult<R> {
    const args = checkArgs(rest[0])
    const options = checkApplyAsync(withDefaults(target, rest[1]))
    const { signal } = options
    const order = this.#order(target, options)
    const payload = this.#deps.encode(args, 'args')
    const result = new PendingResult<R>(options, this.#giveUp)
    const job = new TaskJob(order, result)
    result.job = job
    if (this.#isReady(job, signal)) this.#start(job, signal, 'apply', [payload], 1, 1)
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

  imap<T, R>(
    target: Target<[item: T], R>,
    items: Iterable<NoInfer<T>> | AsyncIterable<NoInfer<T>>,
    options?: ImapOptions,
  ): AsyncIterableIterator<R> {
    return this.#imap(
      true,
      'imap()',
      target,
      items,
      options,
    ) as AsyncIterableIterator<unknown> as AsyncIterableIterator<R>
  }

  imapUnordered<T, R>(
    target: Target<[item: T], R>,
    items: Iterable<NoInfer<T>> | AsyncIterable<NoInfer<T>>,
    options?: ImapOptions,
  ): AsyncIterableIterator<R> {
    return this.#imap(
      false,
      'imapUnordered()',
      target,
      items,
      options,
    ) as AsyncIterableIterator<unknown> as AsyncIterableIterator<R>
  }

  async stats(): Promise<PoolStats> {
    return { size: this.size, ...(await this.#tasks.fleet.stats()) }
  }

  close(): void {
    this.#life.close()
  }

  terminate(): Promise<void> {
    return this.#life.terminate()
  }

  async join(wait?: WaitOptions): Promise<void> {
    await this.#life.join(checkPoolWait(wait, 'join()'))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close()
    await this.join()
  }

  #order(target: unknown, { retries = 0, timeout = Infinity, priority = 0 }: TaskOptions): Order {
    const known = this.#admit(target)
    // Beyond what timers count is any time.
    const limit = timeout > LONGEST_TIMER ? 0 : Math.ceil(timeout)
    return { target: known, retries, terms: limit === 0 && priority === 0 ? null : { timeout: limit, priority } }
  }

  /** @throws PoolClosedError; whatever is wrong with the target */
  #admit(target: unknown): KnownTarget {
    this.#life.checkOpen()
    const key = typeof target === 'function' ? target : null
    const known = key === null ? undefined : this.#targets.get(key)
    if (known !== undefined) return known
    const fresh: KnownTarget = { id: this.#nextTarget++, ref: this.#deps.refOf(target), told: false }
    if (key !== null) this.#targets.set(key, fresh)
    return fresh
  }

  #progress(options: Parameters<typeof progressReport>[0]): ProgressReport | null {
    return progressReport(options, (job, error) => this.#tasks.abandon(job, error))
  }

  /** Whether tasks of the job could run now. If not, it is told so: that is not the caller's mistake. */
  #isReady(job: Job, signal: AbortSignal | undefined): boolean {
    const obstacle = this.#life.obstacle(signal)
    // A callback never runs before its caller has the result.
    if (obstacle !== null) queueMicrotask(() => job.abandon(obstacle.error))
    return obstacle === null
  }

  /** @param where the call, as in `map()` */
  #map(shape: Shape, where: string, target: unknown, items: unknown, given?: MapOptions): Promise<unknown[]> {
    return new Promise((resolve, reject) => {
      const options = checkMap(withDefaults(target, given), where)
      const order = this.#order(target, options)
      this.#life.checkReady(options.signal)
      const all = this.#collect(shape, where, items)
      this.#life.checkReady(options.signal)
      if (all.length === 0) resolve([])
      else {
        const job = new MapJob(order, all.length, { resolve, reject }, this.#progress(options))
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
    const options = checkMapAsync(withDefaults(target, given), where)
    const order = this.#order(target, options)
    const { signal } = options
    const all = this.#life.obstacle(signal) === null ? this.#collect(shape, where, items) : []
    const result = new PendingResult<R[]>(options, this.#giveUp)
    const job = new MapJob(order, all.length, result, this.#progress(options))
    result.job = job
    if (!this.#isReady(job, signal)) return result
    if (all.length === 0) queueMicrotask(() => result.resolve([]))
    else this.#startMap(job, shape, all, options)
    return result
  }

  #collect(shape: Shape, where: string, items: unknown): readonly unknown[] {
    const all = collectItems(items, where)
    // The iterable was user code, which may have closed the pool.
    this.#life.checkOpen()
    if (shape === 'starmap') checkEachIsArgs(all)
    return all
  }

  #imap(ordered: boolean, where: string, target: unknown, items: unknown, given?: ImapOptions): ResultStream {
    const options = checkImap(withDefaults(target, given), where)
    const { signal, chunkSize = 1, window = defaultWindow(chunkSize, this.size) } = options
    const order = this.#order(target, options)
    const stream = new ResultStream(
      order,
      inputOf(items, where),
      { ordered, window, chunkSize, progress: this.#progress(options) },
      {
        encode: this.#deps.encode,
        submit: (of, offset, count, payload) => this.#tasks.submit(of, 'map', offset, count, payload),
        leave: (of) => this.#tasks.leave(of),
        fed: (of) => this.#life.fed(of),
      },
    )
    if (!this.#isReady(stream, signal)) return stream
    if (signal !== undefined) this.#aborts.add(signal, stream)
    this.#life.add(stream)
    stream.start()
    return stream
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
}

function cancelled(): DOMException {
  return new DOMException('the task was cancelled by cancel()', 'AbortError')
}
