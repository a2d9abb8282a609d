// One lock of each library under the same two methods, so that the programs beside this file differ in nothing else.
import { connect } from '@skein/core'
import { Redis } from 'ioredis'
import { Mutex } from 'redis-semaphore'
import Redlock from 'redlock'

/** @typedef {() => Promise<() => Promise<unknown>>} Acquire takes the lock; what it resolves with gives the lock back */

const url = process.env['SKEIN_URL'] ?? 'redis://127.0.0.1:6379'
const LEASE = 5_000

/**
 * @param {string} library
 * @param {string} name
 * @returns {Promise<{ acquire: Acquire, close: () => Promise<unknown> }>}
 */
export async function openLock(library, name) {
  if (library === 'skein') {
    const mp = await connect(url)
    const lock = mp.lock(name)
    const acquire = async () => {
      const lease = await lock.acquire()
      return () => lease.release()
    }
    return { acquire, close: () => mp.close() }
  }
  const client = new Redis(url)
  const close = () => client.quit()
  if (library === 'redlock') {
    const redlock = new Redlock([client])
    // It reports each lost vote of a lock that is merely taken.
    redlock.on('error', () => {})
    const acquire = async () => {
      const lock = await redlock.acquire([name], LEASE)
      return () => lock.release()
    }
    return { acquire, close }
  }
  const acquire = async () => {
    // One per attempt: a mutex object holds at most once.
    const mutex = new Mutex(client, name, { lockTimeout: LEASE, acquireTimeout: 60_000 })
    await mutex.acquire()
    return () => mutex.release()
  }
  return { acquire, close }
}
