/**
 * What tells a function from a namesake, as it crosses processes: `text@place`, `text@place=at` or `text@place=from-to`.
 * Opaque to everybody else.
 */
import type { TargetRef } from '../contract/target.ts'
import type { Range } from './definition.ts'
import type { Position } from './source-map.ts'

/** A reference with what tells its function from a namesake. Without it, the name decides. */
export interface LocatedRef extends TargetRef {
  readonly identity?: string
}

export interface Identity {
  /** Short digest of the function's text, as it was loaded. */
  readonly text: string
  /** In the loaded script. */
  readonly place: Position
  /** Where in the file on disk the definition starts; `null`: cannot be told. */
  readonly range: Range | null
}

/** As people count: from 1. */
export function formatPosition(position: Position): string {
  return `${position.line + 1}:${position.column + 1}`
}

function parsePosition(text: string): Position {
  const [line = 1, column = 1] = text.split(':').map(Number)
  return { line: line - 1, column: column - 1 }
}

export function formatIdentity({ text, place, range }: Identity): string {
  const base = `${text}@${formatPosition(place)}`
  if (range === null) return base
  const places = range.to === null ? [range.from] : [range.from, range.to]
  return `${base}=${places.map(formatPosition).join('-')}`
}

export function parseIdentity(identity: string): Identity {
  const [text = '', place = '', range = ''] = identity.split(/[@=]/)
  const [from, to = null] = range === '' ? [] : range.split('-').map(parsePosition)
  return { text, place: parsePosition(place), range: from === undefined ? null : { from, to } }
}
