// A fast producer and a slow consumer. The queue between them is bounded, so the one waits for the other and nothing piles up.
import { setTimeout } from 'node:timers/promises'
import { connect, isMainProcess } from '@skein/core'
import type { Queue } from '@skein/core'

/** Milliseconds that one part takes. */
const WORK = 20

export async function produce(parts: Queue<number>, count: number) {
  const since = performance.now()
  // put() waits while the queue is full: what is being worked on counts until it is done.
  for (let part = 1; part <= count; part += 1) await parts.put(part)
  await parts.close()
  return performance.now() - since
}

export async function consume(parts: Queue<number>) {
  let [done, most] = [0, 0]
  // A part is done when the next one is asked for.
  for await (const _ of parts) {
    most = Math.max(most, await parts.size())
    await setTimeout(WORK)
    done += 1
  }
  return { done, most }
}

if (isMainProcess) {
  const mp = await connect()
  const [count, maxSize] = [20, 3]
  const parts = mp.queue<number>({ maxSize })

  const consumer = await mp.process(consume, [parts]).start()
  const producer = await mp.process(produce, [parts, count]).start()
  const took = await producer.result()
  const { done, most } = await consumer.result()

  console.log(`${done} parts are done; never more than ${maxSize} were waiting: ${most <= maxSize}`)
  console.log(`The producer was held to the pace of the consumer: ${took > (count - maxSize - 1) * WORK * 0.9}`)
  await mp.close()
}
