/** `connect(…, { serve })`: what this program runs for others, checked, with its defaults. */
import { accessSync, constants } from 'node:fs'
import { isAbsolute, resolve } from 'node:path'
import type { ConnectSettings, ServeSettings } from './contract/adapter-module.ts'
import type { ServeOptions } from './contract/context.ts'
import { ArgumentError } from './errors.ts'
import { describe } from './util/describe.ts'
import { checkLabels } from './util/labels.ts'
import { checkInteger, checkOptions } from './util/options.ts'

const NAMES = ['slots', 'labels', 'root', 'allow', 'env', 'unsigned'] as const

/** @throws ArgumentError */
export function checkServe(serve: unknown): ConnectSettings['serve'] {
  if (serve === false) return serve
  if (serve !== true && (typeof serve !== 'object' || serve === null)) {
    throw new ArgumentError(
      `connect(): serve must be true, false or { ${NAMES.join(', ')} }, got ${describe(serve)}; leave it out to run what this program starts`,
    )
  }
  return settingsOf(serve === true ? {} : serve)
}

function settingsOf(options: ServeOptions): ServeSettings {
  const {
    slots = Number.POSITIVE_INFINITY,
    labels = {},
    root = '.',
    allow = [],
    env = [],
    unsigned = false,
  } = checkOptions(options, NAMES, 'connect(): serve')
  if (slots !== Number.POSITIVE_INFINITY) checkInteger(slots, { min: 1, what: 'connect(): serve.slots' })
  if (typeof unsigned !== 'boolean') {
    throw new ArgumentError(`connect(): serve.unsigned must be true or false, got ${describe(unsigned)}`)
  }
  return {
    slots,
    labels: checkLabels(labels, 'connect(): serve.labels'),
    root: folderOf(root),
    allow: texts(allow, 'connect(): serve.allow').map(globOf),
    env: texts(env, 'connect(): serve.env'),
    unsigned,
  }
}

function folderOf(root: unknown): string {
  const refusal = 'connect(): serve.root must be the path of a folder'
  if (typeof root !== 'string' || root === '') throw new ArgumentError(`${refusal}, got ${describe(root)}`)
  const path = resolve(root)
  try {
    // With the dot, what is no folder fails, too.
    accessSync(`${path}/.`, constants.R_OK)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new ArgumentError(`${refusal} that can be read, got ${path} (${code})`, { cause: error })
  }
  return path
}

function globOf(glob: string): string {
  if (!isAbsolute(glob)) return glob
  throw new ArgumentError(
    `connect(): serve.allow takes paths from the root, such as node_modules/tasks/**, got ${describe(glob)}`,
  )
}

function texts(given: unknown, what: string): readonly string[] {
  const list: readonly unknown[] = Array.isArray(given) ? given : [given]
  const other = list.find((one) => typeof one !== 'string' || one === '')
  if (other === undefined) return list as readonly string[]
  throw new ArgumentError(`${what} must be a string or an array of strings, got ${describe(other)}`)
}
