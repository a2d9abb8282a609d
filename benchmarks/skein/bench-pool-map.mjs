// pool(2).map of trivial tasks.
// Usage: bench-pool-map.mjs COUNT REPEATS WARM_UPS [CHUNK_SIZE]
import { connect, isMainProcess } from '@skein/core'

/** @param {number} n */
export function increment(n) {
  return n + 1
}

if (isMainProcess) {
  const [count = 0, repeats = 0, warmUps = 0, chunkSize] = process.argv.slice(2).map(Number)
  const items = Array.from({ length: count }, (_, i) => i)
  const mp = await connect()
  const pool = mp.pool(2)
  for (let i = 0; i < warmUps; i++) await pool.map(increment, items, { chunkSize })
  let seconds = 0
  let sum = 0
  for (let i = 0; i < repeats; i++) {
    const started = performance.now()
    const results = await pool.map(increment, items, { chunkSize })
    seconds += (performance.now() - started) / 1000
    for (const result of results) sum += result
  }
  pool.close()
  await pool.join()
  await mp.close()
  console.log(JSON.stringify({ seconds, count: count * repeats, sum }))
}
