/** `for await` over a queue, the same on every adapter. */
import type { Queue } from '../contract/queue.ts'
import { QueueClosedError } from '../errors.ts'

/** An item is acknowledged when the next is asked for; leaving the loop gives it back. Ends with the queue. */
export async function* iterate<T>(queue: Pick<Queue<T>, 'receive'>): AsyncGenerator<T, void, undefined> {
  for (;;) {
    let delivery
    try {
      delivery = await queue.receive()
    } catch (error) {
      if (error instanceof QueueClosedError) return
      throw error
    }
    let done = false
    try {
      yield delivery.value
      done = true
    } finally {
      if (!done) await delivery.nack()
    }
    await delivery.ack()
  }
}
