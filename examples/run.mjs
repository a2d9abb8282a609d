// Runs the numbered examples in order, each in a process of its own, and prints a heading before its output.
// `pnpm examples 03 05` runs only those. Exits 1 when an example fails or takes longer than a minute; one that runs until Ctrl-C
// may take as long as it likes, and is left out unless asked for.
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import process from 'node:process'

const LIMIT_MS = 60_000
const UNTIL_INTERRUPTED = ['07-bull-board.ts']
const folder = import.meta.dirname
const wanted = process.argv.slice(2)

// Node 20 cannot read TypeScript by itself; tsx does it there.
const loader = process.features.typescript ? [] : ['--import', 'tsx']

const numbered = readdirSync(folder)
  .filter((file) => /^\d\d-.*\.ts$/.test(file))
  .toSorted()
const chosen = numbered.filter((file) =>
  wanted.length === 0 ? !UNTIL_INTERRUPTED.includes(file) : wanted.some((start) => file.startsWith(start)),
)
if (chosen.length === 0) {
  console.error(`No example matches ${wanted.join(', ') || 'NN-name.ts'}. There are: ${numbered.join(', ') || 'none'}.`)
  process.exit(1)
}

const failed = []
for (const file of chosen) {
  console.log(`\n── ${file} ${'─'.repeat(Math.max(0, 60 - file.length))}`)
  const timeout = UNTIL_INTERRUPTED.includes(file) ? undefined : LIMIT_MS
  const run = spawnSync(process.execPath, [...loader, file], { cwd: folder, stdio: 'inherit', timeout })
  if (run.status === 0) continue
  const how = run.error?.message ?? (run.signal === null ? `exit code ${run.status}` : `signal ${run.signal}`)
  failed.push(`${file} (${how})`)
}

console.log()
if (failed.length > 0) {
  console.error(`Failed: ${failed.join(', ')}.`)
  process.exit(1)
}
console.log(`Ran ${chosen.length} of ${numbered.length} examples, all without an error.`)
