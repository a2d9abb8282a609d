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
import { inheritDrift } from './drift.ts'
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

/**
 * The file that the portable id stands for here; the one that equals the sender's is taken first.
 *
 * @param near files to look at before those that the id leads to
 */
function findModule(ref: TargetRef, root: string, near: readonly string[]): string {
  const paths = pathsOf(ref.module, root)
  const extension = extensionOf(ref)
  const files = [...near, ...paths.flatMap((path) => filesOf(path, extension))]
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
  if (extname(first) !== extension) return first
  const what = `Host ${hostname()} has a different ${ref.module} (${first}, digest ${digests[0]?.[1] ?? ''}; the sender's is ${ref.digest}).`
  if (ref.onDrift !== 'warn') {
    throw new TargetMismatchError(
      `${what} Deploy the same version on both, or let it run there by connect(url, { onDrift: 'warn' }).`,
    )
  }
  process.emitWarning(`${what} It runs all the same.`, { code: 'SKEIN_DRIFT' })
  return first
}

async function load(module: string, path: string): Promise<object> {
  try {
    return await whileLoading<object>(() => import(pathToFileURL(path).href))
  } catch (error) {
    if (error instanceof BootstrapError) throw error
    const advice = adviceFor(error)
    const said = error instanceof Error ? error.message : String(error)
    // Node tells the place of such an error only when nobody catches it.
    const message = error instanceof SyntaxError ? `${said} (in ${path}, or in what it imports)` : said
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
 * @throws TargetMismatchError if this machine has another version of the module, and the sender wants none but its own
 * @throws SpawnError if the module could not be loaded; what it threw is the `cause`
 * @throws BootstrapError if the module starts processes while it is loading
 */
export async function resolveTarget(ref: TargetRef, options: ResolveOptions = {}): Promise<TargetFunction> {
  inheritDrift(ref)
  const fn = (ref.task === true ? knownTask(ref.export) : null) ?? (await loadTarget(ref, options))
  const { bound = [] } = ref
  return bound.length === 0 ? fn : (...args) => fn(...bound, ...args)
}

/**
 * At the sender's own address, or by its portable name. Where another program is the sender, that address may be another machine's, which
 * has the same path here with other content or with what is not to be run.
 */
function fileOf(ref: TargetRef, options: ResolveOptions): string {
  const policy = currentPolicy()
  const there = fileAtUrl(ref.url ?? '')
  if (there !== null && policy === null) return there
  const near = there !== null && policy !== null && permits(policy, there) ? [there] : []
  try {
    const found = findModule(ref, options.root ?? policy?.root ?? process.cwd(), near)
    if (policy !== null) checkPermitted(policy, ref.module, found)
    return found
  } catch (error) {
    // Here it is, and not to be run: that is what its sender has to know, unless another version stands for it here.
    if (policy !== null && there !== null && !(error instanceof TargetMismatchError))
      checkPermitted(policy, ref.module, there)
    throw error
  }
}

async function loadTarget(ref: TargetRef, options: ResolveOptions): Promise<TargetFunction> {
  const path = fileOf(ref, options)
  await prepareTypeScript(path)
  const namespace = await load(ref.module, path)
  return ref.task === true ? findTask(ref) : findExport(ref, { path, namespace })
}
