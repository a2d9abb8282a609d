// A pipe has two ends; each sends to the other, and closing one tells the other that there is no more.
import { connect, EndOfStreamError, isMainProcess } from '@skein/core'
import type { Connection } from '@skein/core'

export async function shout(end: Connection<string>) {
  for (const word of ['hello', 'through', 'the', 'pipe']) await end.send(word.toUpperCase())
  console.log('The child heard:', await end.recv())
  await end.close()
}

if (isMainProcess) {
  const mp = await connect()
  const [here, there] = mp.pipe<string>()
  const process = mp.process(shout, [there])
  await process.start()

  for (let count = 0; count < 4; count++) console.log(await here.recv())
  await here.send('thanks')
  await here.recv().catch((error: unknown) => {
    if (error instanceof EndOfStreamError) console.log('That was all.')
    else throw error
  })

  await process.join()
  await mp.close()
}
