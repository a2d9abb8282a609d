/** A fixed number of worker processes that run tasks. */
import type { Labels } from './host.ts'
import type { Target } from './target.ts'
import type { WaitOptions } from './wait.ts'

export interface PoolOptions<I extends unknown[] = unknown[]> {
  /** Runs once in each worker before its first task. If it throws, the pool's tasks reject with that error. */
  readonly initializer?: Target<I, unknown> | undefined
  readonly initArgs?: NoInfer<I> | undefined
  /**
   * After so many tasks a worker ends and another one takes its place; 1 or more. Tasks count, not chunks: what a worker has left of a chunk
   * goes to another. Default: a worker stays as long as the pool.
   */
  readonly maxTasksPerChild?: number | undefined
  /**
   * Bytes, more than 0. A worker that takes up more (resident, as `process.memoryUsage().rss` counts) when a task has ended runs no other,
   * and another one takes its place. A running task is not disturbed. A fresh worker takes up some 50 MB. Default: any amount.
   */
  readonly maxMemoryPerChild?: number | undefined
  /** Workers run only in programs that serve and have all of these labels, as with `ProcessOptions.labels`. */
  readonly labels?: Labels | undefined
  /**
   * Milliseconds, 1 or more. A worker that has had nothing to do for so long ends; one is started again when there is a task that no
   * other is free for. Default: workers wait for tasks as long as the pool is open.
   */
  readonly idleTimeout?: number | undefined
}

export interface TaskOptions {
  /**
   * Milliseconds that a task may run, more than 0; of a map, each task by itself. The clock starts when the task does, after its module
   * was loaded. Past it the task rejects with `TimeoutError` and is not run again; its worker is ended and replaced.
   */
  readonly timeout?: number | undefined
  /** An abort rejects the result with `signal.reason`: a task not yet started never runs; the worker of a running one is replaced. */
  readonly signal?: AbortSignal | undefined
  /**
   * How often a task is run again after its worker died. Default 0: no task runs twice. An error that it throws is its result, and no reason
   * to run it again. A task with which `retries + 1` workers have died is given up.
   */
  readonly retries?: number | undefined
  /** As of a queue's items: those without come first, then 1, 2, …. Those of equal priority start in the order of submission. */
  readonly priority?: number | undefined
}

/** What is called when a result is there, before `get()` is answered. */
export interface Callbacks<R> {
  /** Called with the result. What it throws is thrown by `get()`; a promise that it returns is waited for. */
  readonly callback?: ((result: R) => unknown) | undefined
  /** Called with the error. What it throws is thrown by `get()`; a promise that it returns is waited for. */
  readonly errorCallback?: ((error: unknown) => unknown) | undefined
}

export interface ApplyAsyncOptions<R> extends TaskOptions, Callbacks<R> {}

/** How far a call has come. */
export interface Progress {
  /** How many of its tasks have ended, with a result or an error. */
  readonly done: number
  readonly total: number
}

/** As `Progress`, of an input whose end may not have been seen. */
export interface StreamProgress {
  readonly done: number
  /** How many items the input had; `null` while it goes on. */
  readonly total: number | null
}

export interface MapOptions extends TaskOptions {
  /**
   * Called whenever tasks have ended, for several at once where they are short; `done` never falls, and is `total` before the result is there.
   * What it throws, or a promise it returns rejects with, rejects the call, whose tasks are given up.
   */
  readonly onProgress?: ((progress: Progress) => unknown) | undefined
  /** How many items go to a worker at once; 1 or more. Default: a quarter of each worker's share; of imap, 1. */
  readonly chunkSize?: number | undefined
}

export interface ImapOptions extends Omit<MapOptions, 'onProgress'> {
  /**
   * The most items that were pulled from the input and whose results were not handed out; 1 or more. A chunk is no larger. Default: 32
   * chunks for each worker.
   */
  readonly window?: number | undefined
  /** As of `map()`, called when results have come, whether or not they are handed out. */
  readonly onProgress?: ((progress: StreamProgress) => unknown) | undefined
}

/** @typeParam R of one task; the callback gets all results, in the order of the items */
export interface MapAsyncOptions<R> extends MapOptions, Callbacks<R[]> {}

