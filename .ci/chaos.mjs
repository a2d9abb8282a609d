// The long runs of what `pnpm test` runs for a few seconds, one file after the other. `pnpm chaos masters` runs those with that in their path.
import { spawnSync } from 'node:child_process'
import path from 'node:path'
import process from 'node:process'

const long = {
  SKEIN_CHAOS_SECONDS: '60',
  SKEIN_CHAOS_ITEMS: '20000',
  SKEIN_CHAOS_KILLS: '30',
  SKEIN_CHAOS_STARTS: '1000',
  SKEIN_CHAOS_TASKS: '10000',
  SKEIN_CHAOS_PROCESSES: '2000',
}
const wanted = process.argv.slice(2)
const root = path.dirname(import.meta.dirname)
const vitest = path.join(root, 'node_modules', 'vitest', 'vitest.mjs')
const files = wanted.length > 0 ? wanted : ['-chaos/', '/endurance/']

const run = spawnSync(
  process.execPath,
  [vitest, 'run', '--no-file-parallelism', '--project', 'integration', ...files],
  {
    cwd: root,
    stdio: 'inherit',
    env: { ...long, ...process.env },
  },
)
process.exit(run.status ?? 1)
