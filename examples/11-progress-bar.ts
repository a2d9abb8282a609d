// A long map that says how far it has come: a bar that grows where somebody watches, a line now and then in a log.
import { connect, isMainProcess } from '@skein/core'
import type { Progress } from '@skein/core'
import { createLogUpdate } from 'log-update'

export async function develop(photo: number) {
  await new Promise((resolve) => setTimeout(resolve, 10))
  return photo * photo
}

function bar() {
  const update = createLogUpdate(process.stdout)
  const width = 40
  return ({ done, total }: Progress) => {
    const full = Math.round((width * done) / total)
    update(`${'█'.repeat(full)}${'░'.repeat(width - full)} ${done} of ${total}`)
    if (done === total) update.done()
  }
}

function lines() {
  let next = 25
  return ({ done, total }: Progress) => {
    for (; next <= (100 * done) / total; next += 25) console.log(`${next} % done`)
  }
}

if (isMainProcess) {
  const mp = await connect()
  const pool = mp.pool(2)
  const photos = Array.from({ length: 200 }, (_, n) => n)

  // Called here, in the program that waits, and at the end at the latest with all that are done.
  const onProgress = process.stdout.isTTY ? bar() : lines()
  const developed = await pool.map(develop, photos, { onProgress })
  console.log(`${developed.length} photos, the last one ${developed.at(-1)}`)

  pool.close()
  await pool.join()
  await mp.close()
}
