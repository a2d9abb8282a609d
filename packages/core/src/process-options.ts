/** The options of `process()`: checked, with their defaults, as plain data for whoever starts the child. */
import type { ChildOptions, Needs, ProcessSpec, RestartSpec } from './contract/adapter.ts'
import type { ProcessOptions, RestartOptions, Stdio } from './contract/process.ts'
import { ArgumentError } from './errors.ts'
import { describe } from './util/describe.ts'
import { checkLabels } from './util/labels.ts'
import { checkName } from './util/names.ts'
import { checkInteger, checkOptions } from './util/options.ts'

const NAMES = ['name', 'daemon', 'detached', 'env', 'cwd', 'stdio', 'signal', 'restart', 'host', 'labels']

const stdios: readonly unknown[] = ['inherit', 'pipe', 'ignore'] satisfies Stdio[]

const where = 'process()'

/** What a spec has from its options; the rest is given with it. */
type Chosen = Pick<ProcessSpec, 'daemon' | 'options' | 'restart' | 'signal'> & { readonly name: string | undefined }

/** @throws ArgumentError */
export function checkProcessOptions(given: ProcessOptions | undefined, isDaemon: boolean): Chosen {
  const own = checkOptions(given, NAMES, where)
  const { name, detached = false, env, cwd, stdio = 'inherit', signal, restart } = own
  const { daemon = isDaemon && !detached } = own
  if (name !== undefined) checkName(name, where)
  checkFlag(daemon, 'daemon')
  checkFlag(detached, 'detached')
  if (detached && daemon)
    throw new ArgumentError(`${where}: a detached process outlives its parent and a daemon does not; choose one`)
  if (cwd !== undefined && (typeof cwd !== 'string' || cwd === '' || cwd.includes('\0')))
    throw new ArgumentError(`${where}: cwd must be the path of a directory, got ${describe(cwd)}`)
  if (!stdios.includes(stdio))
    throw new ArgumentError(`${where}: stdio must be one of ${stdios.join(', ')}, got ${describe(stdio)}`)
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw new ArgumentError(`${where}: signal must be an AbortSignal, got ${describe(signal)}`)
  const needs = checkNeeds(own.host, own.labels)
  const options: ChildOptions = { env: checkEnv(env), cwd: cwd ?? null, stdio, detached, needs }
  return {
    name,
    daemon,
    options,
    restart: restart === undefined ? null : checkRestart(restart),
    signal: signal ?? null,
  }
}

function checkNeeds(host: unknown, labels: unknown): Needs | null {
  if (host === undefined && labels === undefined) return null
  if (host !== undefined && (typeof host !== 'string' || !/^[^\s]{1,253}$/.test(host)))
    throw new ArgumentError(`${where}: host must be the name of a machine, got ${describe(host)}`)
  return { host: host ?? null, labels: checkLabels(labels === undefined ? {} : labels, `${where}: labels`) }
}

function checkFlag(value: unknown, name: string): void {
  if (typeof value !== 'boolean')
    throw new ArgumentError(`${where}: ${name} must be true or false, got ${describe(value)}`)
}

const restartNames = ['on', 'max', 'within', 'backoff']

function checkRestart(given: RestartOptions): RestartSpec {
  const { on, max = 5, within = 60_000, backoff = 100 } = checkOptions(given, restartNames, `${where}: restart`)
  if (on !== 'failure' && on !== 'always')
    throw new ArgumentError(`${where}: restart.on must be "failure" or "always", got ${describe(on)}`)
  if (max !== Number.POSITIVE_INFINITY) checkInteger(max, { min: 0, what: `${where}: restart.max` })
  checkInteger(within, { min: 1, what: `${where}: restart.within, in milliseconds,` })
  checkInteger(backoff, { min: 0, what: `${where}: restart.backoff, in milliseconds,` })
  return { on, max, within, backoff }
}

/** Values may be secrets, so no message shows one that is text. */
function checkEnv(env: ProcessOptions['env']): ChildOptions['env'] {
  const own: Record<string, string | null> = Object.create(null)
  if (env === undefined) return own
  if (typeof env !== 'object' || env === null || Array.isArray(env))
    throw new ArgumentError(`${where}: env must be an object of names and texts, got ${describe(env)}`)
  for (const [name, value] of Object.entries(env)) {
    if (name === '' || /[=\0]/.test(name))
      throw new ArgumentError(`${where}: env has the name ${describe(name)}, which no variable can have`)
    if (value !== undefined && typeof value !== 'string')
      throw new ArgumentError(`${where}: env.${name} must be a text, or undefined to remove it, got ${describe(value)}`)
    if (value?.includes('\0') === true)
      throw new ArgumentError(`${where}: env.${name} has a NUL character, which no variable can hold`)
    own[name] = value ?? null
  }
  return own
}
