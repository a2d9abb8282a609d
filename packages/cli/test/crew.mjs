// A program to look at: everybody in it holds something, waits for something, or both, until it is ended by a signal.
import process from 'node:process'
import { connect, isMainProcess } from '@skein/core'

export async function hold(lock, queue, ...lines) {
  for (const line of lines) console.log(line)
  await lock.acquire()
  await queue.get()
}

export async function add(a, b) {
  return a + b
}

if (isMainProcess) {
  const mp = await connect()
  const lock = mp.lock('invoices')
  const results = mp.queue('results')
  const says = { printer: ['page 1', 'page 2', 'page 3'], archiver: ['waits for the printer'] }
  for (const [name, lines] of Object.entries(says)) {
    const child = mp.process(hold, [lock, results, ...lines], { name, daemon: true, stdio: 'pipe' })
    await child.start()
    // The second one is to wait for the first.
    while (!(await lock.locked())) await new Promise((resolve) => setTimeout(resolve, 5))
  }
  await mp.semaphore(4, 'gpus').acquire()
  await mp.event('ready').set()
  const mails = mp.queue({ name: 'mails', maxSize: 100 })
  await mails.putMany(['a', 'b'])
  await mails.put('c', { delay: 600_000 })
  await mp.pool(1).apply(add, [1, 2])
  while ((await mp.inspect()).objects.flatMap(({ waiters }) => waiters).length < 2) {
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  console.log('ready', process.pid)
  setInterval(() => undefined, 60_000)
}
