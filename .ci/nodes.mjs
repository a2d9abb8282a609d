// Runs all tests on every supported major of Node, one after the other. `pnpm test:nodes 24` runs one of them, `pnpm test:nodes packaged`
// the test files with that in their path.
// Each Node comes from the npm package `node`; vitest and all child processes are started by that same binary.
import { spawnSync } from 'node:child_process'
import path from 'node:path'
import process from 'node:process'

const words = process.argv.slice(2)
const asked = words.filter((word) => /^\d+$/.test(word))
const majors = asked.length > 0 ? asked : ['20', '22', '24']
const files = words.filter((word) => !asked.includes(word))
const root = path.dirname(import.meta.dirname)
const vitest = path.join(root, 'node_modules', 'vitest', 'vitest.mjs')

const failed = []
for (const major of majors) {
  console.log(`\n── Node ${major} ${'─'.repeat(52)}`)
  const run = spawnSync('npx', ['--yes', '--package', `node@${major}`, 'node', vitest, 'run', ...files], {
    cwd: root,
    stdio: 'inherit',
    shell: process.platform === 'win32',
  })
  if (run.status !== 0) failed.push(major)
}

if (failed.length > 0) {
  console.error(`\nTests failed on Node ${failed.join(', ')}.`)
  process.exit(1)
}
console.log(`\nAll tests passed on Node ${majors.join(', ')}.`)
