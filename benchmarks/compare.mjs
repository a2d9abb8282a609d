// One interleaved run of some rows: reads the command line, measures round by round, prints the table.
import os from 'node:os'
import { parseArgs } from 'node:util'

import { endCurrent, measure, missing } from './side.mjs'
import { passes, ratios, spread, table } from './table.mjs'

/** @typedef {import('./rows.mjs').Row} Row */
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

/** Progress, for somebody who watches. @param {string} text */
function say(text) {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`)
}

/**
 * @param {readonly Row[]} rows
 * @param {() => Promise<Readonly<Record<string, string>>>} facts what the table's first line says beside the machine and Node; called
 *   once the command line is known to be right
 */
export async function compare(rows, facts) {
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

  const machine = {
    cpu: os.cpus()[0]?.model.trim() ?? 'unknown',
    cores: os.availableParallelism(),
    system: `${os.type()} ${os.release()}`,
    loadBefore: os.loadavg()[0] ?? 0,
    Node: process.versions.node,
    ...(await facts()),
  }

  const chosen = rows.filter((row) => wanted.includes(row.name))
  /** @type {Map<string, string | null>} */
  const absent = new Map()
  for (const runner of new Set(chosen.flatMap(({ ours, theirs }) => [ours.runner, theirs.runner])))
    absent.set(runner, await missing(runner))

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
    return
  }
  const { cpu, cores, system, loadBefore, ...versions } = machine
  const named = Object.entries(versions).map(([name, version]) => `${name} ${version}`)
  console.log(
    `${cores} cores, ${cpu}, ${system}; ${named.join('; ')}; ${rounds} rounds; load before ${loadBefore.toFixed(2)}`,
  )
  console.log('Medians with the least and the most; a ratio above 1 means that Skein is faster.\n')
  console.log(table(results))
}
