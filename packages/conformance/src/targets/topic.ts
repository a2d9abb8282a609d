/** Functions that run elsewhere: who listens to a topic. */
import type { Event, Queue, Topic } from '@skein/core'

/** Says when it listens, and then what it hears, up to `last`. */
export async function listen(topic: Topic<number>, ready: Event, last: number): Promise<number[]> {
  const loop = topic[Symbol.asyncIterator]()
  await ready.set()
  const heard: number[] = []
  for await (const message of loop) {
    heard.push(message)
    if (message === last) break
  }
  return heard
}

/** Listens, and never takes what it hears. */
export async function listenIdly(topic: Topic<unknown>, ready: Event): Promise<void> {
  topic[Symbol.asyncIterator]()
  await ready.set()
  setInterval(() => {}, 60_000)
  await new Promise(() => {})
}

export async function publishAll(topic: Topic<number>, messages: readonly number[]): Promise<void> {
  for (const message of messages) await topic.publish(message)
}

/** Says what it hears until the topic is gone, and then why. */
export async function listenToTheEnd(topic: Topic<number>, ready: Event, said: Queue<string>): Promise<void> {
  const loop = topic[Symbol.asyncIterator]()
  await ready.set()
  try {
    for await (const message of loop) await said.put(String(message))
  } catch (error) {
    await said.put((error as Error).name)
  }
}
