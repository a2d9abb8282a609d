// Starts a process in another program, which writes, and says itself when that has ended. Arguments: url, namespace.
import process from 'node:process'
import { connect, isMainProcess } from '@skein/core'

export function say(lines) {
  for (let n = 0; n < lines; n += 1) console.log(`out ${n}`)
  console.error('err')
}

if (isMainProcess) {
  const [url, namespace] = process.argv.slice(2)
  const mp = await connect(url, { namespace, serve: false })
  const child = mp.process(say, [10_000])
  await child.start()
  await child.join()
  console.log('joined')
  await mp.close()
}
