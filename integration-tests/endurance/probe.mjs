/** Tells what this thread holds in memory: to its own code, and, where it is loaded into another thread, to who asks on a channel. */
import { setTimeout as pause } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { isMainThread } from 'node:worker_threads'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc')

/** Bytes of objects and of buffers. Some of it is held by what is still to run: hence the least of some looks. */
export async function weightOfThread() {
  let least = Number.POSITIVE_INFINITY
  for (let look = 0; look < 5; look += 1) {
    await pause(20)
    collect()
    const { heapUsed, external } = process.memoryUsage()
    least = Math.min(least, heapUsed + external)
  }
  return least
}

if (!isMainThread) {
  const channel = new BroadcastChannel('weight')
  channel.unref()
  const post = channel.postMessage.bind(channel)
  channel.addEventListener('message', () => void weightOfThread().then(post))
}
