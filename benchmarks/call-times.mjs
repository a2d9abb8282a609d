// Shared by the programs that measure one call at a time.

const WARM_UP = 1_000

/**
 * Calls one after the other.
 *
 * @param {number} count measured calls
 * @param {(n: number) => Promise<number>} call
 * @returns {Promise<{ seconds: number, count: 1, sum: number }>} the median time of one call, and the sum of all results
 */
export async function callTimes(count, call) {
  for (let i = 0; i < WARM_UP; i++) await call(i)
  const times = new Float64Array(count)
  let sum = 0
  for (let i = 0; i < count; i++) {
    const started = performance.now()
    sum += await call(i)
    times[i] = performance.now() - started
  }
  times.sort()
  return { seconds: (times[count >> 1] ?? Number.NaN) / 1000, count: 1, sum }
}
