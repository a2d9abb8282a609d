// Starts forty tasks and runs none of them: the hosts of compose.yaml do.
import { hostname } from 'node:os'
import { setTimeout } from 'node:timers/promises'
import { connect, isMainProcess } from '@skein/core'

export async function work() {
  await setTimeout(50)
  return hostname()
}

if (isMainProcess) {
  const mp = await connect(undefined, { serve: false })
  const pool = mp.pool(4)
  const hosts = await pool.map(work, Array(40).fill(), { chunkSize: 1 })
  for (const host of new Set(hosts)) console.log(`${host} did ${hosts.filter((one) => one === host).length} tasks`)
  pool.close()
  await pool.join()
  await mp.close()
}
