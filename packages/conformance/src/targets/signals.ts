/** Functions that run elsewhere and wait for signals, or give them. */
import process from 'node:process'
import type { Event, Queue } from '@skein/core'

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
