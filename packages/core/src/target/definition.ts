/**
 * What is known of a function's definition, on either side, and whether two of them can be the same function.
 *
 * Loaders change code before it runs: tsx puts a module on one line, vitest rewrites it, Node only blanks the types out. So the
 * two sides often see the same function at different places and with different text. `find-export.ts` compares, from certain to
 * careful: same text at the same place of the loaded script; the place in the same file on disk, as far as it can be told; the name.
 */
import { createHash } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { locateFunction, scriptOf } from './locate-function.ts'
import type { ScriptPlace } from './locate-function.ts'
import { comparePositions, originalRange } from './source-map.ts'
import type { Position } from './source-map.ts'

function shortDigest(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex').slice(0, 16)
}

function textOf(fn: object): string {
  return Function.prototype.toString.call(fn)
}

export function isClass(fn: object): boolean {
  return /^class\b/.test(textOf(fn))
}

/** Of the function's text as it was loaded. */
export function textDigest(fn: object): string {
  return shortDigest(textOf(fn))
}

function isBlank(code: number): boolean {
  return code === 32 || code === 9
}

/** Whether `text` stands in `file` from `start` on, but for what Node's type stripping blanks out. */
function standsAt(file: string, start: number, text: string): boolean {
  if (start < 0 || start + text.length > file.length) return false
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i)
    if (code !== file.charCodeAt(start + i) && !isBlank(code)) return false
  }
  return true
}

function offsetOf(file: string, position: Position): number {
  const breaks = /\r\n|[\n\r\u2028\u2029]/g
  for (let line = 0; line < position.line; line += 1) if (breaks.exec(file) === null) return -1
  return breaks.lastIndex + position.column
}

/**
 * Whether the script that runs is the file that is on disk now, here at least. V8 places a function at its parameter list
 * and an arrow function at its start.
 */
function isVerbatim(fn: object, place: ScriptPlace, file: string): boolean {
  const offset = offsetOf(file, place)
  const text = textOf(fn)
  return offset >= 0 && (standsAt(file, offset, text) || standsAt(file, offset - text.indexOf('('), text))
}

/** A file that changed after this process began may not be what was loaded. */
function isOlderThanThisProcess(path: string): boolean {
  return statSync(path).mtimeMs < performance.timeOrigin
}

/** Where in the file on disk a definition starts: at `from`, or somewhere from there to `to` if only a source map tells. */
export interface Range {
  readonly from: Position
  /** `null`: exactly at `from`. */
  readonly to: Position | null
}

export interface Definition {
  /** In the file on disk where that can be told, else in the loaded script. For messages. */
  readonly best: Position
  /** `null`: cannot be told. */
  readonly range: Range | null
}

/** Where `fn`, which runs from the file `path` with the content `file`, is defined. */
export function definitionOf(fn: object, place: ScriptPlace, path: string, file: string): Definition {
  const here = { line: place.line, column: place.column }
  if (isVerbatim(fn, place, file)) return { best: here, range: { from: here, to: null } }
  const { sourceMap } = scriptOf(place.scriptId)
  const mapped = originalRange(sourceMap, place.line, place.column)
  // A map that the file itself ends in is of a build step and tells of other files.
  if (mapped === null || file.includes(sourceMap)) return { best: here, range: null }
  const { best, from, to } = mapped
  return { best, range: isOlderThanThisProcess(path) ? { from, to } : null }
}

export function readSource(path: string): { readonly text: string; readonly digest: string } {
  const bytes = readFileSync(path)
  const text = bytes.toString('utf8')
  return { text: text.startsWith('\uFEFF') ? text.slice(1) : text, digest: shortDigest(bytes) }
}

export function locate(fn: object): ScriptPlace | null {
  const place = locateFunction(fn)
  return typeof place === 'string' ? null : place
}

/** Whether two definitions in the same file can be the same one. */
export function rangesFit(a: Range, b: Range): boolean {
  if (a.to === null && b.to === null) return comparePositions(a.from, b.from) === 0
  // A map may be off by a token, so a common line must do.
  const [aTo, bTo] = [a.to ?? a.from, b.to ?? b.from]
  return a.from.line <= bTo.line && b.from.line <= aTo.line
}
