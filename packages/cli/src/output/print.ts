/** What a listing prints: a table for people, one JSON value for programs. */
import { printJson } from './json.ts'
import { bold, type Column, table } from './table.ts'

export interface Listing<T> {
  readonly rows: readonly T[]
  readonly columns: readonly Column<T>[]
  /** Said on standard error where there is no row: nothing, then, is what a program reads. */
  readonly nothing: string
}

export function print<T>({ rows, columns, nothing }: Listing<T>, json: boolean): void {
  if (json) {
    printJson(rows)
    return
  }
  if (rows.length === 0) {
    process.stderr.write(`${nothing}\n`)
    return
  }
  const [titles = '', ...lines] = table(rows, columns)
  process.stdout.write([bold(titles, process.stdout), ...lines, ''].join('\n'))
}
