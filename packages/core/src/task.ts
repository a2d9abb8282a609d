/** `task()`: its options are checked here, by those who know what a task of a pool takes. */
import type { TaskOptions } from './contract/pool.ts'
import { ArgumentError } from './errors.ts'
import { checkTaskDefaults } from './pool/arguments.ts'
import { defineTask } from './target/index.ts'
import { describe } from './util/describe.ts'
import { checkName } from './util/names.ts'

/** What a task is called, and the options that each run of it in a pool has unless the call says otherwise. */
export interface TaskDefinition extends Omit<TaskOptions, 'signal'> {
  /** The same wherever the task is defined: 1 to 128 of the characters `A-Z a-z 0-9 _ . : -`. */
  readonly id: string
}

/**
 * A target that is known by its id and not by the name of an export: it may be defined in a bundle, need not be exported, and keeps its id
 * when its file is moved. Define it at the top level of a module: the process that runs it loads that module and finds it by the id.
 * Called here it is `fn`.
 *
 * @throws ArgumentError; ConflictError if the id is taken by a task that is defined elsewhere
 */
export function task<F extends (...args: never[]) => unknown>(definition: TaskDefinition, fn: F): F {
  const given: unknown = definition
  if (typeof given !== 'object' || given === null)
    throw new ArgumentError(`task() takes { id } and a function, got ${describe(given)}`)
  if (typeof fn !== 'function') throw new ArgumentError(`task() takes { id } and a function, got ${describe(fn)}`)
  const { id, ...options } = definition
  const where = 'task()'
  return defineTask(checkName(id, where), checkTaskDefaults(options, where), fn, task)
}
