/**
 * One turn in a condition, as the dying and the living take it alike. While it holds the lock it writes lines to the history of the lock,
 * each after `assertHeld()`; see `lock-chaos/history.ts`.
 */
import { openSync, writeSync } from 'node:fs'
import process from 'node:process'

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

/** One whose name begins with `of-` belongs to a lock of that name, another one to its own. */
export function conditionOf(mp, name) {
  return mp.condition(name.startsWith('of-') ? { name, lock: mp.lock(name) } : name)
}

/** @param {string} history */
export function scribe(history) {
  // Lines of all processes in one file: the system puts each behind all that are there.
  const file = openSync(history, 'a')
  return (flow) => (what, lease) => {
    lease.assertHeld()
    writeSync(file, `${what} ${process.pid} ${flow} ${lease.token} write\n`)
  }
}

/** `woken` comes when it has the lock again, `left` before it gives it back, `returned` when it has. */
export async function waitOnce(condition, write, hold, say = (_word) => {}) {
  await condition.with(async (lease) => {
    write('E', lease)
    write('L', lease)
    await condition.wait()
    write('E', lease)
    say('woken')
    await pause(hold)
    write('L', lease)
    say('left')
  })
  say('returned')
}

/** `notified` comes as often as it has notified, before it gives the lock back. */
export async function notifyOnce(condition, write, count, hold, say = (_word) => {}) {
  await condition.with(async (lease) => {
    write('E', lease)
    await condition.notify(count)
    for (let one = 0; one < count; one += 1) say('notified')
    await pause(hold)
    write('L', lease)
  })
}
