// What the programs that serve run here.
import { appendFileSync } from 'node:fs'
import process from 'node:process'

/** Says that it runs, waits, and gives its pid. */
export async function mark(file, ms) {
  appendFileSync(file, `${process.pid} `)
  await new Promise((resolve) => setTimeout(resolve, ms))
  return process.pid
}

/** Ends when all are there. */
export async function meet(barrier) {
  await barrier.wait()
}

export function square(n) {
  const end = performance.now() + (n % 7)
  while (performance.now() < end);
  return n * n
}
