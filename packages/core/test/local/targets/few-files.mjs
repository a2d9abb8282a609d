// A main program that runs out of file descriptors, for supervisor.test.ts. Prints what it saw as JSON.
import { closeSync, openSync } from 'node:fs'
import { connect, isMainProcess } from '@skein/core'
import { echo } from './process.mjs'

if (isMainProcess) {
  const mp = await connect()
  const lock = mp.lock('kept')
  await lock.acquire()
  const first = mp.process(echo, [1])
  const last = mp.process(echo, [2])
  const files = []
  let full = null
  while (full === null) {
    try {
      files.push(openSync('/dev/null'))
    } catch (error) {
      full = error
    }
  }
  const refused = await first.start().then(
    () => 'started',
    (error) => `${error.name}: ${error.message}`,
  )
  for (const file of files) closeSync(file)
  await last.start()
  const result = await last.result()
  console.log(JSON.stringify({ refused, result, locked: await lock.locked() }))
  await mp.close()
}
