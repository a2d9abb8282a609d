// The main program computes for two seconds while two children hand items to and fro, and take turns with a lock.
import { connect, isMainProcess } from '@skein/core'
import type { Lock, Queue } from '@skein/core'

const BUSY_MS = 2_000
const ROUNDS = 100

export async function exchange(
  first: boolean,
  lock: Lock,
  mine: Queue<number>,
  theirs: Queue<number>,
  ready: Queue<number>,
) {
  await ready.put(process.pid)
  for (let round = 0; round < ROUNDS; round++) {
    if (first || round > 0) await theirs.put(round)
    await mine.get()
    await lock.with(() => {})
  }
  if (!first) await theirs.put(ROUNDS)
  return Date.now()
}

if (isMainProcess) {
  const mp = await connect()
  const lock = mp.lock()
  const [left, right, ready] = [mp.queue<number>(), mp.queue<number>(), mp.queue<number>()]
  const children = [
    mp.process(exchange, [true, lock, left, right, ready]),
    mp.process(exchange, [false, lock, right, left, ready]),
  ]
  for (const child of children) await child.start()
  await ready.get()
  await ready.get()
  const began = Date.now()
  while (Date.now() - began < BUSY_MS);
  const computed = Date.now()
  const ended = await Promise.all(children.map((child) => child.result()))
  console.log('times', began, computed, ...ended)
  await mp.close()
}
