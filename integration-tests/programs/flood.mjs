// Starts a process in another program, which writes a lot and notes how far it has come. Arguments: url, namespace, file, whether that outlives it.
import { appendFileSync } from 'node:fs'
import process from 'node:process'
import { connect, isMainProcess } from '@skein/core'

export async function flood(file) {
  for (let n = 0; n < 64; n += 1) {
    await new Promise((resolve) => process.stdout.write('x'.repeat(1024 * 1024), resolve))
    appendFileSync(file, '.')
  }
}

if (isMainProcess) {
  const [url, namespace, file, detached] = process.argv.slice(2)
  const mp = await connect(url, { namespace, serve: false })
  const child = mp.process(flood, [file], { detached: detached === 'true' })
  await child.start()
  await child.join()
  await mp.close()
}
