/** The text of a script as a server of that version takes it: read from its files, with the line that says what it may do. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { ScriptOptions } from './surround.ts'

const folder = new URL('../../scripts/', import.meta.url)
const files = new Map<string, string>()

function fileOf(name: string): string {
  let text = files.get(name)
  if (text === undefined) {
    text = readFileSync(new URL(`${name}.lua`, folder), 'utf8')
    files.set(name, text)
  }
  return text
}

/** One script as the server gets it. */
export interface Loaded {
  readonly text: string
  readonly sha: string
}

/** Before 7.0 there are no flags: a script is refused at its first command that needs memory, unless it has written before. */
const WRITE_FIRST = `redis.pcall('HDEL', KEYS[1], '')\n`

/** @param flags whether the server knows the line `#!lua flags=…` */
export function assemble(name: string, options: ScriptOptions, flags: boolean): Loaded {
  const parts = [options.prelude === undefined ? '' : fileOf(options.prelude), options.text ?? fileOf(name)]
  const body = parts.map((part) => part.replace(/^#!.*\n/, '')).join('\n')
  const { allowOom = false, readOnly = false } = options
  const oom = allowOom || readOnly
  const head = flags
    ? `#!lua${oom ? ` flags=allow-oom${readOnly ? ',no-writes' : ''}` : ''}\n`
    : allowOom && !readOnly
      ? WRITE_FIRST
      : ''
  const text = head + body
  return { text, sha: createHash('sha1').update(text).digest('hex') }
}
