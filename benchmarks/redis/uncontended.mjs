// A lock that nobody else wants, taken and released again and again.
// Usage: uncontended.mjs LIBRARY COUNT
import { openLock } from './locks.mjs'

const [library = '', words] = process.argv.slice(2)
const count = Number(words)
const { acquire, close } = await openLock(library, 'uncontended')

/** @param {number} times */
async function cycle(times) {
  let sum = 0
  for (let i = 0; i < times; i++) {
    const release = await acquire()
    sum += 1
    await release()
  }
  return sum
}

// V8 has compiled what is on the way by then.
await cycle(5_000)
const started = performance.now()
const sum = await cycle(count)
const seconds = (performance.now() - started) / 1000
await close()
console.log(JSON.stringify({ seconds, count, sum }))
