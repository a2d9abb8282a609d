/** Names a function, so that another process can find it. Nothing is loaded here and nothing is waited for. */
import { extname } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { TargetRef } from '../contract/target.ts'
import { ArgumentError, NotSupportedError } from '../errors.ts'
import { unbind } from './bind.ts'
import { commonJsEntries, commonJsExports } from './common-js.ts'
import { definitionOf, isClass, readSource, textDigest } from './definition.ts'
import { formatIdentity, formatPosition } from './identity.ts'
import type { LocatedRef } from './identity.ts'
import { locateFunction, scriptOf } from './locate-function.ts'
import type { Unlocated } from './locate-function.ts'
import { isFile, nameModule, pathOfUrl } from './module-id.ts'
import { carried } from './named.ts'

// vitest's name for an anonymous default export; everywhere else such a function is called `default`.
const VITE_DEFAULT = '__vite_ssr_export_default__'

/** Of a `data:` URL no more is shown; characters. */
const LONGEST_URL = 60

const refs = new WeakMap<object, TargetRef>()

function isFunction(value: unknown): value is (...args: never) => unknown {
  return typeof value === 'function'
}

function describe(fn: { readonly name: unknown }): string {
  return typeof fn.name === 'string' && fn.name !== '' ? `"${fn.name}"` : 'The function'
}

function refusalOf(fn: (...args: never) => unknown, reason: Unlocated): Error {
  if (reason === 'no-inspector') {
    return new NotSupportedError(
      'Naming a function for another process needs node:inspector, which this Node has not or does not permit: ' +
        'run it without --permission, or with --allow-inspector where there is that option (Node 24).',
    )
  }
  if (reason === 'bound') {
    return new ArgumentError(
      `${describe(fn)} is the result of Function.prototype.bind, whose arguments cannot cross processes: ` +
        'use bind(fn, …args) of @skein/core instead.',
    )
  }
  return new ArgumentError(
    `${describe(fn)} has no source of its own (it is native or a proxy) and cannot be a target: ` +
      'export a function that calls it.',
  )
}

/** The file that a script was loaded from. */
function pathOf(fn: { readonly name: unknown }, url: string): string {
  const path = pathOfUrl(url)
  if (path !== null && isFile(path)) return path
  if (url.startsWith('node:')) {
    throw new ArgumentError(
      `${describe(fn)} is part of Node (${url}) and cannot be a target: export a function that calls it.`,
    )
  }
  const where = url === '' ? 'evaluated code' : url.slice(0, LONGEST_URL)
  throw new ArgumentError(
    `${describe(fn)} is defined in ${where}, which no other process can load: put it into a module file and export it.`,
  )
}

function exportNameOf(fn: { readonly name: unknown }, path: string): string {
  for (const [name, value] of commonJsEntries(commonJsExports(path))) if (value === fn) return name
  const name = typeof fn.name === 'string' ? fn.name : ''
  return name === VITE_DEFAULT ? 'default' : name
}

function nameFunction(fn: (...args: never) => unknown): TargetRef {
  if (isClass(fn)) {
    throw new ArgumentError(`${describe(fn)} is a class and cannot be a target: export a function that uses it.`)
  }
  const place = locateFunction(fn)
  if (typeof place === 'string') throw refusalOf(fn, place)
  const path = pathOf(fn, scriptOf(place.scriptId).url)
  const module = nameModule(path)
  const source = readSource(path)
  const definition = definitionOf(fn, place, path, source.text)
  const at = `${module.file}:${formatPosition(definition.best)}`
  if (place.closure) {
    throw new ArgumentError(
      `${describe(fn)} (${at}) uses variables of the code around it, and a closure cannot cross processes: ` +
        'export a function at the top level of its module and give it those values as arguments, or with bind().',
    )
  }
  const ref: LocatedRef = {
    module: module.id,
    export: exportNameOf(fn, path),
    source: at,
    digest: source.digest,
    url: pathToFileURL(path).href,
    identity: formatIdentity({ text: textDigest(fn), place, range: definition.range }),
  }
  return Object.freeze(ref)
}

/**
 * The name of a target. Kept for each function, so only the first call is slow: 25 to 50 ms for the first function of a program,
 * up to 10 ms for the first of a module that was loaded later, about 1 ms for others.
 *
 * Whether the function is exported shows only where it is resolved.
 *
 * @param target an exported function, or one made by `bind` from such; its arguments are in `bound`, not encoded
 * @throws ArgumentError if it is no function, or one that no other process can have: native, bound, a class, a closure, evaluated
 * @throws NotSupportedError where `node:inspector` is missing or forbidden
 */
export function refOf(target: unknown): TargetRef {
  const known = isFunction(target) ? refs.get(target) : undefined
  if (known !== undefined) return known
  const { target: fn, args } = unbind(target)
  if (!isFunction(fn)) {
    throw new ArgumentError(`A target is an exported function, got ${fn === null ? 'null' : typeof fn}.`)
  }
  let ref = refs.get(fn)
  if (ref === undefined) {
    ref = carried(fn) ?? nameFunction(fn)
    refs.set(fn, ref)
  }
  if (fn === target || !isFunction(target)) return ref
  const partial = Object.freeze({ ...ref, bound: Object.freeze(args) })
  refs.set(target, partial)
  return partial
}

/** Extension of the file at the sender, such as `.ts`. */
export function extensionOf(ref: TargetRef): string {
  return extname(ref.url ?? ref.source?.replace(/:\d+:\d+$/, '') ?? '')
}
