/** Functions that run elsewhere and take locks or permits. */
import process from 'node:process'
import type { Lease, Lock, Queue, RLock, RWLock, Semaphore, WaitOptions } from '@skein/core'

/** What a lock and a semaphore have in common. */
export interface Lockable {
  acquire(wait?: WaitOptions): Promise<Lease>
  tryAcquire(): Promise<Lease | null>
  with<R>(body: (lease: Lease) => R | PromiseLike<R>): Promise<R>
  release(): Promise<void>
  locked(): Promise<boolean>
}

/** A grant, as told by whoever got it. */
export interface Grant {
  readonly who: number
  readonly pid: number
  readonly token: number
}

/** Enters and leaves the critical section, saying so each time. */
export async function critical(lock: Lockable, log: Queue<string>, who: number, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    await lock.with(async () => {
      await log.put(`in ${who}`)
      await log.put(`out ${who}`)
    })
  }
}

/** Reads and writes by turns, saying so each time. */
export async function readAndWrite(rw: RWLock, log: Queue<string>, who: number, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    const how = (round + who) % 3 === 0 ? 'write' : 'read'
    await rw[how].with(async () => {
      await log.put(`in ${who} ${how}`)
      await log.put(`out ${who} ${how}`)
    })
  }
}

/** Asks, says that it is in line, and when its turn comes says that it was granted and gives way. */
export async function standInLine(
  lock: Lockable,
  said: Queue<number>,
  granted: Queue<Grant>,
  who: number,
): Promise<void> {
  const asked = lock.acquire()
  // The answer to a later call is there: the asking has arrived.
  await lock.locked()
  await said.put(process.pid)
  const lease = await asked
  await granted.put({ who, pid: process.pid, token: lease.token })
  await lease.release()
}

/** Holds it until told to let go. */
export async function holdUntilTold(lock: Lockable, said: Queue<Grant>, words: Queue<string>): Promise<string> {
  const lease = await lock.acquire()
  await said.put({ who: 0, pid: process.pid, token: lease.token })
  const word = await words.get()
  await lease.release()
  return word
}

/** Takes it and never lets go. */
export async function holdForEver(lock: Lockable, said: Queue<Grant>): Promise<void> {
  const lease = await lock.acquire()
  await said.put({ who: 0, pid: process.pid, token: lease.token })
  setInterval(() => {}, 60_000)
  await new Promise(() => {})
}

/** Takes it and computes for ever. */
export async function holdAndSpin(lock: Lockable, said: Queue<Grant>): Promise<void> {
  const lease = await lock.acquire()
  await said.put({ who: 0, pid: process.pid, token: lease.token })
  for (;;);
}

/** Takes an RLock three deep and never lets go. */
export async function holdThreeDeep(lock: RLock, said: Queue<Grant>): Promise<void> {
  await lock.with(() => lock.with(() => lock.with(() => holdForEver(lock, said))))
}

/** Takes it, and ends without giving it back. */
export async function takeAndEnd(lock: Lockable): Promise<number> {
  return (await lock.acquire()).token
}

export async function tryOnce(lock: Lockable): Promise<boolean> {
  return (await lock.tryAcquire()) !== null
}

export async function releaseOnce(lock: Lockable): Promise<void> {
  await lock.release()
}

export async function tokenOf(lock: Lockable): Promise<number> {
  return await lock.with((lease) => lease.token)
}

/** Takes so many permits, says so, and keeps them. */
export async function holdPermits(semaphore: Semaphore, permits: number, said: Queue<Grant>): Promise<void> {
  const lease = await semaphore.acquire({ permits })
  await said.put({ who: permits, pid: process.pid, token: lease.token })
  setInterval(() => {}, 60_000)
  await new Promise(() => {})
}

export async function holderPid(lock: Lock): Promise<number | null> {
  return (await lock.holder())?.pid ?? null
}
