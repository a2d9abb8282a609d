// Nobody catches what a child throws.
import { connect, isMainProcess } from '@skein/core'

export function fails() {
  throw new RangeError('thrown by the target')
}

if (isMainProcess) {
  const mp = await connect()
  const child = await mp.process(fails, [], { stdio: 'ignore' }).start()
  await child.result()
}
