/** Topics of programs whose connection comes and goes. */
import { expect, test } from 'vitest'
import { useStage } from './queue-world.ts'

const stage = useStage()

test('who listens hears and is shown, though word of who has left came late', async () => {
  const [one, two] = [await stage.program(60_000), await stage.program(60_000)]
  const [topic, theirs] = [one.process().mp.topic<string>({ name: 'a' }), two.process().mp.topic<string>({ name: 'a' })]
  const before = topic[Symbol.asyncIterator]()
  await topic.publish('x')
  await before.next()
  one.store.closeGate()
  await before.return?.()
  await new Promise(setImmediate)
  // Refused, and kept to be tried again.
  one.store.closeGate()
  const loop = topic[Symbol.asyncIterator]()
  const heard = loop.next()
  await new Promise(setImmediate)
  one.store.resume(one.store.met())
  await one.settled()
  await theirs.publish('y')
  expect(await stage.redis.ask('HEXISTS', `{${stage.namespace}:topic:a}:w`, one.sid)).toBe(1)
  expect(await heard).toEqual({ done: false, value: 'y' })
})
