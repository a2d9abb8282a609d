// Bursts of single tasks: all submitted at once, then all awaited. Two threads, everything else as Piscina sets it.
// Usage: bench-burst.mjs COUNT REPEATS WARM_UPS [CONCURRENT_TASKS_PER_WORKER]
import { Piscina } from 'piscina'

const [count = 0, repeats = 0, warmUps = 0, concurrent = 1] = process.argv.slice(2).map(Number)
const pool = new Piscina({
  filename: new URL('./increment.mjs', import.meta.url).href,
  minThreads: 2,
  maxThreads: 2,
  ...(concurrent > 1 ? { concurrentTasksPerWorker: concurrent } : {}),
})

/** @returns {Promise<number[]>} */
function burst() {
  const results = []
  for (let i = 0; i < count; i++) results.push(pool.run(i))
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
await pool.close()
console.log(JSON.stringify({ seconds, count: count * repeats, sum }))
