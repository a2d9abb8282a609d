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

/** Says that it has begun with it. One in a hundred takes so long that it is likely to be hit, and hit again. */
export async function squareAndMark(n, file) {
  appendFileSync(file, `${n} `)
  if (n % 100 === 99) await new Promise((resolve) => setTimeout(resolve, 1_000))
  return square(n)
}

/** Says when it begins, and with another number when it ends. */
export function beginAndEnd(n, file) {
  appendFileSync(file, `${n} `)
  appendFileSync(file, `${-1 - n} `)
}

export function square(n) {
  const end = performance.now() + (n % 7)
  while (performance.now() < end);
  return n * n
}
