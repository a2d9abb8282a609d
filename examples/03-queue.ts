// A queue is passed like any argument; what one process puts another gets.
import { connect, isMainProcess } from '@skein/core'
import type { Queue } from '@skein/core'

export async function produce(queue: Queue<string>) {
  await queue.put('hello')
}

if (isMainProcess) {
  const mp = await connect()
  const queue = mp.queue<string>()
  const process = mp.process(produce, [queue])
  await process.start()
  console.log(await queue.get())
  await process.join()
  await mp.close()
}
