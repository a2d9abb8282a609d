// What the tests of work in other programs run there.
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import process from 'node:process'
import { currentProcess, targetsOf } from '@skein/core'

export function first() {}

export function pid() {
  return process.pid
}

export function parentPid() {
  return process.ppid
}

export async function holdAndTell(lock, said) {
  await lock.acquire()
  await said.put([process.pid, process.ppid])
  setInterval(() => {}, 60_000)
  return new Promise(() => {})
}

/** Says who it is and how far it has come, until it is ended. */
export async function count(said, file) {
  appendFileSync(file, '.')
  await said.put([process.pid, process.ppid])
  return new Promise(() => {
    setInterval(() => appendFileSync(file, '.'), 10)
  })
}

/** Waits, writes so many numbered lines, and ends so. */
export async function endAs(door, lines, how) {
  await door.wait()
  for (let n = 0; n < lines; n += 1) console.log(`line ${n}`)
  if (how === 'throw') throw new RangeError('thrown')
  if (typeof how === 'number') process.exit(how)
  if (how !== 'return') process.kill(process.pid, how)
  return 'returned'
}

/** Adds to the file, and fails. */
export function fall(file) {
  appendFileSync(file, '.')
  throw new RangeError('fallen')
}

/** Writes more than fits there. */
export function fill(path) {
  writeFileSync(path, Buffer.alloc(4 * 1024 * 1024))
}

/** Says that it runs, and where. */
export function mark(file) {
  appendFileSync(file, `${process.ppid} `)
  return process.ppid
}

export async function putOne(queue, item) {
  await queue.put(item)
}

export async function swap(connection) {
  await connection.send((await connection.recv()) + 1)
}

export async function joinAnother(other) {
  const { exitCode } = await other.join()
  return [exitCode, await other.result()]
}

export async function makeQueue(item) {
  const queue = currentProcess().context.queue()
  await queue.put(item)
  return queue
}

export async function wait(latch) {
  return latch.get()
}

/** What its host says to that. */
export async function drainHost() {
  try {
    return await currentProcess().context.drain({ timeout: 5_000 })
  } catch (error) {
    return error
  }
}

/** What its host says to that where a process of its own asks, and a worker of its own. */
export async function drainFromBelow() {
  const { context } = currentProcess()
  const child = await context.process(drainHost).start()
  const pool = context.pool(1)
  return [await child.result(), await pool.apply(drainHost)]
}

export function slow(ms) {
  const end = Date.now() + ms
  while (Date.now() < end);
  return ms
}

/** What a process can read of itself. */
export async function surroundings() {
  const { env, argv, execArgv } = process
  return { env: { ...env }, argv, execArgv, cwd: process.cwd(), cmdline: readFileSync('/proc/self/cmdline', 'latin1') }
}

/** Starts what it is given, as its own child. */
export async function startAnother(url, name) {
  const child = currentProcess().context.process(targetsOf(url)[name])
  await child.start()
  return child.result()
}
