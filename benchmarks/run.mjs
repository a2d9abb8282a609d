// Skein beside CPython's multiprocessing and Piscina: one interleaved run, a table of ratios.
//
//   node benchmarks/run.mjs [--rounds N] [--only name,name] [--json]
//
// Each round runs every row once, ours and then theirs, each in a fresh process; a ratio compares the two neighbours, so that
// what else the machine does meets both. Exits 0 whatever the figures are: the marks say what they mean.
import os from 'node:os'
import { parseArgs } from 'node:util'

import { rows } from './rows.mjs'
import { endCurrent, measure, missing, run } from './side.mjs'
import { passes, ratios, spread, table } from './table.mjs'

/** @typedef {import('./table.mjs').Result} Result */

/** @param {string} sentence @returns {never} */
function refuse(sentence) {
  console.error(sentence)
  process.exit(2)
}

function readArguments() {
  try {
    const { values } = parseArgs({
      options: {
        rounds: { type: 'string', default: '5' },
        only: { type: 'string' },
        json: { type: 'boolean', default: false },
      },
    })
    return values
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error))
  }
}

const values = readArguments()
const rounds = Number(values.rounds)
if (!Number.isInteger(rounds) || rounds < 1)
  refuse(`--rounds is "${values.rounds}"; a whole number from 1 on was expected.`)
const known = rows.map((row) => row.name)
const wanted = values.only?.split(',') ?? known
const unknown = wanted.find((name) => !known.includes(name))
if (unknown !== undefined) refuse(`--only names "${unknown}", which is no row; there are ${known.join(', ')}.`)

process.on('SIGINT', () => {
  endCurrent()
  process.exit(130)
})

/** Progress, for somebody who watches. @param {string} text */
function say(text) {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`)
}

const PYTHON_FACTS = 'import platform, multiprocessing as m; print(platform.python_version(), m.get_start_method())'
const [pythonVersion = '', startMethod = ''] = (await run('python3', ['-c', PYTHON_FACTS])).stdout.trim().split(' ')
const machine = {
  cpu: os.cpus()[0]?.model.trim() ?? 'unknown',
  cores: os.availableParallelism(),
  system: `${os.type()} ${os.release()}`,
  node: process.versions.node,
  python: pythonVersion === '' ? null : `${pythonVersion}, ${startMethod} by default`,
  loadBefore: os.loadavg()[0] ?? 0,
}

/** @type {Map<string, string | null>} */
const absent = new Map()
for (const runner of /** @type {const} */ (['skein', 'CPython', 'Piscina'])) absent.set(runner, await missing(runner))

const chosen = rows.filter((row) => wanted.includes(row.name))
/** @type {Result[]} */
const results = chosen.map(({ name, title, unit, peer, required, ours, theirs }) => ({
  name,
  title,
  unit,
  peer,
  required,
  ours: [],
  theirs: [],
  absent: absent.get(ours.runner) ?? absent.get(theirs.runner) ?? null,
  problem: null,
}))

for (let round = 1; round <= rounds; round++) {
  for (const [index, row] of chosen.entries()) {
    const result = results[index]
    if (result === undefined || result.problem !== null) continue
    say(`round ${round} of ${rounds}: ${row.title}`)
    for (const [side, program] of /** @type {const} */ ([
      ['ours', row.ours],
      ['theirs', row.theirs],
    ])) {
      if (result.problem !== null || absent.get(program.runner) !== null) continue
      const outcome = await measure(program)
      if ('sample' in outcome) result[side].push(outcome.sample)
      else result.problem = `${side === 'ours' ? 'Skein' : row.peer}: ${outcome.problem}`
    }
  }
}
say('')

if (values.json) {
  const report = results.map((result) => {
    const each = ratios(result)
    return { ...result, ratios: each, ratio: each.length > 0 ? spread(each) : null, passed: passes(result) }
  })
  console.log(
    JSON.stringify({ machine: { ...machine, loadAfter: os.loadavg()[0] ?? 0 }, rounds, rows: report }, null, 2),
  )
} else {
  console.log(
    `${machine.cores} cores, ${machine.cpu}, ${machine.system}; Node ${machine.node}; CPython ${machine.python ?? 'absent'}; ` +
      `${rounds} rounds; load before ${machine.loadBefore.toFixed(2)}`,
  )
  console.log('Medians with the least and the most; a ratio above 1 means that Skein is faster.\n')
  console.log(table(results))
}
