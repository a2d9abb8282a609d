// A process that does nothing: start and join, one after the other.
// Usage: bench-start.mjs COUNT
import { connect, isMainProcess } from '@skein/core'

export function nothing() {}

if (isMainProcess) {
  const count = Number(process.argv[2])
  const mp = await connect()

  /** @param {number} times */
  const run = async (times) => {
    let returned = 0
    for (let i = 0; i < times; i++) {
      const child = mp.process(nothing)
      await child.start()
      const { exitCode } = await child.join()
      if (exitCode === 0) returned += 1
    }
    return returned
  }

  await run(2)
  const started = performance.now()
  const sum = await run(count)
  const seconds = (performance.now() - started) / 1000
  await mp.close()
  console.log(JSON.stringify({ seconds, count, sum }))
}
