// A function runs in a process of its own.
import { connect, isMainProcess } from '@skein/core'

export function greet() {
  console.log('Hello from another process!')
}

if (isMainProcess) {
  const mp = await connect()
  const process = mp.process(greet)
  await process.start()
  await process.join()
  await mp.close()
}
