/** Functions that run elsewhere and are killed there. */
import process from 'node:process'
import type { Process, Queue, Semaphore } from '@skein/core'
import { currentProcess } from '@skein/core'
import { idle, spin } from './basic.ts'

/** Starts two children, one idle and one that computes, says all process ids, and stays. */
export async function startFamily(said: Queue<number>): Promise<void> {
  const { context } = currentProcess()
  if (context === null) throw new Error('a child has a context')
  const children: Process<unknown>[] = [context.process(idle, [said]), context.process(spin, [said])]
  for (const child of children) await child.start()
  await idle(said)
}

/** Waits for an item that never comes. */
export async function waitForItem(queue: Queue<unknown>, said: Queue<number>): Promise<void> {
  const waiting = queue.get()
  // The answer to a later call is there: the asking has arrived.
  await queue.size()
  await said.put(process.pid)
  await waiting
}

/** Waits for room that never comes. */
export async function waitForRoom(queue: Queue<string>, said: Queue<number>): Promise<void> {
  const waiting = queue.put('never')
  await queue.size()
  await said.put(process.pid)
  await waiting
}

/** Waits for permits that never come. */
export async function waitForPermits(semaphore: Semaphore, permits: number, said: Queue<number>): Promise<void> {
  const waiting = semaphore.acquire({ permits })
  await semaphore.value()
  await said.put(process.pid)
  await waiting
}

/** Puts large items for ever. */
export async function putForEver(queue: Queue<Uint8Array>, bytes: number, said: Queue<number>): Promise<void> {
  await said.put(process.pid)
  for (let round = 0; ; round += 1) await queue.put(new Uint8Array(bytes).fill(round % 256))
}
