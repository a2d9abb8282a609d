// A program in JavaScript: no loader, no types.
import { connect, isMainProcess } from '@skein/core'

/** @param {number} a @param {number} b */
export function add(a, b) {
  return a + b
}

if (isMainProcess) {
  const mp = await connect()
  const child = mp.process(add, [1, 2])
  await child.start()
  console.log('sum', await child.result())
  const pool = mp.pool(2)
  console.log('sums', ...(await pool.map(double, [1, 2, 3])))
  await mp.close()
}

/** @param {number} n */
export function double(n) {
  return n * 2
}
