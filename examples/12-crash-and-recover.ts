// A worker is killed while it holds a lock and has taken a job. Nobody hangs: the lock and the job go to another one.
import { connect, isMainProcess } from '@skein/core'
import type { Lock, Queue } from '@skein/core'

export async function clerk(desk: Lock, orders: Queue<string>, served: Queue<string>) {
  // An order is ours until this function returns. Who dies before that gives it back, and so does who throws.
  await orders.consume(async (order, { attempt }) => {
    await desk.with(async () => {
      // As by a power cut: no finally runs, and nothing is released.
      if (order === 'anvil' && attempt === 1) process.kill(process.pid, 'SIGKILL')
      await served.put(`${order} was served at attempt ${attempt}`)
    })
  })
}

if (isMainProcess) {
  const mp = await connect()
  const desk = mp.lock()
  const orders = mp.queue<string>()
  const served = mp.queue<string>()
  const clerks = [1, 2, 3].map(() => mp.process(clerk, [desk, orders, served]))
  for (const one of clerks) await one.start()

  await orders.putMany(['tea', 'anvil', 'cake'])
  await orders.join() // until each order was served
  await orders.close() // so the clerks go home

  const lines = [await served.get(), await served.get(), await served.get()]
  for (const line of lines.toSorted()) console.log(line)
  const ends = await Promise.all(clerks.map((one) => one.join()))
  console.log(`Killed: ${ends.filter(({ signal }) => signal === 'SIGKILL').length}`)
  console.log(`Went home: ${ends.filter(({ reason }) => reason === 'returned').length}`)
  console.log(`The desk is taken: ${await desk.locked()}`)
  await mp.close()
}
