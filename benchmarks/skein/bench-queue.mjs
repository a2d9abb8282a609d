// One producer process to one consumer process over a queue, item by item.
// Usage: bench-queue.mjs ints|bytes COUNT
// The clock runs from just before the first put to just after the last get, once both sides are warm and ready.
// Start and end are stamped in two processes: `hrtime` is the system's monotonic clock, the same for both.
import { connect, isMainProcess } from '@skein/core'

const WARM_UP = 50_000

/** A party says that it is ready and waits for the word. @typedef {import('@skein/core').Connection<'ready', 'go'>} Gate */
/** @typedef {import('@skein/core').Connection<'go', 'ready'>} Starter */

/**
 * @param {string} kind
 * @param {number} count
 * @param {import('@skein/core').Queue<unknown>} queue
 * @param {Gate} gate
 */
export async function produce(kind, count, queue, gate) {
  const payloads = Array.from({ length: 256 }, (_, i) => new Uint8Array(1024).fill(i))
  let started = 0n
  for (const roundCount of [WARM_UP, count]) {
    await gate.send('ready')
    await gate.recv()
    started = process.hrtime.bigint()
    if (kind === 'ints') for (let i = 0; i < roundCount; i++) await queue.put(i)
    else for (let i = 0; i < roundCount; i++) await queue.put(payloads[i & 255])
  }
  return started
}

/**
 * @param {string} kind
 * @param {number} count
 * @param {import('@skein/core').Queue<any>} queue
 * @param {Gate} gate
 */
export async function consume(kind, count, queue, gate) {
  let sum = 0
  for (const roundCount of [WARM_UP, count]) {
    await gate.send('ready')
    await gate.recv()
    sum = 0
    if (kind === 'ints') {
      for (let i = 0; i < roundCount; i++) sum += await queue.get()
    } else {
      for (let i = 0; i < roundCount; i++) {
        const item = await queue.get()
        sum += item.length + item[0]
      }
    }
  }
  return { ended: process.hrtime.bigint(), sum }
}

if (isMainProcess) {
  const [kind = 'ints', words] = process.argv.slice(2)
  const count = Number(words)
  const mp = await connect()
  const queue = mp.queue()
  /** @type {[Starter, Gate]} */
  const [producerGate, producerEnd] = mp.pipe()
  /** @type {[Starter, Gate]} */
  const [consumerGate, consumerEnd] = mp.pipe()
  const producer = mp.process(produce, [kind, count, queue, producerEnd])
  const consumer = mp.process(consume, [kind, count, queue, consumerEnd])
  await Promise.all([producer.start(), consumer.start()])
  for (let round = 0; round < 2; round++) {
    await Promise.all([producerGate.recv(), consumerGate.recv()])
    await Promise.all([producerGate.send('go'), consumerGate.send('go')])
  }
  const [started, { ended, sum }] = await Promise.all([producer.result(), consumer.result()])
  await mp.close()
  console.log(JSON.stringify({ seconds: Number(ended - started) / 1e9, count, sum }))
}
