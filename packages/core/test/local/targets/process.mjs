// Targets of process.test.ts, supervisor.test.ts and context.test.ts, in plain JavaScript so that children start fast.
import { writeSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { connect, currentProcess } from '@skein/core'

export function echo(value) {
  return value
}

/** @param {number} bytes */
export function fill(bytes) {
  return Buffer.alloc(bytes)
}

/** @param {import('@skein/core').Process<unknown>} other */
export async function stateOf(other) {
  const { state } = await other.status()
  return state
}

/** Ends 200 ms after it was asked to, in good order. */
export async function endSlowly(said) {
  const { signal } = currentProcess()
  const timer = setInterval(() => undefined, 1_000)
  const ended = new Promise((resolve) => {
    signal.addEventListener('abort', () => setTimeout(resolve, 200))
  })
  await said.put('ready')
  await ended
  clearInterval(timer)
}

/** Has a supervisor of its own, and waits for ever. */
export async function openSecondNamespace(said) {
  const own = await connect('local:', { namespace: 'second' })
  await own.lock('a').locked()
  await said.put('ready')
  await new Promise((resolve) => setInterval(resolve, 2 ** 30))
}

/** Writes what is no frame to the descriptor of its link. */
export function writeNoise() {
  writeSync(3, Buffer.alloc(64, 0xff))
  return new Promise((resolve) => setTimeout(resolve, 20_000))
}

export async function makeUnstarted(queue) {
  const mp = await connect()
  await queue.put(mp.process(echo, [1]))
}

export async function holdUntilTold(lock, connection, mark) {
  const lease = await lock.acquire()
  await connection.send('held')
  await connection.recv()
  await lease.release()
  await writeFile(mark, '')
}

export async function closeAndGoOn(lock) {
  const first = await connect()
  const wasFirst = currentProcess().context === first
  await first.close()
  const none = currentProcess().context
  const second = await connect()
  const process = await second.process(echo, ['grandchild']).start()
  return {
    wasFirst,
    none,
    same: second === first,
    known: currentProcess().context === second && (await connect('local:')) === second,
    namespace: second.namespace,
    result: await process.result(),
    locked: await second.lock(lock).locked(),
  }
}
