// A user's program in JavaScript: a process, a queue and a pool.
import { connect, isMainProcess } from '@skein/core'

export async function squares(queue, numbers) {
  for (const n of numbers) await queue.put(n * n)
}

export function double(n) {
  return n * 2
}

if (isMainProcess) {
  const mp = await connect()
  const queue = mp.queue()
  const child = mp.process(squares, [queue, [1, 2, 3]])
  await child.start()
  console.log(mp.kind, await queue.get(), await queue.get(), await queue.get())
  await child.join()
  console.log(await mp.pool(2).map(double, [1, 2, 3]))
  await mp.close()
}
