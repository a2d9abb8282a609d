// Starts processes in other programs until it is killed. Arguments: url, namespace, sessionTtl, file.
import process from 'node:process'
import { connect, isMainProcess } from '@skein/core'
import { mark } from './tasks.mjs'

if (isMainProcess) {
  const [url, namespace, sessionTtl, file] = process.argv.slice(2)
  const mp = await connect(url, { namespace, serve: false, sessionTtl: Number(sessionTtl) })
  console.log('ready')
  for (;;) await Promise.allSettled([60_000, 1, 1].map((ms) => mp.process(mark, [file, ms]).start()))
}
