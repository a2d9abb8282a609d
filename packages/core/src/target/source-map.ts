/**
 * Reads one place out of a source map (ECMA-426, formerly "Source Map Revision 3"). Node's own `SourceMap` class gives the segment
 * before a place only; telling whether two definitions can be the same needs its neighbours too, hence this reader.
 */

/** A place in a file; lines and columns count from 0. */
export interface Position {
  readonly line: number
  readonly column: number
}

/** Something stands at `best`, as far as the map is right, and in any case between `from` and `to`. */
export interface MappedRange {
  readonly best: Position
  readonly from: Position
  readonly to: Position
}

export function comparePositions(a: Position, b: Position): number {
  return a.line - b.line || a.column - b.column
}

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const digitOf: ReadonlyMap<string, number> = new Map(Array.from(DIGITS, (digit, index) => [digit, index]))

/** Base-64 variable-length numbers: five bits a digit, the lowest bit of the number is its sign. */
function readNumbers(segment: string): number[] {
  const numbers: number[] = []
  let value = 0
  let shift = 0
  for (const character of segment) {
    const digit = digitOf.get(character) ?? 0
    value += (digit & 31) * 2 ** shift
    if ((digit & 32) !== 0) {
      shift += 5
      continue
    }
    const half = Math.floor(value / 2)
    numbers.push(value % 2 === 1 ? -half : half)
    value = 0
    shift = 0
  }
  return numbers
}

/** The `mappings` of a `data:` URL; `null` for anything else: a map is a help, and a broken one is as good as none. */
function readMappings(url: string): string | null {
  const match = /^data:application\/json[^,]*?(;base64)?,/.exec(url)
  if (match === null) return null
  const body = url.slice(match[0].length)
  let map: unknown
  try {
    map = JSON.parse(match[1] === undefined ? decodeURIComponent(body) : Buffer.from(body, 'base64').toString())
  } catch {
    return null
  }
  if (typeof map !== 'object' || map === null || !('mappings' in map)) return null
  return typeof map.mappings === 'string' ? map.mappings : null
}

/**
 * Where a generated place came from. Transformers do not map every token, and may drop the one that is asked for (`(x) => x`
 * becomes `x=>x`), and they put in code that maps backwards. So the range spans the containing segment, the one before it and the
 * two after it, in whatever order they are in the original.
 */
export function originalRange(mapUrl: string, line: number, column: number): MappedRange | null {
  const mappings = readMappings(mapUrl)
  if (mappings === null) return null
  let original = { line: 0, column: 0 }
  let before: Position | null = null
  let best: Position | null = null
  const after: Position[] = []
  for (const [generatedLine, segments] of mappings.split(';').entries()) {
    let generatedColumn = 0
    for (const segment of segments === '' ? [] : segments.split(',')) {
      const [columnStep = 0, , lineStep, originalColumnStep = 0] = readNumbers(segment)
      generatedColumn += columnStep
      if (lineStep === undefined) continue
      original = { line: original.line + lineStep, column: original.column + originalColumnStep }
      if (generatedLine < line || (generatedLine === line && generatedColumn <= column)) {
        before = best
        best = original
      } else {
        after.push(original)
      }
      if (after.length === 2) break
    }
    if (after.length === 2) break
  }
  if (best === null) return null
  const near = [best, ...(before === null ? [] : [before]), ...after].toSorted(comparePositions)
  const end: Position = { line: Number.MAX_SAFE_INTEGER, column: 0 }
  return { best, from: near[0] ?? best, to: after.length === 2 ? (near.at(-1) ?? best) : end }
}
