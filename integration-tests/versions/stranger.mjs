// A program whose Skein speaks another protocol than the hosts there, and which meets what they keep. Arguments: url, namespace.
import process from 'node:process'
import { connect, isMainProcess } from '@skein/core'
import { square } from './tasks.mjs'

if (isMainProcess) {
  const [url, namespace] = process.argv.slice(2)
  const mp = await connect(url, { namespace, serve: false })
  const told = async (of) => of.then(String, (error) => `${error.code} ${error.message}`)
  const say = (what) => console.log(`said ${JSON.stringify(what)}`)

  // What it keeps, for the others; and what they keep.
  await mp.queue('theirs').put({ queue: mp.queue(), process: mp.process(square, [3]) })
  const { queue, process: child } = await mp.queue('ours').get()
  say({
    get: await told(queue.get({ timeout: 5_000 })),
    join: await told(child.join({ timeout: 5_000 })),
    start: await told(mp.process(square, [3]).start({ timeout: 1_000 })),
    hosts: (await mp.hosts()).map(({ pid, version, protocol, state }) => ({ pid, version, protocol, state })),
  })
  // Stays until the others have met it, too.
  await mp.queue('enough').get()
  await mp.close()
}
