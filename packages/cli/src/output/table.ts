/** Rows under titles, aligned: plain text that a person reads and `awk` can cut. */
import { styleText } from 'node:util'
import stringWidth from 'string-width'

export interface Column<T> {
  readonly title: string
  /** `null` shows as `-`. */
  readonly of: (row: T) => string | number | null
}

const GAP = '  '

/** One line for the titles, and one for each row. */
export function table<T>(rows: readonly T[], columns: readonly Column<T>[]): string[] {
  const texts = rows.map((row) => columns.map((column) => clean(column.of(row))))
  const widths = columns.map(({ title }, index) =>
    Math.max(stringWidth(title), ...texts.map((cells) => stringWidth(cells[index] ?? ''))),
  )
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, index) => cell + ' '.repeat((widths[index] ?? 0) - stringWidth(cell)))
      .join(GAP)
      .trimEnd()
  return [line(columns.map(({ title }) => title)), ...texts.map(line)]
}

/** Names come from other programs: none of them moves the cursor, or breaks a line. */
export function clean(value: string | number | null): string {
  if (value === null || value === '') return '-'
  return String(value).replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '?')
}

/** The text cut to so many columns. */
export function cut(text: string, columns: number): string {
  if (stringWidth(text) <= columns) return text
  let kept = ''
  for (const letter of text) {
    if (stringWidth(kept + letter) >= columns) break
    kept += letter
  }
  return `${kept}…`
}

/** For a terminal that shows colours, unless the environment asks for none. */
export function bold(text: string, stream: NodeJS.WriteStream): string {
  return stream.isTTY && stream.hasColors() ? styleText('bold', text) : text
}
