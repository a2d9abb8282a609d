// What the tests of the wire between child and supervisor run in children. Plain JavaScript, so that a child starts without a loader.
import { spawn } from 'node:child_process'
import { fstatSync } from 'node:fs'

/** Whether descriptor 4 is a named pipe without a name. */
export function writesToPipe() {
  try {
    const { nlink, mode } = fstatSync(4)
    return nlink === 0 && (mode & 0o170000) === 0o010000
  } catch {
    return false
  }
}

/** Starts a process that outlives this one, says its id, and waits. @param {import('@skein/core').Queue<number>} said */
export async function startSleeper(said) {
  const sleeper = spawn('sleep', ['60'], { stdio: 'ignore', detached: true })
  await said.put(sleeper.pid ?? 0)
  await new Promise((resolve) => sleeper.once('exit', resolve))
}

/**
 * Puts items of many sizes without a pause and ends at once. What is put is `n` times its own number, so that order and content
 * show. @param {import('@skein/core').Queue<Uint8Array>} queue @param {readonly number[]} sizes
 */
export async function putAll(queue, sizes) {
  await Promise.all(sizes.map((size, n) => queue.put(new Uint8Array(size).fill(n & 255))))
  return writesToPipe()
}
