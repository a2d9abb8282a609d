/** `consume`: bodies that run for each item, the same on every adapter. */
import type { ConsumeOptions, Delivery, Queue } from '../contract/queue.ts'
import { ArgumentError, LeaseLostError, QueueClosedError } from '../errors.ts'
import { checkInteger, checkOptions } from '../util/options.ts'
import { checkWait } from '../util/wait.ts'

type Body<T> = (item: T, delivery: Delivery<T>) => unknown

export async function consume<T>(
  queue: Pick<Queue<T>, 'receive'>,
  body: Body<T>,
  options?: ConsumeOptions,
): Promise<void> {
  if (typeof body !== 'function')
    throw new ArgumentError(`queue.consume() needs a function to call for each item, got ${typeof body}`)
  const { concurrency = 1, signal } = checkOptions(options, ['concurrency', 'signal'], 'queue.consume()')
  checkInteger(concurrency, { min: 1, what: 'concurrency' })
  checkWait({ signal })
  await Promise.all(Array.from({ length: concurrency }, () => run(queue, body, signal)))
}

async function run<T>(queue: Pick<Queue<T>, 'receive'>, body: Body<T>, signal: AbortSignal | undefined): Promise<void> {
  const stopped = (): boolean => signal?.aborted === true
  while (!stopped()) {
    let delivery
    try {
      delivery = await queue.receive({ signal })
    } catch (error) {
      if (stopped() || error instanceof QueueClosedError) return
      throw error
    }
    await handle(delivery, body)
  }
}

async function handle<T>(delivery: Delivery<T>, body: Body<T>): Promise<void> {
  try {
    await body(delivery.value, delivery)
  } catch (error) {
    await settled(delivery.nack({ error }))
    return
  }
  await settled(delivery.ack())
}

/** A body may have acknowledged or given back its item itself; and one that was lost is somebody else's by now. */
async function settled(settling: Promise<void>): Promise<void> {
  try {
    await settling
  } catch (error) {
    if (!(error instanceof LeaseLostError)) throw error
  }
}
