/** What a master has not heard because a connection was lost, or hears late because it stood still, is in nobody's way. */
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { Proxy } from '../../../integration-tests/support/proxy.ts'
import type { Held } from '../src/supervisor/redlock/quorum-executor.ts'
import type { Quorum } from '../src/supervisor/redlock/quorum.ts'
import { redlockField } from './redlock-field.ts'

/** Long beside everything that a test waits for. */
const LEASE = 3_000
/** A place in the line runs out a lease after its last sign of life, which may be a beat ago. */
const SOON = LEASE / 2

const field = redlockField(LEASE)
const { kill, program, standing } = field
let proxies: Proxy[]
beforeEach(async () => {
  proxies = await Promise.all(field.servers.map(({ url }) => Proxy.start(url)))
  const mine = proxies
  onTestFinished(async () => {
    await Promise.all(mine.map((proxy) => proxy.close()))
  })
})

async function took(work: Promise<unknown>): Promise<number> {
  const began = performance.now()
  await work
  return performance.now() - began
}

test('a vote whose answer was lost is taken back', async () => {
  const a = await program(proxies.map(({ url }) => url))
  const lock = a.process().lock('x')
  lock.release(await lock.acquire())
  await expect.poll(() => lock.value()).toBe(1)
  // It takes both of the others.
  await kill(2)
  const lost = proxies[1]?.dropReply(/:lock:x\}\r\n\$32\r\n[^]*\r\n3000\r\n/i)
  const next = took(lock.acquire())
  await lost
  expect(await next).toBeLessThan(SOON)
})

test('a give-back that did not reach a master is told to it later', async () => {
  const a = await program(proxies.map(({ url }) => url))
  const lock = a.process().lock('x')
  const token = await lock.acquire()
  proxies[1]?.refuse()
  lock.release(token)
  await expect.poll(() => lock.value()).toBe(1)
  proxies[1]?.accept()
  await expect.poll(() => field.servers[1]?.ask('EXISTS', `{${field.namespace}:redlock:lock:x}`)).toBe(0)
})

test('a place in the line whose master could not be told is given up later', async () => {
  const [a, b] = [await program(proxies.map(({ url }) => url)), await program()]
  const lock = a.process().lock('x')
  const token = await lock.acquire()
  const next = b.process().lock('x').acquire()
  await standing(2)
  proxies[0]?.cut()
  lock.release(token)
  expect(await took(next)).toBeLessThan(SOON)
})

test('a master that stood still has no places in its line for those who were served meanwhile', async () => {
  const [a, b] = [await program(), await program()]
  const [mine, theirs] = [a.process().lock('x'), b.process().lock('x')]
  const token = await mine.acquire()
  const first = theirs.acquire().then((granted) => theirs.release(granted))
  await standing(2)
  await field.servers[0]?.stop()
  const second = mine.acquire().then((granted) => mine.release(granted))
  mine.release(token)
  await Promise.all([first, second])
  await field.servers[0]?.cont()
  await standing(0)
  expect(await took(theirs.acquire())).toBeLessThan(SOON)
})

test('a renewal does not come behind the give-back where a master no longer knows its script', async () => {
  await program()
  const [{ executor }] = [...field.quorums.values()] as [Quorum]
  const key = (name: string): string => `{${field.namespace}:redlock:lock:${name}}`
  const held = (await executor.acquire(key('x'), LEASE)) as Held
  for (const server of field.servers) await server.ask('SCRIPT', 'FLUSH')
  // They know that of giving back.
  await executor.release((await executor.acquire(key('y'), LEASE)) as Held)
  await Promise.all([executor.extend(held, LEASE), executor.release(held)])
  for (const server of field.servers) expect(await server.ask('EXISTS', key('x'))).toBe(0)
})
