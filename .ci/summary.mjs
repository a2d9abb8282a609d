// Prints `N passed, N failed` from vitest's JSON report (first argument).
// The second argument counts the steps of .ci/run that failed: a red run never prints `0 failed`.
import { readFileSync } from 'node:fs'
import process from 'node:process'

const [report = '', failedSteps = '0'] = process.argv.slice(2)

function count() {
  let text
  try {
    text = readFileSync(report, 'utf8')
  } catch (error) {
    console.error(`No test report, so the tests did not run to their end: ${error.message}`)
    return { passed: 0, failed: 1 }
  }
  const { numPassedTests: passed, numFailedTests, testResults, unsteady = [] } = JSON.parse(text)
  for (const name of unsteady) console.log(`Unsteady, failed in the whole run and passed alone: ${name}`)
  // A file that fails while it loads has no test to count, and is a failure all the same.
  const broken = testResults.filter(
    (file) => file.status === 'failed' && file.assertionResults.every((test) => test.status !== 'failed'),
  )
  return { passed, failed: numFailedTests + broken.length }
}

const { passed, failed } = count()
console.log(`${passed} passed, ${Math.max(failed, Number(failedSteps) > 0 ? 1 : 0)} failed`)
process.exit(passed > 0 && failed === 0 ? 0 : 1)
