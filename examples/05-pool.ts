// A pool of processes runs tasks. A map keeps the order of its items.
import { connect, isMainProcess } from '@skein/core'

export function double(n: number) {
  return n * 2
}

if (isMainProcess) {
  const mp = await connect()
  const pool = mp.pool(2)

  const result = pool.applyAsync(double, [10])
  console.log(await result.get())
  console.log(await pool.map(double, [1, 2, 3, 4, 5]))

  pool.close()
  await pool.join()
  await mp.close()
}
