// A map of trivial tasks over two processes.
// Usage: map.mjs skein|bullmq COUNT REPEATS WARM_UPS
// BullMQ: all tasks by one `addBulk`, then `waitUntilFinished` of each; two processes with a worker that runs 100 at once.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { connect, isMainProcess } from '@skein/core'
import { Queue, QueueEvents, Worker } from 'bullmq'
import { Redis } from 'ioredis'

const PROCESSES = 2
const AT_ONCE = 100
const NAME = 'tasks'
const url = process.env['SKEIN_URL'] ?? 'redis://127.0.0.1:6379'

/** @param {number} n */
export function increment(n) {
  return n + 1
}

async function skein() {
  const mp = await connect(url)
  const pool = mp.pool(PROCESSES)
  const map = (/** @type {number[]} */ items) => pool.map(increment, items)
  const close = async () => {
    pool.close()
    await pool.join()
    await mp.close()
  }
  return { map, close }
}

const open = () => new Redis(url, { maxRetriesPerRequest: null })

async function bullmq() {
  const workers = Array.from({ length: PROCESSES }, () => fork(fileURLToPath(import.meta.url)))
  await Promise.all(workers.map((worker) => once(worker, 'message')))
  const connection = open()
  // Finished jobs stay: waiting for one that was removed meanwhile rejects.
  const queue = new Queue(NAME, { connection })
  const events = new QueueEvents(NAME, { connection })
  // Each job that is waited for listens on both.
  queue.setMaxListeners(0)
  events.setMaxListeners(0)
  await Promise.all([queue.waitUntilReady(), events.waitUntilReady()])
  const map = async (/** @type {number[]} */ items) => {
    const jobs = await queue.addBulk(items.map((data) => ({ name: 'task', data })))
    /** @type {Promise<number[]>} */
    const results = Promise.all(jobs.map((job) => job.waitUntilFinished(events)))
    return results
  }
  const close = async () => {
    const ended = Promise.all(workers.map((worker) => once(worker, 'exit')))
    for (const worker of workers) worker.disconnect()
    await ended
    await queue.obliterate({ force: true })
    await Promise.all([queue.close(), events.close()])
    await connection.quit()
  }
  return { map, close }
}

if (process.send !== undefined) {
  const connection = open()
  const worker = new Worker(NAME, async (job) => increment(job.data), { connection, concurrency: AT_ONCE })
  await worker.waitUntilReady()
  process.once('disconnect', () => void worker.close().then(() => connection.quit()))
  process.send('ready')
} else if (isMainProcess) {
  const [library, ...words] = process.argv.slice(2)
  const [count = 0, repeats = 0, warmUps = 0] = words.map(Number)
  const items = Array.from({ length: count }, (_, i) => i)
  const { map, close } = library === 'skein' ? await skein() : await bullmq()
  for (let i = 0; i < warmUps; i++) await map(items)
  let [seconds, sum] = [0, 0]
  for (let i = 0; i < repeats; i++) {
    const started = performance.now()
    const results = await map(items)
    seconds += (performance.now() - started) / 1000
    for (const result of results) sum += result
  }
  await close()
  console.log(JSON.stringify({ seconds, count: count * repeats, sum }))
}
