/** Functions that run elsewhere and wait for signals, or give them. */
import process from 'node:process'
import type { Barrier, Event, Latch, Queue, Semaphore } from '@skein/core'

/** Waits for the event, says so first, and how it went afterwards. */
export async function awaitEvent(event: Event, said: Queue<number>): Promise<boolean> {
  const waiting = event.wait()
  // The answer to a later call is there: the wait has arrived.
  await event.isSet()
  await said.put(process.pid)
  await waiting
  return await event.isSet()
}

export async function setEvent(event: Event): Promise<void> {
  await event.set()
}

/** Waits for the latch, says so first. */
export async function awaitLatch(latch: Latch, said: Queue<number>): Promise<number> {
  const waiting = latch.wait()
  await latch.count()
  await said.put(process.pid)
  await waiting
  return await latch.count()
}

export async function countDown(latch: Latch, n?: number): Promise<number> {
  return await latch.countDown(n)
}

/** Gives so many permits, each by a call of its own, and ends. */
export async function give(semaphore: Semaphore, permits: number): Promise<void> {
  for (let given = 0; given < permits; given += 1) await semaphore.release()
}

/** Takes a permit so many times, and says so each time. */
export async function takeFor(semaphore: Semaphore, rounds: number, said: Queue<number>): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    await semaphore.acquire()
    await said.put(round)
  }
}

/** Takes a permit and never gives it back. */
export async function takeAndStay(semaphore: Semaphore, said: Queue<number>): Promise<void> {
  await semaphore.acquire()
  await said.put(process.pid)
  setInterval(() => {}, 60_000)
  await new Promise(() => {})
}

/** Passes the barrier so many times, and tells its number each time. */
export async function pass(barrier: Barrier, rounds: number): Promise<number[]> {
  const seats: number[] = []
  for (let round = 0; round < rounds; round += 1) seats.push(await barrier.wait())
  return seats
}

/** Waits at the barrier, says so first. */
export async function stay(barrier: Barrier, said: Queue<number>): Promise<number> {
  const waiting = barrier.wait()
  await barrier.waiting()
  await said.put(process.pid)
  return await waiting
}

/** The action of a barrier: tells that it ran, and where. */
export async function note(notes: Queue<number>): Promise<void> {
  await notes.put(process.pid)
}

/** As `note`, and goes on until the event is set. */
export async function noteUntil(notes: Queue<number>, event: Event): Promise<void> {
  await notes.put(process.pid)
  await event.wait()
}

/** An action that fails. */
export function refuse(): never {
  throw new RangeError('not today')
}

/** An action that does not end. */
export async function linger(notes: Queue<number>): Promise<void> {
  await notes.put(process.pid)
  setInterval(() => {}, 60_000)
  await new Promise(() => {})
}
