/** Two hosts as on two machines: each has a directory of its own with its own copy of the code, and nothing of the other's. */
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const packages = fileURLToPath(new URL('../../', import.meta.url))

export interface Directory {
  readonly path: string
  remove(): void
}

/** A directory in which the conformance suite's targets are installed. */
export function hostDirectory(name: string): Directory {
  const path = realpathSync(mkdtempSync(join(tmpdir(), `skein-${name}-`)))
  const installed = join(path, 'node_modules', '@skein')
  mkdirSync(installed, { recursive: true })
  writeFileSync(join(path, 'package.json'), JSON.stringify({ name, type: 'module' }))
  for (const part of ['package.json', 'dist']) {
    cpSync(join(packages, 'conformance', part), join(installed, 'conformance', part), { recursive: true })
  }
  // The host's own library, which its processes run on.
  symlinkSync(join(packages, 'core'), join(installed, 'core'))
  symlinkSync(join(packages, 'conformance', 'node_modules', 'vitest'), join(path, 'node_modules', 'vitest'))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}
