/** What becomes of a grant while replicas are asked whether they have it. */
import { ConnectionError, type SkeinError, StateError } from '@skein/core'
import { monotonic } from '@skein/core/adapter'
import { expect, test } from 'vitest'
import { program, standing } from './permits-fixture.ts'
import type { World } from './permits-world.ts'

/** A program whose replicas say what the test says, in the order of asking. */
async function asking(
  beat?: number,
): Promise<{ world: World; asked: () => Promise<(said: SkeinError | null) => void> }> {
  const questions: ((said: SkeinError | null) => void)[] = []
  const replication = { lacking: () => new Promise<SkeinError | null>((resolve) => questions.push(resolve)) }
  const world = await program({ replication, ...(beat === undefined ? {} : { beat }) })
  const asked = async (): Promise<(said: SkeinError | null) => void> => {
    await expect.poll(() => questions.length, { interval: 5 }).toBeGreaterThan(0)
    return questions.shift() as (said: SkeinError | null) => void
  }
  return { world, asked }
}

test('a process that is stopped meanwhile loses its turn and waits for the next one', async () => {
  const { world, asked } = await asking()
  const stopped = world.process()
  const first = stopped.lock('x').acquire()
  const answer = await asked()
  const lock = world.process().lock('x')
  const second = lock.acquire()
  await standing('x', 1)
  stopped.session.suspend()
  ;(await asked())(null)
  const token = await second
  answer(null)
  stopped.session.resume()
  await standing('x', 1)
  lock.release(token)
  ;(await asked())(null)
  expect(await first).toBeGreaterThan(token)
})

test('whose session is lost meanwhile asks again under the next one', async () => {
  const { world, asked } = await asking()
  const token = world.process().lock('x').acquire()
  const answer = await asked()
  world.lose()
  answer(null)
  await world.bear()
  ;(await asked())(null)
  expect(await token).toBeGreaterThan(0)
})

test('so does it where the next session may not ask at once, and nothing else is left to look again for', async () => {
  const beat = 20
  const { world, asked } = await asking(beat)
  const token = world.process().lock('x').acquire()
  const answer = await asked()
  world.lose()
  await world.bear()
  // The last look, after which none is due, shows nowhere.
  await new Promise((resolve) => setTimeout(resolve, 10 * beat))
  world.grantsFrom = monotonic() + 200
  answer(null)
  ;(await asked())(null)
  expect(monotonic()).toBeGreaterThanOrEqual(world.grantsFrom)
  expect(await token).toBeGreaterThan(0)
})

test('a lock that is destroyed meanwhile is told as destroyed', async () => {
  const { world, asked } = await asking()
  const token = world.process().lock('x').acquire()
  const answer = await asked()
  await world.process('its end').lock('x').destroy()
  await expect(token).rejects.toThrow(StateError)
  await expect(token).rejects.toThrow('destroyed by its end')
  answer(null)
})

test('what replicas lack is given back, and told as it was said', async () => {
  const { world, asked } = await asking()
  const lock = world.process().lock('x')
  const token = lock.acquire()
  const why = new ConnectionError('0 of 1')
  ;(await asked())(why)
  await expect(token).rejects.toThrow('0 of 1')
  expect(await lock.holder()).toBeNull()
})
