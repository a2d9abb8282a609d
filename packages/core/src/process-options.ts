/** The options of `process()`: checked, with their defaults, as plain data for whoever starts the child. */
import type { ChildOptions, ProcessSpec } from './contract/adapter.ts'
import type { ProcessOptions, Stdio } from './contract/process.ts'
import { ArgumentError } from './errors.ts'
import { describe } from './util/describe.ts'
import { checkName } from './util/names.ts'
import { checkOptions } from './util/options.ts'

const NAMES = ['name', 'daemon', 'env', 'cwd', 'stdio', 'signal']

const stdios: readonly unknown[] = ['inherit', 'pipe', 'ignore'] satisfies Stdio[]

const where = 'process()'

/** What a spec has from its options; the rest is given with it. */
type Chosen = Pick<ProcessSpec, 'daemon' | 'options' | 'signal'> & { readonly name: string | undefined }

/** @throws ArgumentError */
export function checkProcessOptions(given: ProcessOptions | undefined, isDaemon: boolean): Chosen {
  const {
    name,
    daemon = isDaemon,
    env,
    cwd = null,
    stdio = 'inherit',
    signal = null,
  } = checkOptions(given, NAMES, where)
  if (name !== undefined) checkName(name, where)
  checkFlag(daemon, 'daemon')
  if (cwd !== null && (typeof cwd !== 'string' || cwd === '' || cwd.includes('\0')))
    throw new ArgumentError(`${where}: cwd must be the path of a directory, got ${describe(cwd)}`)
  if (!stdios.includes(stdio))
    throw new ArgumentError(`${where}: stdio must be one of ${stdios.join(', ')}, got ${describe(stdio)}`)
  if (signal !== null && !(signal instanceof AbortSignal))
    throw new ArgumentError(`${where}: signal must be an AbortSignal, got ${describe(signal)}`)
  const options: ChildOptions = { env: checkEnv(env), cwd, stdio }
  return { name, daemon, options, signal }
}

function checkFlag(value: unknown, name: string): void {
  if (typeof value !== 'boolean')
    throw new ArgumentError(`${where}: ${name} must be true or false, got ${describe(value)}`)
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
