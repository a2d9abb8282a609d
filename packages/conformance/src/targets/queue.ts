/** Functions that run elsewhere: producers and consumers. */
import type { JoinableQueue, Queue } from '@skein/core'

export async function putAll<T>(queue: Pick<Queue<T>, 'put'>, items: readonly T[]): Promise<void> {
  for (const item of items) await queue.put(item)
}

/** An item and who put it. */
export interface Stamped {
  readonly producer: number
  readonly serial: number
}

export async function produce(queue: Queue<Stamped>, producer: number, count: number): Promise<void> {
  for (let serial = 0; serial < count; serial += 1) await queue.put({ producer, serial })
}

/** All it can get until the queue is closed and drained. */
export async function drain<T>(queue: Queue<T>): Promise<T[]> {
  const items: T[] = []
  for await (const item of queue) items.push(item)
  return items
}

export async function getOne<T>(queue: Pick<Queue<T>, 'get'>): Promise<T> {
  return await queue.get()
}

/** Passes items on until the first queue is closed and drained. */
export async function passOn<T>(from: Queue<T>, to: Queue<T>): Promise<void> {
  for await (const item of from) await to.put(item)
}

/** Fills the queue up, says how many items it took, and puts one more, which has to wait. */
export async function fill(queue: Queue<number>, said: Queue<number>): Promise<void> {
  let count = 0
  while (await queue.tryPut(count)) count += 1
  await said.put(count)
  await queue.put(count)
  await said.put(count + 1)
}

/** Closes the queue. */
export async function closeQueue(queue: Queue<unknown>): Promise<void> {
  await queue.close()
}

/** Takes an item, says so, and keeps it until it dies. */
export async function hold<T>(queue: Queue<T>, said: Queue<T>): Promise<void> {
  const delivery = await queue.receive()
  await said.put(delivery.value)
  setInterval(() => {}, 60_000)
  await new Promise(() => {})
}

/** Takes an item for good, says which, and then computes for ever. */
export async function takeAndSpin<T>(queue: Queue<T>, said: Queue<T>): Promise<void> {
  for await (const item of queue) {
    await said.put(item)
    for (;;);
  }
}

/** Takes an item, says so, and gives it back when told. */
export async function giveBackWhenTold<T>(queue: Queue<T>, said: Queue<T>, words: Queue<string>): Promise<void> {
  const delivery = await queue.receive()
  await said.put(delivery.value)
  await words.get()
  await delivery.nack()
}

/** Takes an item, says so, and acknowledges it when told. */
export async function acknowledgeWhenTold<T>(queue: Queue<T>, said: Queue<T>, words: Queue<string>): Promise<void> {
  const delivery = await queue.receive()
  await said.put(delivery.value)
  await words.get()
  await delivery.ack()
}

/** Puts 0, 1, … in one call. */
export async function putMany(queue: Queue<number>, count: number): Promise<void> {
  await queue.putMany(
    (function* numbers() {
      for (let n = 0; n < count; n += 1) yield n
    })(),
  )
}

export async function purgeAll(queue: Queue<unknown>): Promise<number> {
  return await queue.purge()
}

/** Gets items, says which, and calls each done, until it dies. */
export async function work(queue: JoinableQueue<number>, done: Queue<number>): Promise<void> {
  for (;;) {
    const item = await queue.get()
    await done.put(item)
    await queue.taskDone()
  }
}

/** Gets so many items, says so, and never calls them done. */
export async function getAndKeep(queue: JoinableQueue<number>, count: number, said: Queue<number>): Promise<void> {
  for (let n = 0; n < count; n += 1) await said.put(await queue.get())
  setInterval(() => {}, 60_000)
  await new Promise(() => {})
}

export async function doneOnce(queue: JoinableQueue<number>): Promise<void> {
  await queue.taskDone()
}

export async function putLater<T>(queue: Queue<T>, item: T, delay: number): Promise<void> {
  await queue.put(item, { delay })
}

/** Fails with every item. */
export async function failing(queue: Queue<unknown>): Promise<void> {
  await queue.consume(() => {
    throw new Error('as always')
  })
}
