// Runs all tests on servers that are entered in another way than a plain url: `node .ci/redis.mjs tls-acl`, and behind it the paths of test
// files to run only those.
import { spawnSync } from 'node:child_process'
import path from 'node:path'
import process from 'node:process'

const [mode, ...files] = process.argv.slice(2)
const root = path.dirname(import.meta.dirname)
const vitest = path.join(root, 'node_modules', 'vitest', 'vitest.mjs')
const run = spawnSync(process.execPath, [vitest, 'run', ...files], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, SKEIN_TEST_REDIS: mode },
})
process.exit(run.status ?? 1)
