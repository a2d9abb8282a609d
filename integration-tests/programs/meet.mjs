// One program of several that share local:NAME. It does what it is told by messages, and answers.
import process from 'node:process'
import { connect } from '@skein/core'
import { answer, sleep } from './meet-child.mjs'

const [url, namespace] = process.argv.slice(2)
let mp = await connect(url, { namespace })
const kept = new Map()
const watched = []

const commands = {
  scope: () => mp.lock('scope').ref.scope,
  state: () => mp.state,
  /** Takes a lock and keeps it; the abort of the lease is remembered. */
  lock: async (name) => {
    const lease = await mp.lock(name).acquire()
    lease.signal.addEventListener('abort', () => watched.push(String(lease.signal.reason?.cause?.name)))
    kept.set(name, lease)
    return true
  },
  unlock: async (name) => kept.get(name).release(),
  tryLock: async (name) => {
    const lease = await mp.lock(name).tryAcquire()
    await lease?.release()
    return lease !== null
  },
  aborted: () => watched,
  lost: () => mp.lost.aborted && mp.lost.reason.message,
  add: (name, n) => mp.value(0, name).add(n),
  put: (name, item) => mp.queue(name).put(item),
  get: (name) => mp.queue(name).get(),
  tryGet: (name) => mp.queue(name).tryGet(),
  /** Sends a nameless queue to who reads that one. */
  lend: async (name) => {
    const queue = mp.queue()
    kept.set('lent', queue)
    await mp.queue(name).put(queue)
    return true
  },
  lent: () => kept.get('lent').get(),
  /** Starts a process and sends its handle to who reads that queue. */
  start: async (name, ms) => {
    const child = await mp.process(sleep, [ms]).start()
    kept.set('child', child)
    await mp.queue(name).put(child)
    return child.pid
  },
  /** The pids of all that run, and the end of the one with that pid. */
  pids: async () => (await mp.processes()).map(({ pid }) => pid),
  end: async (pid) => {
    const { id } = (await mp.processes()).find((one) => one.pid === pid)
    const found = await mp.find(id)
    await found.kill()
    return (await found.join()).signal
  },
  childEnded: async () => {
    const { reason, signal } = await kept.get('child').join()
    return [reason, signal]
  },
  /** What a process of another program came to. */
  join: async (name) => (await (await mp.queue(name).get()).join()).reason,
  terminate: async (name) => {
    const child = await mp.queue(name).get()
    await child.terminate()
    return (await child.join()).signal
  },
  borrowed: async (name, item) => {
    const queue = await mp.queue(name).get()
    await queue.put(item)
    kept.set('borrowed', queue)
    return queue.ref.program !== undefined
  },
  again: () => kept.get('borrowed').put('again'),
  run: async (n) => await (await mp.process(answer, [n]).start()).result(),
  map: async (items) => mp.pool(1).map(answer, items),
  /** A call that waits until something happens. */
  wait: (name) => mp.event(name).wait(),
  set: (name) => mp.event(name).set(),
  inspect: async () => (await mp.inspect()).objects,
  /** Once the host is known to be gone. */
  reconnect: async () => {
    if (!mp.lost.aborted) await new Promise((resolve) => mp.lost.addEventListener('abort', resolve))
    mp = await connect(url, { namespace })
    return mp.lock('scope').ref.scope
  },
  close: async () => {
    await mp.close()
    return true
  },
}

async function carryOut({ id, command, args }) {
  try {
    process.send({ id, value: (await commands[command](...args)) ?? null })
  } catch (error) {
    process.send({ id, error: { name: error.name, message: error.message } })
  }
}

process.on('message', (message) => void carryOut(message))
process.send({ id: 0, value: 'ready' })
