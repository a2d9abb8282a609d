// One call after the other, each awaited: the median time of a call.
// Usage: bench-call.mjs COUNT
import { connect, isMainProcess } from '@skein/core'

import { callTimes } from '../call-times.mjs'

/** @param {number} n */
export function increment(n) {
  return n + 1
}

if (isMainProcess) {
  const count = Number(process.argv[2])
  const mp = await connect()
  const pool = mp.pool(2)
  const result = await callTimes(count, (n) => pool.apply(increment, [n]))
  pool.close()
  await pool.join()
  await mp.close()
  console.log(JSON.stringify(result))
}
