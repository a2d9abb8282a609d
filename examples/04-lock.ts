// Three processes share one lock, so their work never interleaves.
import { setTimeout as pause } from 'node:timers/promises'
import { connect, isMainProcess } from '@skein/core'
import type { Lock } from '@skein/core'

export async function work(lock: Lock) {
  await lock.with(async () => {
    console.log('Start working…')
    await pause(200)
    console.log('Work done!')
  })
}

if (isMainProcess) {
  const mp = await connect()
  const lock = mp.lock()
  const workers = [1, 2, 3].map(() => mp.process(work, [lock]))
  for (const worker of workers) await worker.start()
  for (const worker of workers) await worker.join()
  await mp.close()
}