/** A result that may not be there yet. Awaiting it is `get()`. One that nobody awaits never ends the program. */
export interface AsyncResult<R> extends PromiseLike<R> {
  /** The result, or the task's error. Running out of time leaves the task running; ask again. */
  get(wait?: WaitOptions): Promise<R>
  /** `true` when it is there, `false` when the time ran out. */
  wait(wait?: WaitOptions): Promise<boolean>
  ready(): boolean
  /** @throws StateError while it is not ready */
  successful(): boolean
  /**
   * Gives it up: `true` if it had not settled. It rejects with `AbortError`; tasks that have not started never run, the workers of those
   * that run are replaced.
   */
  cancel(): Promise<boolean>
}

/** One worker of a pool. */
export interface PoolWorker {
  /** `null` while it is being started. */
  readonly pid: number | null
  readonly host: string | null
  /** `leaving`: it begins nothing more, for it was idle for too long, has reached a limit, or the pool was closed. */
  readonly state: 'starting' | 'idle' | 'busy' | 'leaving'
  /** How many tasks it has run. */
  readonly tasks: number
}

export interface PoolStats {
  readonly size: number
  readonly workers: readonly PoolWorker[]
  /** Tasks that were submitted and have not begun. */
  readonly waiting: number
  /** Workers that have a task. */
  readonly running: number
  /** Tasks whose result or error has come from a worker. */
  readonly done: number
  /** Workers that were started, replacements included. */
  readonly started: number
  /** Those of them that died, or were ended with a task that was cancelled or ran out of time. */
  readonly lost: number
}

/** Work is pulled by free workers. A worker that dies rejects the task it ran and is replaced; the rest goes on. */
export interface Pool extends AsyncDisposable {
  readonly size: number
  apply<A extends unknown[], R>(
    target: Target<A, R>,
    ...rest: [] extends A ? [args?: NoInfer<A>, options?: TaskOptions] : [args: NoInfer<A>, options?: TaskOptions]
  ): Promise<R>
  applyAsync<A extends unknown[], R>(
    target: Target<A, R>,
    ...rest: [] extends A
      ? [args?: NoInfer<A>, options?: ApplyAsyncOptions<R>]
      : [args: NoInfer<A>, options?: ApplyAsyncOptions<R>]
  ): AsyncResult<R>
  /** Runs every item, keeps their order, then rejects with the first error by index if there was one. */
  map<T, R>(target: Target<[item: T], R>, items: Iterable<NoInfer<T>>, options?: MapOptions): Promise<R[]>
  /** As `map`, at once: what can be said of the call is thrown by it, what becomes of the tasks is the result's. */
  mapAsync<T, R>(
    target: Target<[item: T], R>,
    items: Iterable<NoInfer<T>>,
    options?: MapAsyncOptions<R>,
  ): AsyncResult<R[]>
  /** As `map`, each item being the array of a call's arguments: `starmap(add, [[1, 2], [3, 4]])`. */
  starmap<A extends unknown[], R>(target: Target<A, R>, items: Iterable<NoInfer<A>>, options?: MapOptions): Promise<R[]>
  starmapAsync<A extends unknown[], R>(
    target: Target<A, R>,
    items: Iterable<NoInfer<A>>,
    options?: MapAsyncOptions<R>,
  ): AsyncResult<R[]>
  /**
   * The results in the order of the items, while they are pulled: from the call on, never more than `window` of them ahead of the results
   * handed out. `next()` may be called any number of times at once. The first error ends the iteration: of a task, or of the input, after
   * the results of the items before it. Then, as when a loop is left early, tasks that have not started never run, those that run go on
   * to their end, and the input's iterator is closed.
   */
  imap<T, R>(
    target: Target<[item: T], R>,
    items: Iterable<NoInfer<T>> | AsyncIterable<NoInfer<T>>,
    options?: ImapOptions,
  ): AsyncIterableIterator<R>
  /** As `imap`, the results as they come. */
  imapUnordered<T, R>(
    target: Target<[item: T], R>,
    items: Iterable<NoInfer<T>> | AsyncIterable<NoInfer<T>>,
    options?: ImapOptions,
  ): AsyncIterableIterator<R>
  /** A look at its workers and tasks. After the end it tells how things stood then. */
  stats(): Promise<PoolStats>
  /** No more calls; what was given runs to its end, then the workers end. Again: no-op. */
  close(): void
  /** Ends the workers now. Outstanding results reject with `PoolTerminatedError`. */
  terminate(): Promise<void>
  /**
   * Resolves when all workers have ended. It waits for loops over `imap`; an iterator that is only asked by hand pulls nothing more, and
   * rejects with `PoolClosedError` when what was pulled is handed out.
   *
   * @throws StateError before `close()` or `terminate()`
   */
  join(wait?: WaitOptions): Promise<void>
}
