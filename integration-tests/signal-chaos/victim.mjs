/**
 * Who is killed in a chaos run of events, latches, barriers, conditions and semaphores that nobody owns: as a child of the program that runs
 * the test, or as a program of its own. It writes each thing that happened to it into a file of its own, after it has happened.
 */
import { openSync, writeSync } from 'node:fs'
import { currentProcess } from '@skein/core'
import { conditionOf, notifyOnce, scribe, waitOnce } from './condition-turns.mjs'

/** @type {Record<string, (mp: import('@skein/core').Context, name: string, say: (word: string) => void, history: string) => Promise<void>>} */
const roles = {
  async party(mp, name, say) {
    const barrier = mp.barrier(3, name)
    say('ready')
    await barrier.wait()
    say('passed')
  },
  async event(mp, name, say) {
    const event = mp.event(name)
    say('ready')
    await event.wait()
    say('woken')
  },
  async latch(mp, name, say) {
    const latch = mp.latch(2, name)
    say('ready')
    await latch.wait()
    say('woken')
  },
  async giver(mp, name, say) {
    const semaphore = mp.semaphore(0, { name, owned: false })
    say('ready')
    for (;;) {
      await semaphore.release()
      say('gave')
    }
  },
  async taker(mp, name, say) {
    const semaphore = mp.semaphore(0, { name, owned: false })
    say('ready')
    for (;;) {
      await semaphore.acquire()
      say('took')
    }
  },
  async waiter(mp, name, say, history) {
    const condition = conditionOf(mp, name)
    const write = scribe(history)(0)
    say('ready')
    for (;;) await waitOnce(condition, write, 4, say)
  },
  async notifier(mp, name, say, history) {
    const condition = conditionOf(mp, name)
    const write = scribe(history)(0)
    say('ready')
    for (const count of [1, 2, 3, 1, 2]) await notifyOnce(condition, write, count, 2, say)
  },
}

/** @param {string} role @param {string} name @param {string} path @param {string} [history] */
export async function victim(role, name, path, history = '') {
  const file = openSync(path, 'a')
  const { context } = currentProcess()
  await roles[role](context, name, (word) => writeSync(file, `${word}\n`), history)
  // It is killed, whatever it has seen.
  setInterval(() => {}, 60_000)
  await new Promise(() => {})
}
