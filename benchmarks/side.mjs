// Runs one program of a row and reads the line it prints. Whatever goes wrong is a sentence in the result, never an exception.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

const TIME_LIMIT = 120_000

/** @typedef {{ seconds: number, count: number }} Sample seconds for `count` operations */
/** @typedef {{ sample: Sample } | { problem: string }} Outcome */

/** The program that runs now, so that an interrupt can end it. @type {import('node:child_process').ChildProcess | null} */
let current = null

/** Ends the running program and whatever it started: it leads a process group of its own. */
export function endCurrent() {
  if (current?.pid === undefined) return
  try {
    process.kill(-current.pid, 'SIGKILL')
  } catch (error) {
    // ESRCH: it ended by itself in this instant.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}

/**
 * @param {string} command
 * @param {readonly string[]} args
 * @returns {Promise<{ stdout: string, problem: string | null }>}
 */
export function run(command, args) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true })
    current = child
    let [stdout, stderr, late] = ['', '', false]
    child.stdout.setEncoding('utf8').on('data', (text) => (stdout += text))
    child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text))
    const timer = setTimeout(() => {
      late = true
      endCurrent()
    }, TIME_LIMIT)
    /** @param {string | null} problem */
    const end = (problem) => {
      clearTimeout(timer)
      if (current === child) current = null
      resolve({ stdout, problem })
    }
    child.on('error', (error) => {
      end('code' in error && error.code === 'ENOENT' ? `no ${command} on the PATH` : error.message)
    })
    child.on('close', (code, signal) => {
      if (late) end(`not done within ${TIME_LIMIT / 1000} s`)
      else if (code !== 0) end(`${reasonIn(stderr)} (${signal ?? `exit code ${code}`})`)
      else end(null)
    })
  })
}

/** The line of an error output that says most: the error of Node or Python, else the last one. @param {string} stderr */
function reasonIn(stderr) {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '')
  return (
    lines.find((line) => /^\S*(Error|Exception)\b.*:/.test(line)) ??
    lines.at(-1) ??
    'failed without a word'
  ).trim()
}

/** @type {Readonly<Record<Exclude<import('./rows.mjs').Program['runner'], 'CPython'>, string>>} */
const packages = {
  skein: '@skein/core',
  Piscina: 'piscina',
  redlock: 'redlock',
  'redis-semaphore': 'redis-semaphore',
  BullMQ: 'bullmq',
}

/** What keeps a runner from running at all, or `null`. @param {import('./rows.mjs').Program['runner']} runner */
export async function missing(runner) {
  if (runner === 'CPython') return (await run('python3', ['-c', 'import multiprocessing'])).problem
  const name = packages[runner]
  try {
    return existsSync(createRequire(import.meta.url).resolve(name)) ? null : `${name} is not installed`
  } catch {
    // Not found, or found without the file that its package names: told apart by who has to mend it.
    return runner === 'skein'
      ? '@skein/core is not built: run "pnpm build"'
      : `${name} is not installed: run "pnpm install"`
  }
}

/** @param {import('./rows.mjs').Program} program @returns {Promise<Outcome>} */
export async function measure(program) {
  const folder = program.folder ?? program.runner.toLowerCase()
  const file = fileURLToPath(new URL(`./${folder}/${program.file}`, import.meta.url))
  const command = program.runner === 'CPython' ? 'python3' : process.execPath
  const { stdout, problem } = await run(command, [file, ...program.args.map(String)])
  if (problem !== null) return { problem }
  const line = stdout.trim().split('\n').at(-1) ?? ''
  const figures = figuresIn(line)
  if (figures === null)
    return { problem: `printed ${JSON.stringify(line.slice(0, 60))} where its figures were expected` }
  const { seconds, count, sum } = figures
  if (sum !== program.sum) return { problem: `wrong result: the sum is ${sum} where ${program.sum} was expected` }
  return { sample: { seconds, count } }
}

/** @param {string} line @returns {{ seconds: number, count: number, sum: number } | null} */
function figuresIn(line) {
  try {
    const { seconds, count, sum } = JSON.parse(line)
    return seconds > 0 && count > 0 && typeof sum === 'number' ? { seconds, count, sum } : null
  } catch {
    // Not JSON, or not an object: the caller shows the line.
    return null
  }
}
