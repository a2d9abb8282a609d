// Starts a process that outlives it, and another one that does not; then ends, or waits to be ended.
import { connect, currentProcess, isMainProcess } from '@skein/core'
import type { Lock, Queue } from '@skein/core'

export function double(n: number): number {
  return n * 2
}

/** What becomes of a process whose program is gone. */
export async function outlive(said: Queue<number>, lock: Lock): Promise<void> {
  const mp = await connect()
  const gone = new Promise((resolve) => mp.lost.addEventListener('abort', resolve, { once: true }))
  const lease = await lock.acquire()
  const waiting = mp
    .queue()
    .get()
    .catch((error: unknown) => error)
  await said.put(process.pid)
  await gone
  console.log(
    'lost',
    mp.state,
    (await waiting) instanceof Error,
    lease.signal.aborted,
    currentProcess().context === null,
  )
  const own = await connect()
  console.log('own', own !== mp, currentProcess().context === own, isMainProcess)
  const child = own.process(double, [21])
  await child.start()
  console.log(
    'result',
    await child.result(),
    await own
      .lock()
      .tryAcquire()
      .then((one) => one !== null),
  )
  await own.close()
}

export async function idle(said: Queue<number>): Promise<void> {
  await said.put(process.pid)
  setInterval(() => {}, 60_000)
  await new Promise(() => {})
}

if (isMainProcess) {
  const [end = 'wait'] = process.argv.slice(2)
  const mp = await connect()
  const said = mp.queue<number>()
  const detached = mp.process(outlive, [said, mp.lock()], { detached: true })
  await detached.start()
  const survivor = await said.get()
  await mp.process(idle, [said], { daemon: true }).start()
  console.log('ready', survivor, await said.get())
  if (end === 'close') await mp.close()
  if (end === 'exit') process.exit(3)
  if (end === 'wait') setInterval(() => {}, 60_000)
}
