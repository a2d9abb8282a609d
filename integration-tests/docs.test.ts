/** The documents say what is so: their snippets run as they stand, and the guide from Python leaves no name out. */
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { expect, test } from 'vitest'
import { Program } from './support/program.ts'
import { redisForTest } from './support/redis.ts'
import { programOf } from './support/snippets.ts'
import { pythonNames } from './support/python-names.ts'

const docs = join(import.meta.dirname, '..', 'docs')
const fromPython = join(docs, 'from-python.md')
const readme = join(import.meta.dirname, '..', 'README.md')

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

test('README.md: its program prints what its screens say, on local and on redis', { timeout: 60_000 }, async () => {
  const screens = /^```console\n([^]*?)^```$/m.exec(readFileSync(readme, 'utf8'))?.[1]?.split(/^\$ /m).slice(1) ?? []
  expect(screens).toHaveLength(2)
  const { url } = await redisForTest()
  for (const screen of screens) {
    const [line = '', ...said] = screen.trimEnd().split('\n')
    expect(line).toMatch(/^(SKEIN_URL=redis:\S+ )?node greet\.ts$/)
    const { folder } = programOf(readme)
    const env = { SKEIN_URL: line.startsWith('SKEIN_URL') ? url : '' }
    const { code, stdout, stderr } = await new Program('greet.ts', { folder, env }).ended
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    // Who of two workers comes first is not said.
    expect(stdout.trimEnd().split('\n').toSorted()).toEqual(said.toSorted())
  }
})

test('README.md: its figures are those that were recorded', () => {
  const recorded = readFileSync(join(docs, '..', 'benchmarks', 'README.md'), 'utf8')
  const [measured = ''] = /^- .*\[Measured\].*$/m.exec(readFileSync(readme, 'utf8')) ?? []
  const figures = measured.match(/\d[\d.]*(?: ms| µs|×)/g) ?? []
  expect(figures).toHaveLength(6)
  for (const figure of figures) expect(recorded).toContain(figure)
})

test.each([fromPython, readme])('%s: every snippet compiles', { timeout: 60_000 }, (document) => {
  const { folder, file } = programOf(document)
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

test('complaints.md: each report has a test that is named after it', () => {
  const rows = readFileSync(join(docs, 'complaints.md'), 'utf8')
    .split('\n')
    .filter((line) => /^\| \d/.test(line))
  expect(rows).toHaveLength(35)
  const sources = ['packages/conformance/src', 'packages/redis-adapter/test', 'integration-tests']
  const root = join(import.meta.dirname, '..')
  const titles = sources
    .flatMap((folder) => readdirSync(join(root, folder)).map((file) => join(root, folder, file)))
    .filter((file) => file.endsWith('.ts') && file !== import.meta.filename)
    .map((file) => readFileSync(file, 'utf8'))
    .join('\n')
  const reports = rows.flatMap(
    (row) =>
      row
        .split('|')[2]
        ?.split(',')
        .map((name) => name.trim()) ?? [],
  )
  expect(reports.length).toBeGreaterThanOrEqual(35)
  // In the brackets at the end of a title there may be more than one.
  expect(reports.filter((report) => !new RegExp(`\\([^()]*\\b${report}\\b[^()]*\\)['\`]`).test(titles))).toEqual([])
})
