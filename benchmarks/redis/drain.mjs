// Eight waiters in four processes want one lock at the same time, hold it for 10 ms each, and are done: a wave.
// Usage: drain.mjs LIBRARY whole|idle WAVES
// `whole`: from the word to the last release. `idle`: the same without the time that somebody held the lock.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

import { openLock } from './locks.mjs'

const PROCESSES = 4
const WAITERS_EACH = 2
const HOLD = 10
const WARM_UPS = 10

/** @typedef {{ ended: number, held: number, sections: number }} Told stamps and times in ms */

const now = () => Number(process.hrtime.bigint()) / 1e6

/** @param {import('./locks.mjs').Acquire} acquire */
async function section(acquire) {
  const release = await acquire()
  const since = now()
  await pause(HOLD)
  const held = now() - since
  await release()
  return held
}

const [library = '', measured = '', words] = process.argv.slice(2)
if (process.send === undefined) {
  const waves = Number(words)
  const file = fileURLToPath(import.meta.url)
  const children = Array.from({ length: PROCESSES }, () => fork(file, [library, 'waiter']))
  await Promise.all(children.map((child) => once(child, 'message')))
  let [time, sections] = [0, 0]
  for (let wave = 0; wave < WARM_UPS + waves; wave++) {
    const done = Promise.all(children.map((child) => once(child, 'message')))
    const started = now()
    for (const child of children) child.send('go')
    /** @type {Told[]} */
    const told = (await done).map(([message]) => message)
    if (wave < WARM_UPS) continue
    time += Math.max(...told.map(({ ended }) => ended)) - started
    for (const one of told) {
      sections += one.sections
      if (measured === 'idle') time -= one.held
    }
  }
  for (const child of children) child.disconnect()
  console.log(JSON.stringify({ seconds: time / 1000, count: sections, sum: sections }))
} else {
  const { acquire, close } = await openLock(library, 'drained')
  const wave = async () => {
    const held = await Promise.all(Array.from({ length: WAITERS_EACH }, () => section(acquire)))
    process.send?.({ ended: now(), held: held.reduce((a, b) => a + b), sections: held.length })
  }
  process.on('message', () => void wave())
  process.once('disconnect', () => void close())
  process.send('ready')
}
