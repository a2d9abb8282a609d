/** Functions that run elsewhere, at one end of a pipe. */
import process from 'node:process'
import type { Connection, Queue } from '@skein/core'
import { EndOfStreamError } from '@skein/core'

/** Sends back all it receives, until there is no more. */
export async function answer<T>(end: Connection<T>): Promise<number> {
  for (let count = 0; ; count += 1) {
    let message: T
    try {
      message = await end.recv()
    } catch (error) {
      if (error instanceof EndOfStreamError) return count
      throw error
    }
    await end.send(message)
  }
}

export async function sendAll<T>(end: Connection<T>, messages: readonly T[]): Promise<void> {
  for (const message of messages) await end.send(message)
}

export async function sendAndClose<T>(end: Connection<T>, messages: readonly T[]): Promise<void> {
  await sendAll(end, messages)
  await end.close()
}

export async function recvOne<T>(end: Connection<unknown, T>): Promise<T> {
  return await end.recv()
}

/** Receives an end through an end, and sends on it. */
export async function sendOnReceivedEnd<T>(end: Connection<unknown, Connection<T>>, message: T): Promise<void> {
  const passed = await end.recv()
  await passed.send(message)
}

/** Uses its end, says so, and then does nothing. */
export async function sendAndIdle<T>(end: Connection<T>, messages: readonly T[], said: Queue<number>): Promise<void> {
  await sendAll(end, messages)
  await said.put(process.pid)
  setInterval(() => {}, 60_000)
  await new Promise(() => {})
}
