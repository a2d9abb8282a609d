/**
 * A process of the chaos test: changes a value, a dict and a list for ever. After each answer it appends one letter to the history, at
 * once, so that a kill loses none that was due: `v` the value, `d` the dict, `a` its counter, `p` a pair pushed.
 */
import { openSync, writeSync } from 'node:fs'
import process from 'node:process'
import { pathToFileURL } from 'node:url'
import { connect } from '@skein/core'

/**
 * What follows from `n`, so that a change that was applied by half would show.
 *
 * @param {number} n
 */
export function stateOf(n) {
  return { n, twice: 2 * n, text: 'x'.repeat((n * 37) % 5_000) }
}

/**
 * @param {object} shared
 * @param {import('@skein/core').Value<ReturnType<typeof stateOf>>} shared.value
 * @param {import('@skein/core').SharedDict<unknown>} shared.dict
 * @param {import('@skein/core').SharedList<string>} shared.list
 * @param {string} history path of a file
 * @param {number} who
 */
export async function change({ value, dict, list }, history, who) {
  const file = openSync(history, 'a')
  const done = (letter) => writeSync(file, letter)
  for (let round = 0; ; round += 1) {
    await value.update(({ n }) => stateOf(n + 1))
    done('v')
    await dict.update(round % 3, (current = stateOf(0)) => stateOf(current.n + 1))
    done('d')
    await dict.update('sum', (sum = 0) => sum + 1)
    done('a')
    await list.push(`${who}.${round}`, `${who}.${round}`)
    done('p')
  }
}

// As a program of its own.
if (pathToFileURL(process.argv[1] ?? '').href === import.meta.url) {
  const [, , url, namespace, history, who] = process.argv
  const mp = await connect(url, { namespace, sessionTtl: 1_000 })
  await change({ value: mp.value(stateOf(0), 'v'), dict: mp.dict('d'), list: mp.list('l') }, history, who)
}
