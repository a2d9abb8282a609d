/**
 * The client half of every pool: checks a call, encodes it, hands its chunks out and settles what the caller holds. It starts
 * no process and knows no transport; that is the fleet's.
 */
import type { ApplyAsyncOptions, AsyncResult, MapOptions, Pool, PoolOptions, TaskOptions } from '../contract/pool.ts'
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
  checkPoolOptions,
  checkPoolWait,
  checkSize,
} from './arguments.ts'
import { PendingResult } from './async-result.ts'
import { collectItems, defaultChunkSize, encodeChunks } from './chunking.ts'
import type { Chunk, Fleet, FleetEvents, FleetSpec } from '../contract/fleet.ts'
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
      const job = new TaskJob(known, retries, resolve as (value: unknown) => void, reject)
      this.#start(job, signal, 'apply', [payload], 1, 1)
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
    const result = new PendingResult(known, retries, options, (job) => this.#tasks.abandon(job, cancelled()))
    try {
      this.#checkReady(signal)
    } catch (error) {
      // Not the caller's mistake, so it is the result's; and a callback never runs before its caller has the result.
      queueMicrotask(() => result.abandon(error))
      return result
    }
    this.#start(result, signal, 'apply', [payload], 1, 1)
    return result
  }

  map<T, R>(target: Target<[item: T], R>, items: Iterable<NoInfer<T>>, options?: MapOptions): Promise<R[]> {
    return new Promise<R[]>((resolve, reject) => {
      const { signal, retries = 0, chunkSize } = checkMap(options)
      const known = this.#admit(target)
      this.#checkReady(signal)
      const all = collectItems(items)
      // The iterable was user code, which may have closed the pool or aborted.
      this.#checkOpen()
      this.#checkReady(signal)
      if (all.length === 0) {
        resolve([])
        return
      }
      const size = chunkSize ?? defaultChunkSize(all.length, this.size)
      const payloads = encodeChunks(all, size, this.#deps.encode)
      const job = new MapJob(known, retries, all.length, (results) => resolve(results as R[]), reject)
      this.#start(job, signal, 'map', payloads, size, all.length)
    })
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

  /** @param size tasks in each chunk but perhaps the last */
  #start(
    job: Job,
    signal: AbortSignal | undefined,
    shape: Chunk['shape'],
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
