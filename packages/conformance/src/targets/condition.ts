/** Functions that run elsewhere and wait in a condition. */
import process from 'node:process'
import type { Condition, Queue } from '@skein/core'

/** Waits once, saying before that it is about to and after that it has the lock again. */
export async function waitOnce(condition: Condition, said: Queue<number>, woken: Queue<number>): Promise<void> {
  await condition.with(async () => {
    await said.put(process.pid)
    await condition.wait()
    await woken.put(process.pid)
  })
}

/** As `waitOnce`, and never gives the lock back. */
export async function waitAndHold(condition: Condition, said: Queue<number>, woken: Queue<number>): Promise<void> {
  await condition.with(async () => {
    await said.put(process.pid)
    await condition.wait()
    await woken.put(process.pid)
    setInterval(() => {}, 60_000)
    await new Promise(() => {})
  })
}

/** Takes items as they come, until it gets `null`. */
export async function consume(condition: Condition, items: Queue<string | null>, taken: Queue<string>): Promise<void> {
  for (;;) {
    const item = await condition.with(() => condition.waitFor(() => items.tryGet()))
    if (item.value === null) return
    await taken.put(item.value)
  }
}

export async function notifyOnce(condition: Condition): Promise<void> {
  await condition.with(() => condition.notify())
}

/** Without the lock. */
export async function notifyBare(condition: Condition): Promise<void> {
  await condition.notify()
}
