// One call after the other, each awaited: the median time of a call.
// Usage: bench-call.mjs COUNT
import { Piscina } from 'piscina'

import { callTimes } from '../call-times.mjs'

const count = Number(process.argv[2])
const pool = new Piscina({
  filename: new URL('./increment.mjs', import.meta.url).href,
  minThreads: 2,
  maxThreads: 2,
})
const result = await callTimes(count, (n) => pool.run(n))
await pool.close()
console.log(JSON.stringify(result))
