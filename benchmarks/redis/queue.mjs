// Items one by one through a queue: each is put, received and acknowledged before the next.
// Usage: queue.mjs skein|bullmq COUNT
import { connect } from '@skein/core'
import { Queue, Worker } from 'bullmq'
import { Redis } from 'ioredis'

const [library, words] = process.argv.slice(2)
const count = Number(words)
const url = process.env['SKEIN_URL'] ?? 'redis://127.0.0.1:6379'

/** @typedef {{ trip: (n: number) => Promise<number>, close: () => Promise<unknown> }} Way one item's way, and the end */

/** @returns {Promise<Way>} */
async function skein() {
  const mp = await connect(url)
  /** @type {import('@skein/core').Queue<{ n: number, text: string }>} */
  const queue = mp.queue()
  return {
    trip: async (n) => {
      await queue.put({ n, text: 'hello world' })
      const delivery = await queue.receive()
      await delivery.ack()
      return delivery.value.n
    },
    close: () => mp.close(),
  }
}

/** @returns {Promise<Way>} */
async function bullmq() {
  const connection = new Redis(url, { maxRetriesPerRequest: null })
  const queue = new Queue('items', { connection, defaultJobOptions: { removeOnComplete: true } })
  const worker = new Worker('items', null, { connection, autorun: false })
  await Promise.all([queue.waitUntilReady(), worker.waitUntilReady()])
  return {
    trip: async (n) => {
      await queue.add('item', { n, text: 'hello world' })
      const job = await worker.getNextJob('token', { block: false })
      await job?.moveToCompleted(null, 'token', false)
      return job?.data.n ?? Number.NaN
    },
    close: async () => {
      await queue.obliterate({ force: true })
      await Promise.all([queue.close(), worker.close()])
      await connection.quit()
    },
  }
}

const way = library === 'skein' ? await skein() : await bullmq()

/** @param {number} times */
async function cycle(times) {
  let sum = 0
  for (let i = 0; i < times; i++) sum += await way.trip(i)
  return sum
}

// V8 has compiled what is on the way by then.
await cycle(5_000)
const started = performance.now()
const sum = await cycle(count)
const seconds = (performance.now() - started) / 1000
await way.close()
console.log(JSON.stringify({ seconds, count, sum }))
