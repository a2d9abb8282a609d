/**
 * A module's portable name, and the way back to a file.
 *
 * `acme-app/src/work` is the package's name and the path inside it without extension, so that one machine may run the TypeScript
 * and another what was built from it. A file outside any named package is `./` and its path from the working directory; outside
 * of that too, `./` and its bare name, since an absolute path would tie all machines to one layout.
 */
import { readFileSync, statSync } from 'node:fs'
import { basename, dirname, extname, isAbsolute, join, relative, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

/** In the order in which a receiver tries them. */
const EXTENSIONS = ['.ts', '.mts', '.cts', '.tsx', '.js', '.mjs', '.cjs', '.jsx'] as const

/** Source folder and the folder it is built into. */
const SOURCE = 'src'
const BUILT = 'dist'

interface Package {
  readonly name: string
  readonly folder: string
}

const packages = new Map<string, Package | null>()

/** One that is broken or may not be read names nothing; a folder far above may hold such a one. */
function readPackageName(folder: string): string | null {
  let content: unknown
  try {
    content = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  } catch {
    return null
  }
  if (typeof content !== 'object' || content === null || !('name' in content)) return null
  return typeof content.name === 'string' && content.name !== '' ? content.name : null
}

/** The nearest package with a name; `{ "type": "module" }` alone, as builds put it into dist, is passed over. */
function packageAround(folder: string): Package | null {
  const known = packages.get(folder)
  if (known !== undefined) return known
  const name = readPackageName(folder)
  const parent = dirname(folder)
  let found: Package | null = null
  if (name !== null) found = { name, folder }
  else if (parent !== folder && basename(folder) !== 'node_modules') found = packageAround(parent)
  packages.set(folder, found)
  return found
}

export function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false
}

/** The path of a `file:` URL, whatever query a loader added; `null`: there is none on this system. */
export function pathOfUrl(url: string): string | null {
  if (!URL.canParse(url)) return null
  const { protocol, host, pathname } = new URL(url)
  // A Windows share is no path elsewhere.
  if (protocol !== 'file:' || (host !== '' && process.platform !== 'win32')) return null
  return fileURLToPath(`file://${host}${pathname}`)
}

export function withoutExtension(path: string): string {
  const extension = extname(path)
  return EXTENSIONS.some((known) => known === extension) ? path.slice(0, -extension.length) : path
}

function withSlashes(path: string): string {
  return sep === '/' ? path : path.replaceAll(sep, '/')
}

export interface ModuleName {
  /** Portable id, without extension. */
  readonly id: string
  /** Path with extension, from the package's folder or the working directory: for messages. */
  readonly file: string
}

/** Names the file `path`; `cwd` matters only outside of any named package. */
export function nameModule(path: string, cwd: string = process.cwd()): ModuleName {
  const owner = packageAround(dirname(path))
  if (owner !== null) {
    const file = withSlashes(relative(owner.folder, path))
    return { id: `${owner.name}/${withoutExtension(file)}`, file }
  }
  const fromHere = relative(cwd, path)
  const isOutside = fromHere.startsWith('..') || isAbsolute(fromHere)
  const file = isOutside ? basename(path) : withSlashes(fromHere)
  return { id: `./${withoutExtension(file)}`, file }
}

function splitId(id: string): { readonly owner: string; readonly inside: string } {
  const parts = id.split('/')
  const count = id.startsWith('@') ? 2 : 1
  return { owner: parts.slice(0, count).join('/'), inside: parts.slice(count).join('/') }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}

/** Folders of the package `name` that are visible from `root`: the package around it, then node_modules, as Node looks. */
function foldersOf(name: string, root: string): string[] {
  const own = packageAround(root)
  const folders = own?.name === name ? [own.folder] : []
  for (let folder = root; ; folder = dirname(folder)) {
    const installed = join(folder, 'node_modules', name)
    if (isFolder(installed)) folders.push(installed)
    if (dirname(folder) === folder) return folders
  }
}

/** `src/x` is tried in dist too and the other way round: one machine may run the sources, another the build. */
function variantsOf(inside: string): string[] {
  const [first, ...rest] = inside.split('/')
  if (first === SOURCE) return [inside, [BUILT, ...rest].join('/')]
  if (first === BUILT) return [inside, [SOURCE, ...rest].join('/')]
  return [inside]
}

/**
 * The paths, without extension, that a portable id may stand for on this machine, best first. None: no such package here.
 *
 * @param root folder where this process looks for its own code
 */
export function pathsOf(id: string, root: string): string[] {
  // An id comes from another process: it must not lead out of the package.
  if (id.split(/[/\\]/).includes('..') || id.includes('\0') || isAbsolute(id)) return []
  const { owner, inside } = splitId(id)
  const folders = owner === '.' ? [resolve(root)] : foldersOf(owner, resolve(root))
  return folders.flatMap((folder) => variantsOf(inside).map((variant) => join(folder, variant)))
}

/** The files that there are for a path without extension; one with the sender's `extension` comes first. */
export function filesOf(path: string, extension: string): string[] {
  const isKnown = EXTENSIONS.some((known) => known === extension)
  const order = isKnown ? [extension, ...EXTENSIONS.filter((known) => known !== extension)] : EXTENSIONS
  // Last, the path as it is: the file of a command may have no extension.
  return [...order, ''].map((suffix) => path + suffix).filter((file) => isFile(file))
}

/** How `filesOf` looks, for messages. */
export function describePath(path: string): string {
  return `${path}.{${EXTENSIONS.map((extension) => extension.slice(1)).join(',')}}`
}
