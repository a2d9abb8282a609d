/**
 * Finds the function that a reference means among the exports of its loaded module, and makes sure that it is that very function:
 * an inline `{ resize: () => … }` is called `resize` too.
 */
import type { TargetRef } from '../contract/target.ts'
import { TargetNotFoundError } from '../errors.ts'
import { commonJsEntries, commonJsExports } from './common-js.ts'
import { definitionOf, isClass, locate, rangesFit, readSource, textDigest } from './definition.ts'
import type { Range } from './definition.ts'
import { parseIdentity } from './identity.ts'
import type { Identity, LocatedRef } from './identity.ts'
import { scriptOf } from './locate-function.ts'
import { pathOfUrl } from './module-id.ts'
import { comparePositions } from './source-map.ts'

export type TargetFunction = (...args: unknown[]) => unknown

interface Candidate {
  readonly name: string
  readonly fn: TargetFunction
}

/** The loaded module: its namespace, and the file that it came from. */
export interface LoadedModule {
  readonly path: string
  readonly namespace: object
}

/** At most this many export names in a message. */
const LISTED = 20

function isFunction(value: unknown): value is TargetFunction {
  return typeof value === 'function'
}

/** All functions that the module exports; of a CommonJS module also those that `import()` does not see. */
function candidatesOf({ path, namespace }: LoadedModule): Candidate[] {
  const exports = new Map<string, unknown>(Object.entries(namespace))
  for (const [name, value] of commonJsEntries(commonJsExports(path))) exports.set(name, value)
  const candidates: Candidate[] = []
  for (const [name, fn] of exports) {
    // `module.exports` under another name, for `require(esm)`.
    if (isFunction(fn) && name !== 'module.exports') candidates.push({ name, fn })
  }
  return candidates
}

function listExports(candidates: readonly Candidate[]): string {
  const names = candidates
    .filter(({ fn }) => !isClass(fn))
    .map(({ name }) => name)
    .toSorted()
  if (names.length === 0) return 'it exports no function'
  const rest = names.length - LISTED
  return `exports: ${names.slice(0, LISTED).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`
}

function notExported(ref: TargetRef, candidates: readonly Candidate[]): TargetNotFoundError {
  const at = ref.source === undefined ? '' : ` (${ref.source})`
  if (ref.export === '') {
    return new TargetNotFoundError(
      `The function without a name${at} is not exported from ${ref.module} (${listExports(candidates)}). ` +
        'Give it a name and export it.',
    )
  }
  return new TargetNotFoundError(
    `"${ref.export}" is not exported from ${ref.module} (${listExports(candidates)}). ` +
      `Add "export" in front of it${at}.`,
  )
}

function definedInline(ref: TargetRef): TargetNotFoundError {
  return new TargetNotFoundError(
    `"${ref.export}" at ${ref.source ?? 'an unknown place'} was defined inline: ` +
      `the exported "${ref.export}" of ${ref.module} is another function. Export it under a name of its own.`,
  )
}

/** Same text at the same place of the loaded script: certainly the same function, however it was loaded. */
function isVery({ fn }: Candidate, { text, place: expected }: Identity): boolean {
  if (textDigest(fn) !== text) return false
  const place = locate(fn)
  return place !== null && comparePositions(place, expected) === 0
}

/** Where in the module's file a candidate is defined. */
function whereabouts({ fn }: Candidate, path: string, text: string): Range | 'unknown' | 'elsewhere' {
  const place = locate(fn)
  if (place === null) return 'unknown'
  const { range } = definitionOf(fn, place, path, text)
  if (range !== null && range.to === null) return range
  const { url } = scriptOf(place.scriptId)
  // A module may export what another one defines.
  if (url !== '' && pathOfUrl(url) !== path) return 'elsewhere'
  return range ?? 'unknown'
}

/** The careful comparison, for two sides that loaded the module in different ways. */
function canBe(candidate: Candidate, range: Range, path: string, text: string): boolean {
  const place = whereabouts(candidate, path, text)
  return place === 'unknown' || (place !== 'elsewhere' && rangesFit(range, place))
}

/** The candidate of that export name; else the only function among them, which has another export name (`export { f as g }`). */
function pick(candidates: readonly Candidate[], name: string): Candidate | null {
  const named = candidates.find((candidate) => candidate.name === name)
  if (named !== undefined) return named
  const [first] = candidates
  return first !== undefined && candidates.every((candidate) => candidate.fn === first.fn) ? first : null
}

function choose(ref: LocatedRef, candidates: readonly Candidate[], path: string): Candidate {
  const { export: name } = ref
  // A function has the same name of its own on both sides, so few candidates need a look.
  const namesakes = candidates.filter((candidate) => candidate.name === name || candidate.fn.name === name)
  const identity = ref.identity === undefined ? null : parseIdentity(ref.identity)
  if (identity !== null) {
    const very = namesakes.filter((candidate) => isVery(candidate, identity))
    const found = pick(very, name)
    if (found !== null) return found
  }
  // Nothing vouches for a function without a name.
  if (name === '') throw notExported(ref, candidates)
  const range = identity?.range ?? null
  const source = readSource(path)
  // Another content of the file: places tell nothing, and the name decides.
  const isComparable = range !== null && source.digest === ref.digest
  const possible = isComparable
    ? namesakes.filter((candidate) => canBe(candidate, range, path, source.text))
    : namesakes
  const found = pick(possible, name)
  if (found !== null) return found
  throw namesakes.some((candidate) => candidate.name === name) ? definedInline(ref) : notExported(ref, candidates)
}

/**
 * The exported function that `ref` names.
 *
 * @throws TargetNotFoundError if it is not exported, is a class, or is another function than the one of that name
 */
export function findExport(ref: LocatedRef, module: LoadedModule): TargetFunction {
  const found = choose(ref, candidatesOf(module), module.path)
  if (!isClass(found.fn)) return found.fn
  throw new TargetNotFoundError(
    `"${found.name}" of ${ref.module} is a class and cannot be a target. Export a function that uses it.`,
  )
}
