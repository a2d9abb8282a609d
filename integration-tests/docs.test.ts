/** The documents say what is so: their snippets run as they stand, and the guide from Python leaves no name out. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { expect, test } from 'vitest'
import { Program } from './support/program.ts'
import { redisForTest } from './support/redis.ts'
import { programOf } from './support/snippets.ts'
import { pythonNames } from './support/python-names.ts'

const docs = join(import.meta.dirname, '..', 'docs')
const fromPython = join(docs, 'from-python.md')

for (const kind of ['local', 'redis'] as const) {
  test(`from-python.md: every snippet does what it says, on ${kind}`, { timeout: 60_000 }, async () => {
    const { folder, file, claims } = programOf(fromPython)
    const url = kind === 'local' ? 'local:' : (await redisForTest()).url
    const program = new Program(file, { folder, env: { SKEIN_URL: url } })
    const { code, stdout, stderr } = await program.ended
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout.split('\n').filter((line) => /^(→|throws) /.test(line))).toHaveLength(claims)
    expect(claims).toBeGreaterThan(40)
  })
}

test('from-python.md: every snippet compiles', { timeout: 60_000 }, () => {
  const { folder, file } = programOf(fromPython)
  const tsc = join(import.meta.dirname, '..', 'node_modules', 'typescript', 'bin', 'tsc')
  const flags = [
    '--ignoreConfig',
    '--noEmit',
    '--strict',
    '--target',
    'es2023',
    '--module',
    'nodenext',
    '--types',
    'node',
    '--skipLibCheck',
  ]
  const run = spawnSync(process.execPath, [tsc, ...flags, '--allowImportingTsExtensions', join(folder, file)], {
    cwd: join(import.meta.dirname, '..'),
    encoding: 'utf8',
  })
  expect(run.stdout).toBe('')
  expect(run.status).toBe(0)
})

test('from-python.md names every public name of multiprocessing and of ProcessPoolExecutor', () => {
  const text = readFileSync(fromPython, 'utf8')
  const missing = pythonNames.filter((name) => {
    const word = new RegExp(`\`(?:[\\w.]*\\.)?${name.replace('.', '\\.')}[\`(]`)
    return !word.test(text)
  })
  expect(missing).toEqual([])
})
