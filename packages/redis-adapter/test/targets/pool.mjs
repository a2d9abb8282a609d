// Tasks for pool.test.ts. Plain JavaScript: workers load it without a compiler.
import process from 'node:process'

export function increment(n) {
  return n + 1
}

export function lengthOf(bytes) {
  return bytes.length
}

export async function hang() {
  setInterval(() => {}, 60_000)
  return new Promise(() => {})
}

export function pid() {
  return process.pid
}
