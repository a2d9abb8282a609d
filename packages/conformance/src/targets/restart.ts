/** Functions that run elsewhere, again and again. */
import process from 'node:process'
import type { Lock, Queue } from '@skein/core'
import { connect, currentProcess } from '@skein/core'
import { idle } from './basic.ts'

/** Which run of it this is, from a count that all runs share. */
async function nextRun(runs: Queue<number>): Promise<number> {
  const run = await runs.get()
  await runs.put(run + 1)
  return run
}

/** Fails until its run number `good`, which returns its number. */
export async function failUntil(runs: Queue<number>, good: number, pids: Queue<number>): Promise<number> {
  await pids.put(process.pid)
  const run = await nextRun(runs)
  if (run < good) throw new RangeError(`run ${run}`)
  return run
}

export async function exitWith(codes: Queue<number>): Promise<never> {
  process.exit(await codes.get())
}

/** Says that it is there, with its id, and waits for ever. */
export async function sayAndIdle(said: Queue<{ pid: number; id: string }>): Promise<void> {
  await said.put({ pid: process.pid, id: currentProcess().id })
  setInterval(() => {}, 60_000)
  await new Promise(() => {})
}

/** Holds the lock and says so, in each of its runs; and sends a lock of its own, which ends with the run. */
export async function holdAgain(lock: Lock, said: Queue<{ pid: number; token: number; own: Lock }>): Promise<void> {
  const mp = await connect()
  const lease = await lock.acquire()
  await said.put({ pid: process.pid, token: lease.token, own: mp.lock() })
  setInterval(() => {}, 60_000)
  await new Promise(() => {})
}

/** Starts a process that is started again when it ends, then waits for ever. */
export async function startRestarting(said: Queue<{ pid: number; id: string }>, ready: Queue<string>): Promise<void> {
  const mp = await connect()
  await mp.process(sayAndIdle, [said], { restart: { on: 'always', backoff: 0 } }).start()
  await ready.put('ready')
  setInterval(() => {}, 60_000)
  await new Promise(() => {})
}

/** Starts a process that outlives this one, then ends. */
export async function startDetached(said: Queue<number>): Promise<string> {
  const mp = await connect()
  const child = mp.process(idle, [said], { detached: true })
  await child.start()
  return child.id
}

/** Starts a process that outlives this one, then waits to be killed. */
export async function startDetachedAndIdle(said: Queue<number>): Promise<void> {
  await startDetached(said)
  setInterval(() => {}, 60_000)
  await new Promise(() => {})
}

export async function printAndFail(runs: Queue<number>, most: number): Promise<void> {
  const run = await nextRun(runs)
  console.log(`run ${run}`)
  if (run < most) process.exit(1)
}
