// Runs the files once more, alone, in which tests failed: `node .ci/again.mjs REPORT`, with vitest's JSON report. Succeeds if everything in them
// passes then; the report is as of that run afterwards, with the names of what had failed under `unsteady`. Many broken files are no accident,
// and not run again; nor is chaos, where a fault that shows once is a fault, unless all that failed there is that a seeded one has not shown itself.
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'

const MOST_FILES = 5

const [report = ''] = process.argv.slice(2)
const root = path.dirname(import.meta.dirname)

const read = (file) => JSON.parse(readFileSync(file, 'utf8'))

// An error outside of all tests is in no file of the report.
if (read(`${report}.errors`).length > 0) process.exit(1)

const first = read(report)
const broken = first.testResults.filter(({ status }) => status === 'failed')
if (broken.length === 0 || broken.length > MOST_FILES) process.exit(1)

const failedOf = ({ assertionResults }) => {
  const tests = assertionResults.filter(({ status }) => status === 'failed').map(({ fullName }) => fullName)
  return tests.length > 0 ? tests : ['the file as a whole']
}
const chaos = broken.filter(({ name }) => name.includes('-chaos/')).flatMap(failedOf)
if (chaos.some((test) => !/\bfound: /.test(test))) process.exit(1)

const unsteady = broken.flatMap((file) => failedOf(file).map((test) => `${path.relative(root, file.name)}: ${test}`))
console.log(`\n=== once more, alone, because of\n${unsteady.join('\n')}`)

const second = `${report}.again`
const vitest = path.join(root, 'node_modules', 'vitest', 'vitest.mjs')
const files = broken.map(({ name }) => path.relative(root, name))
const run = spawnSync(process.execPath, [vitest, 'run', '--no-file-parallelism', ...files], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, SKEIN_TEST_REPORT: second },
})
if (run.status !== 0) process.exit(1)

const again = new Map(read(second).testResults.map((file) => [file.name, file]))
const testResults = first.testResults.map((file) => again.get(file.name) ?? file)
const passed = testResults.flatMap(({ assertionResults }) =>
  assertionResults.filter(({ status }) => status === 'passed'),
)
writeFileSync(
  report,
  JSON.stringify({ ...first, testResults, numPassedTests: passed.length, numFailedTests: 0, unsteady }),
)
