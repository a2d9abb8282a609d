/** Skein in another version, in a directory of its own, as on a machine that was not updated yet: a copy of the build with another number in it. */
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const repository = join(import.meta.dirname, '..', '..')

export interface Build {
  /** Where it is, with a copy of `integration-tests/programs` and of the named folders. */
  readonly path: string
  readonly version: string
  remove(): void
}

export interface BuildOptions {
  readonly version: string
  /** What it speaks; default: what it spoke. */
  readonly protocol?: number
  /** Folders of `integration-tests`. */
  readonly with: readonly string[]
}

function edit(file: string, from: RegExp, to: string): void {
  const text = readFileSync(file, 'utf8')
  if (!from.test(text)) throw new Error(`${file} has no ${String(from)}`)
  writeFileSync(file, text.replace(from, to))
}

export function otherBuild({ version, protocol, with: folders }: BuildOptions): Build {
  const path = realpathSync(mkdtempSync(join(tmpdir(), `skein-${version}-`)))
  for (const part of ['package.json', 'programs', ...folders]) {
    cpSync(join(repository, 'integration-tests', part), join(path, part), { recursive: true })
  }
  const installed = join(path, 'node_modules', '@skein')
  for (const name of ['core', 'redis-adapter']) {
    const [from, to] = [join(repository, 'packages', name), join(installed, name)]
    for (const part of readdirSync(from).filter((one) => ['package.json', 'dist', 'scripts'].includes(one))) {
      cpSync(join(from, part), join(to, part), { recursive: true })
    }
    edit(join(to, 'package.json'), /"version": "[^"]+"/, `"version": "${version}"`)
  }
  const outside = join(installed, 'redis-adapter', 'node_modules')
  mkdirSync(outside)
  for (const name of readdirSync(join(repository, 'packages', 'redis-adapter', 'node_modules'))) {
    if (/^[.@]/.test(name)) continue
    symlinkSync(join(repository, 'packages', 'redis-adapter', 'node_modules', name), join(outside, name))
  }
  if (protocol !== undefined) {
    edit(join(installed, 'core', 'dist', 'wire', 'protocol.js'), /PROTOCOL = \d+;/, `PROTOCOL = ${protocol};`)
  }
  return { path, version, remove: () => rmSync(path, { recursive: true, force: true }) }
}
