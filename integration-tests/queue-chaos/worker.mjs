/**
 * A program of the chaos test: a producer or a consumer of the one queue. What it has done it writes into the history at once, so that
 * a kill loses no line that was due.
 *
 * Lines: `R <who>` it knows the queue, `P <who> <serial>` its put was answered, `D <who> <producer> <serial> <attempt>` an item has come, `A <who> <producer> <serial>`
 * its acknowledgement was answered, `L <who> <producer> <serial>` it was refused, `X <who> <why>`.
 */
import { openSync, writeSync } from 'node:fs'
import process from 'node:process'
import { connect, LeaseLostError, QueueClosedError } from '@skein/core'

const [url, namespace, sessionTtl, maxSize, history, role, who, count] = process.argv.slice(2)
const file = openSync(history, 'a')
const say = (...words) => writeSync(file, `${words.join(' ')}\n`)

async function produce(queue) {
  for (let serial = 0; serial < Number(count); serial += 1) {
    await queue.put({ producer: who, serial })
    say('P', who, serial)
  }
}

async function handle({ value: { producer, serial }, attempt }, ack) {
  say('D', who, producer, serial, attempt)
  try {
    await ack()
    say('A', who, producer, serial)
  } catch (error) {
    if (!(error instanceof LeaseLostError)) throw error
    say('L', who, producer, serial)
  }
}

async function receive(queue) {
  try {
    while (true) {
      const delivery = await queue.receive()
      await handle(delivery, () => delivery.ack())
    }
  } catch (error) {
    if (!(error instanceof QueueClosedError)) throw error
  }
}

const roles = {
  produce,
  receive,
  consume: (queue) => queue.consume((_item, delivery) => handle(delivery, () => delivery.ack()), { concurrency: 3 }),
}

try {
  const mp = await connect(url, { namespace, sessionTtl: Number(sessionTtl) })
  const queue = mp.queue({ name: 'work', maxSize: Number(maxSize), maxDeliveries: 1_000 })
  await queue.size()
  say('R', who)
  await roles[role](queue)
  await mp.close()
} catch (error) {
  say('X', who, error.stack.replaceAll('\n', ' | '))
}
