/** Pipes of several programs on one Redis. */
import { BrokenPipeError, EndOfStreamError, StateError } from '@skein/core'
import { type HandleRef, handleRef } from '@skein/core/adapter'
import type { Connection } from '@skein/core'
import { expect, test } from 'vitest'
import { RedisPipeObject } from '../src/supervisor/redis-pipe-object.ts'
import { cutting, type TestProcess, useStage } from './queue-world.ts'

const stage = useStage()

type Ends = [Connection<number>, Connection<number>]

function pipe(process: TestProcess, name = process.mp.anonymousName()): Ends {
  return process.mp.pipe<number, number>({ name, duplex: true })
}

/** As an end arrives in another process. */
function passed(end: Connection<number>, to: TestProcess): Connection<number> {
  const ref = Reflect.get(end, handleRef) as HandleRef
  return to.mp.attach(ref) as unknown as Connection<number>
}

test('both ways, in order, puts not awaited, and nothing is left behind', async () => {
  const world = await stage.program()
  const one = world.process()
  const [left, right] = pipe(one)
  const sent = Promise.all([1, 2, 3].map((message) => left.send(message)))
  expect([await right.recv(), await right.recv(), await right.recv()]).toEqual([1, 2, 3])
  await sent
  const waiting = left.recv()
  expect(await right.poll()).toBe(false)
  await right.send(4)
  expect(await waiting).toBe(4)
  await right.sendBytes(new Uint8Array([255, 0, 13, 10]))
  expect(await left.poll()).toBe(true)
  expect(await left.recvBytes()).toEqual(new Uint8Array([255, 0, 13, 10]))
  one.kill()
  await world.settled()
  expect(await stage.redis.ask('KEYS', `{${stage.namespace}:*`)).toEqual([])
  expect(world.owned.size).toBe(0)
})

test('closed: drained, then the end of the stream', async () => {
  const one = (await stage.program()).process()
  const [left, right] = pipe(one)
  await left.send(1)
  await left.close()
  expect(await right.recv()).toBe(1)
  await expect(right.recv()).rejects.toBeInstanceOf(EndOfStreamError)
  await expect(right.send(2)).rejects.toBeInstanceOf(BrokenPipeError)
})

test('who waits hears of the close, and of a destroyed pipe', async () => {
  const one = (await stage.program()).process()
  const [left, right] = pipe(one)
  const end = expect(right.recv()).rejects.toBeInstanceOf(EndOfStreamError)
  await right.poll()
  await left.close()
  await end
  const [, other] = pipe(one)
  const gone = expect(other.recv()).rejects.toBeInstanceOf(StateError)
  await other.poll()
  await (other as unknown as { destroy(): Promise<void> }).destroy()
  await gone
})

test('an end belongs to who used it last, and dies with that process', async () => {
  const world = await stage.program()
  const [one, two] = [world.process(), world.process()]
  const [left, right] = pipe(one)
  const theirs = passed(right, two)
  await theirs.send(1)
  await theirs.send(2)
  two.kill()
  expect([await left.recv(), await left.recv()]).toEqual([1, 2])
  await expect(left.recv()).rejects.toBeInstanceOf(EndOfStreamError)
  await expect(left.send(3)).rejects.toBeInstanceOf(BrokenPipeError)
})

test('what one process has looked at is received first by the process that the end was passed to', async () => {
  const world = await stage.program()
  const [one, two] = [world.process(), world.process()]
  const [left, right] = pipe(one)
  await left.send(1)
  await left.send(2)
  expect(await right.poll()).toBe(true)
  const theirs = passed(right, two)
  expect([await theirs.recv(), await theirs.recv()]).toEqual([1, 2])
})

test('another program at the other end: messages, and its death', async () => {
  const [one, two] = [await stage.program(50), await stage.program(60_000)]
  const first = one.process()
  const [left] = pipe(first, 'shared')
  const [, right] = pipe(two.process(), 'shared')
  const waiting = right.recv()
  await left.send(1)
  expect(await waiting).toBe(1)
  await right.send(2)
  expect(await left.recv()).toBe(2)
  const end = expect(left.recv()).rejects.toBeInstanceOf(EndOfStreamError)
  two.crash()
  stage.dead.add(two.sid)
  await end
})

test('session lost: the ends stay, who waits waits on, nothing is doubled', async () => {
  const world = await stage.program(50)
  const one = world.process()
  const [left, right] = pipe(one)
  await left.send(1)
  const waiting = left.recv()
  await right.poll()
  world.lose()
  const sent = left.send(2)
  await world.bear()
  await sent
  expect([await right.recv(), await right.recv()]).toEqual([1, 2])
  await right.send(3)
  expect(await waiting).toBe(3)
})

test('connections cut at random: every message once, in order', async () => {
  const world = await stage.program(50)
  const [left, right] = pipe(world.process())
  const messages = Array.from({ length: 300 }, (_, index) => index)
  const sending = (async () => {
    for (const message of messages) await left.send(message)
  })()
  const got: number[] = []
  const receiving = (async () => {
    while (got.length < messages.length) got.push(await right.recv())
  })()
  await cutting(stage.redis, Promise.all([sending, receiving]))
  expect(got).toEqual(messages)
}, 30_000)

test('an end stays with the process that has it now, though word of that comes before word of the process before', async () => {
  const world = await stage.program()
  const [first, second] = [world.process(), world.process()]
  const [left, right] = pipe(world.process())
  await left.poll()
  world.store.closeGate()
  /** Redis is to be told who has it. */
  const said = async (to: TestProcess): Promise<Connection<number>> => {
    const before = world.calls.length
    const end = passed(right, to)
    await expect.poll(() => world.calls.length).toBeGreaterThan(before)
    return end
  }
  await said(first)
  // Refused, and kept to be tried again.
  world.store.closeGate()
  const theirs = await said(second)
  world.store.resume(world.store.met())
  await world.settled()
  first.kill()
  await world.settled()
  await left.send(1)
  expect(await theirs.recv()).toBe(1)
})

test('a program that loses sight of a pipe of another one takes nothing from those who have it', async () => {
  const [one, two] = [await stage.program(), await stage.program()]
  const process = one.process()
  const name = process.mp.anonymousName()
  const [left, right] = pipe(process, name)
  await left.send(1)
  const theirs = new RedisPipeObject(name, (inbox) => two.broker.add(inbox), two.around, two.process().session)
  theirs.end(new StateError('its keeper cannot be heard'))
  await two.settled()
  expect(await right.recv()).toBe(1)
})
