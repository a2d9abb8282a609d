/**
 * A program, and `skein host` on another machine: here two directories, each with its own copy of a package. They meet in a Redis; on local:
 * there is one machine, so the example only says what it wants.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { connect, isMainProcess, targetsOf } from '@skein/core'

/** What this program knows of the package. It never loads it. */
interface Tasks {
  count(text: string): number
  report(): string
}

/** On a real one: `npm install --global @skein/cli`, and then in the directory that holds the package `skein host --label machine=other`. */
function startOtherMachine(directory: string) {
  const skein = fileURLToPath(new URL('../packages/cli/dist/skein.js', import.meta.url))
  const args = ['host', '--slots', '2', '--label', 'machine=other']
  return spawn(process.execPath, [skein, ...args], { cwd: directory, stdio: ['ignore', 'inherit', 'pipe'] })
}

async function main() {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'other-machine-')))
  cpSync(new URL('two-machines', import.meta.url), directory, { recursive: true })
  const host = startOtherMachine(directory)
  await once(host.stderr, 'data') // "Serving redis://…"

  const mp = await connect()
  const tasks = targetsOf<Tasks>(new URL('two-machines/tasks.js', import.meta.url))
  const there = { labels: { machine: 'other' } }

  const pool = mp.pool(2, there)
  console.log(await pool.map(tasks.count, ['to be', 'or not to be', 'that is the question']))
  pool.close()
  await pool.join()

  // What it prints is printed here.
  const reporter = await mp.process(tasks.report, [], there).start()
  console.log(`It ran in the other directory: ${(await reporter.result()) === directory}`)
  const hosts = await mp.hosts()
  console.log(`Its host is ${hosts.find(({ labels }) => labels['machine'] === 'other')?.state}`)
  await mp.close()

  host.kill('SIGTERM')
  const [code] = await once(host, 'exit')
  console.log(`The host let its work end, and ended with ${code}`)
  rmSync(directory, { recursive: true })
}

if (isMainProcess) {
  if (process.env['SKEIN_URL']?.startsWith('redis')) await main()
  else console.log('Start a Redis and set SKEIN_URL=redis://localhost:6379 to have two machines.')
}
