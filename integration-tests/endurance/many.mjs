// Starts and ends processes, then opens and closes pools, as many as its arguments say, and tells what it holds before and after each.
import process from 'node:process'
import { excess, footprint, until } from '@skein/conformance'
import { tsImport } from 'tsx/esm/api'
import { double, nothing } from './tasks.mjs'
import { probeThreads, weigh } from './weight.mjs'

probeThreads()
const { connect } = await import('@skein/core')
/** @type {typeof import('../support/leftovers.ts')} */
const { leftovers } = await tsImport('../support/leftovers.ts', import.meta.url)
/** @type {typeof import('../support/resp.ts')} */
const { ask } = await tsImport('../support/resp.ts', import.meta.url)

// The last one: how the server's administrator reaches it, if there is a server.
const [url = '', namespace = '', warming = '', rounds = '', admin = ''] = process.argv.slice(2)
/** @param {(string | number)[]} command */
const asked = async (...command) => ask(admin, ...command)
const keys = async () => (admin === '' ? [] : leftovers({ ask: asked }, namespace))
const none = await footprint(keys)
const mp = await connect(url, { namespace })

/** @param {number} count */
async function processes(count) {
  for (let i = 0; i < count; i += 1) {
    const child = mp.process(nothing)
    await child.start()
    await child.join()
  }
}

/** @param {number} count */
async function pools(count) {
  for (let i = 0; i < count; i += 1) {
    const pool = mp.pool(1)
    const doubled = await pool.map(double, [1, 2, 3])
    if (String(doubled) !== '2,4,6') throw new Error(`three doubled numbers are ${String(doubled)}`)
    if (i % 2 === 0) pool.close()
    else await pool.terminate()
    await pool.join()
  }
}

/** The library keeps some pipes ready, now more and now fewer. @param {string} line */
const isStock = (line) => /skein-.*\(deleted\)$/.test(line)

/** Whatever is given back a little later gets time. @param {readonly string[]} before */
async function settledExcess(before) {
  /** @type {string[]} */
  let left = []
  const settled = async () => {
    left = excess(before, await footprint(keys)).filter((line) => !isStock(line))
    return left.length === 0
  }
  await until('nothing is left', settled, 5_000).catch(() => undefined)
  return left
}

for (const [name, run] of Object.entries({ processes, pools })) {
  // Of ended processes the last ones are kept, of pools none.
  await run(run === processes ? Number(warming) : Number(warming) / 5)
  const held = await footprint(keys)
  const before = await weigh()
  await run(Number(rounds))
  const told = { left: await settledExcess(held), before, after: await weigh() }
  console.log(name, JSON.stringify(told))
}
const stock = (await footprint(keys)).filter(isStock).length
await mp.close()
console.log('end', JSON.stringify({ stock, left: await settledExcess(none) }))
