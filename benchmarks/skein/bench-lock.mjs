// An uncontended lock, taken and released again and again.
// Usage: bench-lock.mjs COUNT
import { connect, isMainProcess } from '@skein/core'

if (isMainProcess) {
  const count = Number(process.argv[2])
  const mp = await connect()
  const lock = mp.lock()

  /** @param {number} times */
  const cycle = async (times) => {
    let sum = 0
    for (let i = 0; i < times; i++) {
      const lease = await lock.acquire()
      sum += 1
      await lease.release()
    }
    return sum
  }

  await cycle(2_000)
  const started = performance.now()
  const sum = await cycle(count)
  const seconds = (performance.now() - started) / 1000
  await mp.close()
  console.log(JSON.stringify({ seconds, count, sum }))
}
