// Bursts of single tasks: all submitted at once, then all awaited.
// Usage: bench-burst.mjs COUNT REPEATS WARM_UPS
import { connect, isMainProcess } from '@skein/core'

/** @param {number} n */
export function increment(n) {
  return n + 1
}

if (isMainProcess) {
  const [count = 0, repeats = 0, warmUps = 0] = process.argv.slice(2).map(Number)
  const mp = await connect()
  const pool = mp.pool(2)

  const burst = () => {
    const results = []
    for (let i = 0; i < count; i++) results.push(pool.applyAsync(increment, [i]))
    return Promise.all(results)
  }

  for (let i = 0; i < warmUps; i++) await burst()
  let seconds = 0
  let sum = 0
  for (let i = 0; i < repeats; i++) {
    const started = performance.now()
    const results = await burst()
    seconds += (performance.now() - started) / 1000
    for (const result of results) sum += result
  }
  pool.close()
  await pool.join()
  await mp.close()
  console.log(JSON.stringify({ seconds, count: count * repeats, sum }))
}
