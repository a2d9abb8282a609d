// Arguments travel to the process. Their types are checked: try [1, 'two'].
import { connect, isMainProcess } from '@skein/core'

export function add(a: number, b: number) {
  console.log(a + b)
}

if (isMainProcess) {
  const mp = await connect()
  const process = mp.process(add, [1, 2])
  await process.start()
  await process.join()
  await mp.close()
}
