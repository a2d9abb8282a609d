/** Functions with an id of their own, which stays what it is when files are bundled, renamed or minified. */
import { pathToFileURL } from 'node:url'
import type { TargetRef } from '../contract/target.ts'
import { ArgumentError, ConflictError, TargetNotFoundError } from '../errors.ts'
import { readSource } from './definition.ts'
import type { TargetFunction } from './find-export.ts'
import { isFile, nameModule, pathOfUrl } from './module-id.ts'
import { carry } from './named.ts'
import { unbind } from './bind.ts'

interface Task {
  readonly fn: TargetFunction
  /** Where `task()` was called, as `path:line:column`. */
  readonly place: string
  readonly defaults: object
}

const TASKS = Symbol.for('skein.tasks')
const DEFAULTS = Symbol.for('skein.defaults')

/** Those of this process, by id; kept on `process`, so that two copies of this package agree. */
function tasks(): Map<string, Task> {
  const known: unknown = Reflect.get(process, TASKS)
  // Only this function writes the property, in whichever copy of the package.
  if (known !== undefined) return known as Map<string, Task>
  const made = new Map<string, Task>()
  Reflect.set(process, TASKS, made)
  return made
}

interface Caller {
  readonly path: string
  readonly place: string
}

/** Where the function that called `below` was called from: importing that file defines the task. */
function callerOf(below: (...args: never[]) => unknown): Caller | null {
  const before = ['prepareStackTrace', 'stackTraceLimit'].map((name) => [name, Reflect.get(Error, name) as unknown])
  const holder: { stack?: unknown } = {}
  try {
    Error.stackTraceLimit = 1
    Error.prepareStackTrace = (_, sites) => sites
    Error.captureStackTrace(holder, below)
    // Made when it is read.
    const [site] = holder.stack as readonly NodeJS.CallSite[]
    const file = site?.getFileName() ?? null
    const path = file === null || !file.startsWith('file:') ? file : pathOfUrl(file)
    if (path === null || !isFile(path)) return null
    return { path, place: `${path}:${String(site?.getLineNumber())}:${String(site?.getColumnNumber())}` }
  } finally {
    Object.assign(Error, Object.fromEntries(before))
  }
}

/**
 * @param id checked
 * @param below the function that users call; its caller's file is the task's module
 */
export function defineTask<F extends (...args: never[]) => unknown>(
  id: string,
  defaults: object,
  fn: F,
  below: (...args: never[]) => unknown,
): F {
  const caller = callerOf(below)
  if (caller === null) {
    throw new ArgumentError(
      `task "${id}" is defined in evaluated code, which no other process can load; put it into a file`,
    )
  }
  const { path, place } = caller
  const known = tasks().get(id)
  // The same module may have been loaded twice.
  if (known !== undefined && known.place !== place) {
    throw new ConflictError(
      `task "${id}" is defined twice, at ${known.place} and at ${place}; give each an id of its own`,
    )
  }
  tasks().set(id, { fn: fn as unknown as TargetFunction, place, defaults })
  let ref: TargetRef | null = null
  const refer = (): TargetRef => {
    if (ref === null) {
      const { id: module, file } = nameModule(path)
      const source = file + place.slice(path.length)
      const { digest } = readSource(path)
      ref = Object.freeze({ module, export: id, task: true, source, digest, url: pathToFileURL(path).href })
    }
    return ref
  }
  const called = ((...args) => (fn as unknown as TargetFunction)(...args)) as TargetFunction as unknown as F
  Object.defineProperty(called, DEFAULTS, { value: defaults })
  return carry(called, id, refer)
}

/** The options that a task, or one bound to arguments, was defined with; `null`: it is no task, or has none. */
export function defaultsOf(target: unknown): object | null {
  const { target: fn } = unbind(target)
  if (typeof fn !== 'function' || !Object.hasOwn(fn, DEFAULTS)) return null
  return Reflect.get(fn, DEFAULTS) as object
}

/** The task of that id, if this process has defined it. */
export function knownTask(id: string): TargetFunction | null {
  return tasks().get(id)?.fn ?? null
}

/** @throws TargetNotFoundError; its module was loaded */
export function findTask({ export: id, module, source = module }: TargetRef): TargetFunction {
  const found = knownTask(id)
  if (found !== null) return found
  const ids = [...tasks().keys()].toSorted()
  const known = ids.length === 0 ? 'no task is defined here' : `tasks here: ${ids.join(', ')}`
  throw new TargetNotFoundError(
    `Task "${id}" (${source}) is not defined when ${module} is loaded (${known}): call task() at the top level of its module.`,
  )
}
