// What the tests of the local pool run in workers. Plain JavaScript, so that a worker starts without a loader.
import { appendFileSync } from 'node:fs'

/** @param {number} milliseconds */
function compute(milliseconds) {
  const end = performance.now() + milliseconds
  while (performance.now() < end);
}

/** @param {number} value */
export function quick(value) {
  return value
}

/** @param {number} milliseconds */
export function slow(milliseconds) {
  compute(milliseconds)
  return process.pid
}

/** Says that it begins. @param {import('@skein/core').Queue<number>} said @param {number} milliseconds */
export async function saySlow(said, milliseconds) {
  await said.put(process.pid)
  compute(milliseconds)
}

/** Says which one it is. @param {import('@skein/core').Queue<number>} seen @param {number} which @param {number} milliseconds */
export async function sayThenBeSlow(seen, which, milliseconds) {
  await seen.put(which)
  compute(milliseconds)
}

/** Leaves a line for each time that it runs. @param {{ log: string, line: string, milliseconds: number }} task */
export function noted({ log, line, milliseconds }) {
  if (milliseconds > 0) {
    appendFileSync(log, `${line}\n`)
    compute(milliseconds)
  }
  return line
}

/** @param {number} bytes */
export function large(bytes) {
  return new Uint8Array(bytes)
}

/** @param {number} value @param {number} fatal */
export function exitAt(value, fatal) {
  if (value === fatal) process.exit(3)
  return value
}

/** @param {number} milliseconds */
export async function wait(milliseconds) {
  await new Promise((resolve) => setTimeout(resolve, milliseconds))
}
