/** What the workers run that are killed: each task leaves a mark when it begins and another one when it has ended. */
import { appendFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'

/** @param {number} milliseconds */
function compute(milliseconds) {
  const end = performance.now() + milliseconds
  while (performance.now() < end);
}

/**
 * Some take microseconds, some compute, some wait.
 *
 * @param {string} path
 * @param {number} item
 */
export function work(path, item) {
  appendFileSync(path, `b${item}\n`)
  if (item % 3 === 0) compute(4)
  if (item % 3 === 1) return later(path, item)
  appendFileSync(path, `e${item}\n`)
  return item * 2
}

/** @param {string} path @param {number} item */
async function later(path, item) {
  await pause(3)
  appendFileSync(path, `e${item}\n`)
  return item * 2
}
