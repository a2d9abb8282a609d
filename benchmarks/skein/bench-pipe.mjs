// Ping-pong over a pipe: the main process sends a number, a child sends it back plus one.
// Usage: bench-pipe.mjs COUNT
import { connect, isMainProcess } from '@skein/core'

/** @param {import('@skein/core').Connection<number, number | null>} end */
export async function echo(end) {
  for (let n = await end.recv(); n !== null; n = await end.recv()) await end.send(n + 1)
}

if (isMainProcess) {
  const count = Number(process.argv[2])
  const mp = await connect()
  /** @type {[import('@skein/core').Connection<number | null, number>, import('@skein/core').Connection<number, number | null>]} */
  const [here, there] = mp.pipe()
  const child = mp.process(echo, [there])
  await child.start()

  /** @param {number} times */
  const play = async (times) => {
    let sum = 0
    for (let i = 0; i < times; i++) {
      await here.send(i)
      sum += await here.recv()
    }
    return sum
  }

  await play(2_000)
  const started = performance.now()
  const sum = await play(count)
  const seconds = (performance.now() - started) / 1000
  await here.send(null)
  await child.join()
  await mp.close()
  console.log(JSON.stringify({ seconds, count, sum }))
}
