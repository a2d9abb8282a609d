/**
 * Loads the function that a reference names. Only the process that will run it does this: its program may be waiting inside the very
 * module that would have to be imported.
 */
import { hostname } from 'node:os'
import { extname } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { TargetRef } from '../contract/target.ts'
import { BootstrapError, SpawnError, TargetMismatchError, TargetNotFoundError } from '../errors.ts'
import { whileLoading } from './bootstrap.ts'
import { readSource } from './definition.ts'
import { findExport } from './find-export.ts'
import type { TargetFunction } from './find-export.ts'
import { describePath, filesOf, isFile, pathOfUrl, pathsOf } from './module-id.ts'
import { checkPermitted, currentPolicy, permits } from './policy.ts'
import { extensionOf } from './target-ref.ts'
import { findTask, knownTask } from './task.ts'
import { adviceFor, prepareTypeScript } from './typescript.ts'

export interface ResolveOptions {
  /** Folder where modules of other machines are looked for. Default: the working directory. */
  readonly root?: string | undefined
}

/** The file at the sender's own address, if this machine has it. */
function fileAtUrl(url: string): string | null {
  const path = pathOfUrl(url)
  return path !== null && isFile(path) ? path : null
}

/** The file that the portable id stands for here; the one that equals the sender's is taken first. */
function findModule(ref: TargetRef, root: string): string {
  const paths = pathsOf(ref.module, root)
  const extension = extensionOf(ref)
  const files = paths.flatMap((path) => filesOf(path, extension))
  const [first] = files
  if (first === undefined) {
    const tried =
      paths.length === 0
        ? `There is no such package in or around ${root}.`
        : `Tried: ${paths.map(describePath).join(', ')}.`
    throw new TargetNotFoundError(`Module ${ref.module} was not found on host ${hostname()}. ${tried}`)
  }
  if (ref.digest === undefined) return first
  const digests = files.map((file) => [file, readSource(file).digest] as const)
  const [equal] = digests.find(([, digest]) => digest === ref.digest) ?? []
  if (equal !== undefined) return equal
  // Source and build differ by nature; two sources, or two builds, should not.
  if (extname(first) === extension) {
    throw new TargetMismatchError(
      `Host ${hostname()} has a different ${ref.module} (${first}, digest ${digests[0]?.[1] ?? ''}; ` +
        `the sender's is ${ref.digest}). Deploy the same version on both.`,
    )
  }
  return first
}

async function load(module: string, path: string): Promise<object> {
  try {
    return await whileLoading<object>(() => import(pathToFileURL(path).href))
  } catch (error) {
    if (error instanceof BootstrapError) throw error
    const advice = adviceFor(error)
    const message = error instanceof Error ? error.message : String(error)
    throw new SpawnError(
      `Module ${module} could not be loaded: ${advice === null ? message : `${advice} (${message})`}`,
      {
        cause: error,
      },
    )
  }
}

/**
 * The function that `ref` names, with its bound arguments (decoded already) in front.
 *
 * @throws TargetNotFoundError if the module is not here or does not export the function
 * @throws TargetMismatchError if this machine has another version of the module
 * @throws SpawnError if the module could not be loaded; what it threw is the `cause`
 * @throws BootstrapError if the module starts processes while it is loading
 */
export async function resolveTarget(ref: TargetRef, options: ResolveOptions = {}): Promise<TargetFunction> {
  const fn = (ref.task === true ? knownTask(ref.export) : null) ?? (await loadTarget(ref, options))
  const { bound = [] } = ref
  return bound.length === 0 ? fn : (...args) => fn(...bound, ...args)
}

/** By its portable name where the sender's own address leads to what is not to be run: that is another machine's. */
function fileOf(ref: TargetRef, options: ResolveOptions): string {
  const policy = currentPolicy()
  const there = fileAtUrl(ref.url ?? '')
  if (there !== null && (policy === null || permits(policy, there))) return there
  try {
    const found = findModule(ref, options.root ?? policy?.root ?? process.cwd())
    if (policy !== null) checkPermitted(policy, ref.module, found)
    return found
  } catch (error) {
    // Here it is, and not to be run: that is what its sender has to know.
    if (policy !== null && there !== null) checkPermitted(policy, ref.module, there)
    throw error
  }
}

async function loadTarget(ref: TargetRef, options: ResolveOptions): Promise<TargetFunction> {
  const path = fileOf(ref, options)
  await prepareTypeScript(path)
  const namespace = await load(ref.module, path)
  return ref.task === true ? findTask(ref) : findExport(ref, { path, namespace })
}
