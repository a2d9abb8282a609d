/** Functions that run elsewhere and work on shared state. */
import process from 'node:process'
import type { Lock, Queue, Value } from '@skein/core'
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
