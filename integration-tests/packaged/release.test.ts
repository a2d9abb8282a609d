/** What the next release would be, tried in a copy: the changesets that wait in `.changeset`, and one of our own. */
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import process from 'node:process'
import { expect, onTestFinished, test } from 'vitest'

const root = join(import.meta.dirname, '..', '..')
const changeset = join(root, 'node_modules', '@changesets', 'cli', 'bin.js')
const published = readdirSync(join(root, 'packages'))

interface Manifest {
  readonly name: string
  readonly version: string
}

function manifestOf(folder: string, name: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'packages', name, 'package.json'), 'utf8')) as Manifest
}

/** The repository as the tool for releases sees it: its manifests, and what waits. */
function copyOfManifests(): string {
  const copy = mkdtempSync(join(tmpdir(), 'skein-release-'))
  onTestFinished(() => rmSync(copy, { recursive: true, force: true }))
  const places = ['.', ...published.map((name) => `packages/${name}`), 'examples', 'integration-tests', 'benchmarks']
  for (const file of ['pnpm-workspace.yaml', '.changeset', ...places.map((place) => join(place, 'package.json'))]) {
    mkdirSync(dirname(join(copy, file)), { recursive: true })
    cpSync(join(root, file), join(copy, file), { recursive: true })
  }
  const as = ['-c', 'user.name=test', '-c', 'user.email=test@localhost']
  for (const words of [
    ['init', '-q', '-b', 'main'],
    ['add', '-A'],
    [...as, 'commit', '-qm', 'All'],
  ]) {
    execFileSync('git', words, { cwd: copy })
  }
  return copy
}

function release(copy: string): readonly Manifest[] {
  execFileSync(process.execPath, [changeset, 'version'], { cwd: copy, stdio: 'pipe' })
  return published.map((name) => manifestOf(copy, name))
}

test('a new feature is a minor release of all packages together, and never 1.0 by accident', () => {
  const copy = copyOfManifests()
  writeFileSync(join(copy, '.changeset', 'own.md'), "---\n'@skein/core': minor\n---\n\nA feature.\n")
  const [, minor] = manifestOf(root, 'core').version.split('.').map(Number)
  const released = release(copy)
  expect(released.map(({ version }) => version)).toEqual(published.map(() => `0.${(minor ?? 0) + 1}.0`))
  expect(readFileSync(join(copy, 'packages', 'core', 'CHANGELOG.md'), 'utf8')).toContain('A feature.')
  expect(existsSync(join(copy, '.changeset', 'own.md'))).toBe(false)
  expect(existsSync(join(copy, 'examples', 'CHANGELOG.md'))).toBe(false)
})
