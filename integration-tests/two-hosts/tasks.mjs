/** What the tests of two hosts run there. */
import { hostname } from 'node:os'
import { setTimeout as pause } from 'node:timers/promises'

/** @returns {[string, number]} */
export function hostAndPid() {
  return [hostname(), process.pid]
}

/** @param {number} ms */
export async function numberAfter(ms) {
  await pause(ms)
  return ms
}

/**
 * Says its process id, and never ends.
 *
 * @param {import('@skein/core').Queue<number>} said
 */
export async function sayOften(said) {
  await said.put(process.pid)
  setInterval(() => undefined, 60_000)
  await new Promise(() => undefined)
}
