/** Functions that run elsewhere and work on shared state. */
import process from 'node:process'
import type { DictKey, Lock, Queue, SharedArray, SharedDict, SharedList, Value } from '@skein/core'
import { currentProcess } from '@skein/core'

/** Adds 1 so many times, each time from what is there. */
export async function increment(value: Value<number>, times: number): Promise<void> {
  for (let time = 0; time < times; time += 1) await value.update((n) => n + 1)
}

export async function addEach(value: Value<number>, summand: number, times: number): Promise<void> {
  for (let time = 0; time < times; time += 1) await value.add(summand)
}

/** Says that it is there, then writes as fast as it can until it is told to end; how often it did. */
export async function hammer(value: Value<number>, said: Queue<number>, words: Queue<string>): Promise<number> {
  await value.set(-1)
  await said.put(process.pid)
  let [writes, told] = [0, false]
  const word = words.get().then(() => (told = true))
  while (!told) {
    await value.set(-1)
    writes += 1
  }
  await word
  return writes
}

export async function readValue<T>(value: Value<T>): Promise<T> {
  return await value.get()
}

/** The value that its own context has by that name. */
export async function addByName(name: string, initial: number): Promise<number> {
  const { context } = currentProcess()
  if (context === null) throw new Error('a child has a context')
  return await context.value(initial, name).add(1)
}

/** Whether the lock that is stored there is held. */
export async function storedLocked(value: Value<{ readonly lock: Lock }>): Promise<boolean> {
  return await (await value.get()).lock.locked()
}

export async function readKey<V>(dict: SharedDict<V>, key: DictKey): Promise<V | undefined> {
  return await dict.get(key)
}

/** Counts each of the words so many times. */
export async function countWords(
  dict: SharedDict<number, string>,
  words: readonly string[],
  times: number,
): Promise<void> {
  for (let time = 0; time < times; time += 1) {
    for (const word of words) await dict.update(word, (count = 0) => count + 1)
  }
}

/** What it got by asking for all of 0 … count - 1. */
export async function popAll(dict: SharedDict<number, number>, count: number): Promise<number[]> {
  const popped = await Promise.all(Array.from({ length: count }, (_, key) => dict.pop(key)))
  return popped.filter((value) => value !== undefined)
}

/** Sets 0 … count - 1 to twice that. */
export async function fill(dict: SharedDict<number, number>, count: number): Promise<void> {
  for (let first = 0; first < count; first += 500) {
    await Promise.all(Array.from({ length: 500 }, (_, at) => dict.set(first + at, 2 * (first + at))))
  }
}

/** An item of the queue that is stored there. */
export async function takeNumber(dict: SharedDict<Queue<number>>, key: DictKey): Promise<number> {
  const queue = await dict.get(key)
  if (queue === undefined) throw new Error('there is no queue')
  return await queue.get()
}

export async function readAll<T>(list: SharedList<T>): Promise<T[]> {
  return await list.slice()
}

/** Pushes its number so many times, several at once. */
export async function pushEach(list: SharedList<number>, who: number, times: number, at: number): Promise<void> {
  for (let time = 0; time < times; time += 1) await list.push(...Array.from({ length: at }, () => who))
}

/** Takes items from one end until there are none. */
export async function popUntilEmpty(list: SharedList<number>, last: boolean): Promise<number[]> {
  const taken: number[] = []
  try {
    for (;;) taken.push(await (last ? list.pop() : list.shift()))
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    return taken
  }
}

/** Sets each item that falls to this share to its number. */
export async function setShare(array: SharedArray<number>, share: number, shares: number): Promise<void> {
  for (let at = share; at < (await array.length()); at += shares) await array.set(at, share)
}
