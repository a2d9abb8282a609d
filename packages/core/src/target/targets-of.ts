/** The functions of a module that this process never loads, by their names. */
import { extname } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { TargetRef, Targets } from '../contract/target.ts'
import { ArgumentError, StateError } from '../errors.ts'
import { describe } from '../util/describe.ts'
import { readSource } from './definition.ts'
import { describePath, filesOf, nameModule, pathOfUrl, withoutExtension } from './module-id.ts'
import { carry } from './named.ts'

const where = 'targetsOf()'

/**
 * The exported functions of a module as targets, typed by the module and known by name alone: the module is loaded only by the processes
 * that run them. A name that the module does not export shows there, as `TargetNotFoundError`.
 *
 * @param url of the module's file, as in `new URL('./work.ts', import.meta.url)`. Where only the build of it is there (`work.js`), that is taken
 * @throws ArgumentError if there is no such file
 */
export function targetsOf<M extends object = never>(url: URL | string): Targets<M> {
  const module = moduleAt(url)
  const known = new Map<string, unknown>()
  return new Proxy(Object.create(null) as Targets<M>, {
    get: (_, name) => {
      // Whoever awaits the targets asks whether they are a promise.
      if (typeof name !== 'string' || name === 'then') return undefined
      if (!known.has(name)) known.set(name, targetNamed(name, module))
      return known.get(name)
    },
    set: () => false,
    defineProperty: () => false,
  })
}

type ModuleRef = Omit<TargetRef, 'export'>

function moduleAt(given: unknown): ModuleRef {
  const url = given instanceof URL ? given.href : given
  const path = typeof url === 'string' ? pathOfUrl(url) : null
  if (path === null) {
    throw new ArgumentError(
      `${where} takes the file URL of a module, as in new URL('./work.ts', import.meta.url), got ${describe(url)}`,
    )
  }
  const base = withoutExtension(path)
  const [file] = filesOf(base, extname(path))
  if (file === undefined) {
    throw new ArgumentError(`${where}: there is no module ${path}; looked for ${describePath(base)}`)
  }
  const { id, file: source } = nameModule(file)
  return { module: id, source, digest: readSource(file).digest, url: pathToFileURL(file).href }
}

function targetNamed(name: string, module: ModuleRef): () => never {
  const ref: TargetRef = Object.freeze({ ...module, export: name })
  const notHere = (): never => {
    throw new StateError(
      `${name} of ${module.module} is only named here and not loaded; give it to process() or to a pool, or import it to call it`,
    )
  }
  return carry(notHere, name, () => ref)
}
