// A program that runs what others start, until it is told to end. Arguments: url, namespace, options of connect() as JSON.
import { appendFileSync } from 'node:fs'
import process from 'node:process'
import { connect, isMainProcess } from '@skein/core'

export async function count(said, file) {
  appendFileSync(file, '.')
  await said.put([process.pid, process.ppid])
  return new Promise(() => {
    setInterval(() => appendFileSync(file, '.'), 10)
  })
}

if (isMainProcess) {
  const [url, namespace, options = '{}'] = process.argv.slice(2)
  const mp = await connect(url, { namespace, serve: true, ...JSON.parse(options) })
  process.on('message', (what) => {
    if (what.drain !== undefined) {
      mp.drain(what.drain).then(
        () => process.send?.('drained'),
        (error) => process.send?.(error.name),
      )
    }
    if (what === 'close') void mp.close().then(() => process.disconnect())
  })
  process.once('disconnect', () => process.exit())

  // What some tests want a program of its own for.
  const { SKEIN_TEST_COUNT: path, SKEIN_TEST_DETACHED, SKEIN_TEST_DRAIN: from } = process.env
  if (path !== undefined) {
    const detached = SKEIN_TEST_DETACHED !== undefined
    await mp.process(count, [mp.queue('said'), path], { detached }).start()
  }
  if (from !== undefined) {
    const { anonymous } = await mp.queue(from).get()
    await mp.queue('drained').put(await anonymous.get())
  }
  process.send?.('ready')
}
