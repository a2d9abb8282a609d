/**
 * Makes this process able to import TypeScript. Node does it by itself from 22.18 on, by blanking types out; before that, and
 * for what Node leaves out (`.tsx`, files in node_modules), the user's own tsx is registered, if it is there. Nothing here is
 * loaded before a target needs it.
 */
import { createRequire } from 'node:module'
import { extname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { SpawnError } from '../errors.ts'

const LOADER_OPTIONS = /^(?:-r|--require|--import|--loader|--experimental-loader)$/

/** What brings TypeScript along: whoever has one of these does not want a second loader on top. */
const LOADERS = /^(?:tsx|ts-node|@swc-node\/register|@oxc-node\/core|esbuild-register|jiti|amaro)(?:\/|$)/

let registered: Promise<void> | null = null

function isTypeScript(path: string): boolean {
  return /^\.(?:[cm]?ts|tsx)$/.test(extname(path))
}

function hasLoader(): boolean {
  const options = [...process.execArgv, ...(process.env['NODE_OPTIONS'] ?? '').split(/\s+/)].flatMap((option) =>
    option.split('='),
  )
  return options.some((specifier, index) => {
    if (!LOADER_OPTIONS.test(options[index - 1] ?? '')) return false
    // A path to a loader, as the tsx command gives it, or its bare name.
    return LOADERS.test(specifier.replace(/^.*[/\\]node_modules[/\\]/, '').replaceAll('\\', '/'))
  })
}

function canStrip(path: string): boolean {
  const feature: unknown = Reflect.get(process.features, 'typescript')
  return Boolean(feature) && extname(path) !== '.tsx' && !/[/\\]node_modules[/\\]/.test(path)
}

/** tsx as the module `path` would find it, else as the program's folder would. */
function findTsx(path: string): string | null {
  for (const from of [path, join(process.cwd(), 'package.json')]) {
    try {
      return createRequire(from).resolve('tsx')
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'MODULE_NOT_FOUND')) throw error
    }
  }
  return null
}

/**
 * Prepares for the import of `path`, once in a process and only if it is needed. Without any loader the import is left to fail:
 * one that is not known here may be at work.
 *
 * @throws SpawnError if tsx is installed but cannot be loaded
 */
export async function prepareTypeScript(path: string): Promise<void> {
  if (!isTypeScript(path) || canStrip(path) || hasLoader()) return
  const tsx = registered === null ? findTsx(path) : null
  if (tsx !== null) registered = import(pathToFileURL(tsx).href)
  try {
    await registered
  } catch (error) {
    throw new SpawnError(`The TypeScript loader ${tsx ?? 'tsx'} could not be loaded.`, { cause: error })
  }
}

/** What to do about a failed import, if TypeScript was the reason; else `null`. */
export function adviceFor(error: unknown): string | null {
  if (!(error instanceof Error) || !('code' in error)) return null
  const { code, message } = error
  if (code === 'ERR_UNKNOWN_FILE_EXTENSION' && /"\.(?:[cm]?ts|tsx)"/.test(message)) {
    return (
      `Node ${process.versions.node} cannot load this TypeScript by itself: ` +
      'install a loader ("npm install --save-dev tsx"), use Node 22.18 or later, or build first'
    )
  }
  if (code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX') {
    return 'Node only strips types: run the program with "node --import tsx", or avoid enums, namespaces and parameter properties'
  }
  if (code === 'ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING') {
    return 'Node strips no types in node_modules: import what the package was built into, or install tsx'
  }
  return null
}
