/** Checks of what users pass to a pool. Each refusal is an `ArgumentError` of one sentence. */
import type {
  ApplyAsyncOptions,
  Callbacks,
  ImapOptions,
  MapAsyncOptions,
  MapOptions,
  PoolOptions,
  TaskOptions,
} from '../contract/pool.ts'
import type { WaitOptions } from '../contract/wait.ts'
import { ArgumentError } from '../errors.ts'
import { describe } from '../util/describe.ts'
import { checkFunction, checkInteger, checkOptions } from '../util/options.ts'
import { checkWait } from '../util/wait.ts'
import { defaultsOf } from '../target/index.ts'

/** More processes than any one program has use for: a size above is a slip, such as a number of items. */
const LARGEST_POOL = 4096

const POOL = ['initializer', 'initArgs', 'maxTasksPerChild', 'maxMemoryPerChild', 'idleTimeout', 'labels']

export function checkSize(size: number): number {
  return checkInteger(size, { min: 1, max: LARGEST_POOL, what: 'the size of a pool' })
}

export function checkPoolOptions<I extends unknown[]>(options: PoolOptions<I> | undefined): PoolOptions<I> {
  const own = checkOptions(options, POOL, 'pool()')
  if (own.initArgs !== undefined) checkArgs(own.initArgs, 'initArgs')
  if (own.maxTasksPerChild !== undefined) checkInteger(own.maxTasksPerChild, { min: 1, what: 'maxTasksPerChild' })
  if (own.maxMemoryPerChild !== undefined) {
    checkInteger(own.maxMemoryPerChild, { min: 1, what: 'maxMemoryPerChild, in bytes,' })
  }
  if (own.idleTimeout !== undefined) checkTime(own.idleTimeout)
  return own
}

function checkTime(value: unknown): void {
  if (typeof value === 'number' && value >= 1) return
  throw new ArgumentError(
    `idleTimeout must be a number of milliseconds of 1 or more, got ${describe(value)}; leave it out for workers that wait for ever`,
  )
}

/** That of a queue's items, which Redis sets. */
const LOWEST_PRIORITY = 2 ** 21 - 1

const NO_ARGS: readonly unknown[] = Object.freeze([])

/** @param name what the array is called where it is passed */
export function checkArgs(args: unknown, name = 'args'): readonly unknown[] {
  if (args === undefined) return NO_ARGS
  if (Array.isArray(args)) return args
  throw new ArgumentError(`${name} must be an array of the function's arguments, got ${describe(args)}`)
}

/** What a call without options gets: nothing, and no inherited value either. */
const NONE: Readonly<Record<string, never>> = Object.freeze(Object.create(null))

const TASK = ['timeout', 'signal', 'retries', 'priority']
const MAP = [...TASK, 'chunkSize', 'onProgress']
const CALLBACKS = ['callback', 'errorCallback']

export function checkApply(options: TaskOptions | undefined): TaskOptions {
  if (options === undefined) return NONE
  return checkTask(checkOptions(options, TASK, 'apply()'))
}

export function checkApplyAsync<R>(options: ApplyAsyncOptions<R> | undefined): ApplyAsyncOptions<R> {
  if (options === undefined) return NONE
  return checkCallbacks(checkTask(checkOptions(options, [...TASK, ...CALLBACKS], 'applyAsync()')))
}

/** The options of `task()` that a run of it takes over. */
export function checkTaskDefaults(options: Omit<TaskOptions, 'signal'>, where: string): Omit<TaskOptions, 'signal'> {
  const known = TASK.filter((name) => name !== 'signal')
  return Object.freeze(checkTask(checkOptions(options, known, where)))
}

/** The options of a call, with those of the task that it runs where it gives none. Not checked. */
export function withDefaults<T extends object>(target: unknown, options: T | undefined): T | undefined {
  const defaults = defaultsOf(target)
  if (defaults === null || (options !== undefined && (typeof options !== 'object' || options === null))) return options
  return { ...defaults, ...options } as T
}

/** @param where the call, as in `map()` */
export function checkMap(options: MapOptions | undefined, where: string): MapOptions {
  if (options === undefined) return NONE
  return checkChunks(checkOptions(options, MAP, where))
}

/** @param where the call, as in `mapAsync()` */
export function checkMapAsync<R>(options: MapAsyncOptions<R> | undefined, where: string): MapAsyncOptions<R> {
  if (options === undefined) return NONE
  return checkCallbacks(checkChunks(checkOptions(options, [...MAP, ...CALLBACKS], where)))
}

/** @param where the call, as in `get()` */
export function checkPoolWait(wait: WaitOptions | undefined, where: string): WaitOptions {
  if (wait === undefined) return NONE
  return checkWait(checkOptions(wait, ['timeout', 'signal'], where))
}

/** @param where the call, as in `imap()` */
export function checkImap(options: ImapOptions | undefined, where: string): ImapOptions {
  if (options === undefined) return NONE
  const own = checkChunks(checkOptions(options, [...MAP, 'window'], where))
  if (own.window !== undefined) checkInteger(own.window, { min: 1, what: 'window' })
  return own
}

function checkTask<T extends TaskOptions>(options: T): T {
  const { timeout, signal, retries, priority } = options
  if (timeout !== undefined && !(typeof timeout === 'number' && timeout > 0)) {
    throw new ArgumentError(
      `timeout must be a number of milliseconds above 0 that a task may run, got ${describe(timeout)}; leave it out for any time`,
    )
  }
  if (priority !== undefined) checkInteger(priority, { min: 0, max: LOWEST_PRIORITY, what: 'priority' })
  if (retries !== undefined) checkInteger(retries, { min: 0, what: 'retries' })
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new ArgumentError(`signal must be an AbortSignal, got ${describe(signal)}`)
  }
  return options
}

function checkChunks<T extends Omit<MapOptions, 'onProgress'> & { readonly onProgress?: unknown }>(options: T): T {
  if (options.chunkSize !== undefined) checkInteger(options.chunkSize, { min: 1, what: 'chunkSize' })
  checkCallback(options.onProgress, 'onProgress')
  return checkTask(options)
}

function checkCallbacks<T extends Callbacks<never>>(options: T): T {
  for (const name of ['callback', 'errorCallback'] as const) checkCallback(options[name], name)
  return options
}

function checkCallback(value: unknown, what: string): void {
  if (value !== undefined) checkFunction(value, what)
}
