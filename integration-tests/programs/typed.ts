// A program in TypeScript, whose target lives in another module.
import { connect, isMainProcess } from '@skein/core'
import { describe } from './typed-target.ts'

if (isMainProcess) {
  const mp = await connect()
  const child = mp.process(describe, [{ kind: 'circle', radius: 2 }])
  await child.start()
  console.log('area', await child.result())
  await mp.close()
}
