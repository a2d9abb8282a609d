/** A barrier over several programs, where messages, connections, sessions and programs are lost. */
import { type Barrier, BrokenBarrierError } from '@skein/core'
import { deferred } from '@skein/core/adapter'
import { expect, test } from 'vitest'
import { cutting, type TestProcess, useStage } from './queue-world.ts'

const stage = useStage()

const at = ({ mp }: TestProcess, parties = 2): Barrier => mp.barrier({ name: 'a', parties, action: null })
const acting = ({ mp }: TestProcess, run: () => unknown): Barrier =>
  mp.barrier({ name: 'a', parties: 2, action: { ref: { module: 'test', export: 'run' }, run } })

const keyOf = (part: string): string => `{${stage.namespace}:barrier:a}:${part}`
/** How many stand in line. */
const standing = (count: number): Promise<void> =>
  expect.poll(() => stage.redis.ask('ZCARD', keyOf('q')), { interval: 5 }).toBe(count)
const failure = (waiting: Promise<number>): Promise<Error> =>
  waiting.then(
    () => expect.unreachable(),
    (error: unknown) => error as Error,
  )

test('rounds with all connections cut again and again: each party passes each round with a number of its own', async () => {
  const [one, two] = [await stage.program(50), await stage.program(50)]
  const parties = [one.process(), two.process(), two.process()].map((process) => at(process, 3))
  const rounds = 120
  const passing = parties.map(async (barrier) => {
    const seats: number[] = []
    for (let round = 0; round < rounds; round += 1) seats.push(await barrier.wait())
    return seats
  })
  await cutting(stage.redis, Promise.all(passing))
  const seats = await Promise.all(passing)
  for (let round = 0; round < rounds; round += 1) {
    expect(new Set(seats.map((of) => of[round]))).toEqual(new Set([0, 1, 2]))
  }
  await expect.poll(() => stage.redis.ask('EXISTS', ...['q', 'i', 'a'].map(keyOf))).toBe(0)
}, 60_000)

test('a program that dies breaks the barrier, whether somebody tells of it or not, and is named', async () => {
  for (const told of [true, false]) {
    const [one, two] = [await stage.program(50), await stage.program(50)]
    const barrier = at(one.process(), 3)
    void at(two.process('unlucky'), 3)
      .wait()
      .catch(() => undefined)
    await standing(1)
    two.crash()
    stage.dead.add(two.sid)
    const waiting = failure(barrier.wait())
    if (told) one.hear(two.sid)
    const error = await waiting
    expect(error).toBeInstanceOf(BrokenBarrierError)
    expect(error.message).toMatch(/process unlucky \(pid \d+ on here\) died/)
    await barrier.reset()
  }
})

test('a process that is stopped loses its seat, which breaks the barrier; it hears of it when it goes on', async () => {
  const [one, two] = [await stage.program(), await stage.program()]
  const stopped = one.process('sleeper')
  const theirs = failure(at(stopped, 3).wait())
  await standing(1)
  const barrier = at(two.process(), 3)
  const mine = failure(barrier.wait())
  await standing(2)
  one.suspend(stopped)
  expect((await mine).message).toMatch(/process sleeper \(pid \d+\) was stopped for too long/)
  await barrier.reset()
  one.resume(stopped)
  expect(await theirs).toBeInstanceOf(BrokenBarrierError)
  expect(await barrier.waiting()).toBe(0)
})

test('a program whose session is lost keeps its seat if nobody has buried it, and breaks the barrier if somebody has', async () => {
  const [one, two] = [await stage.program(50), await stage.program(50)]
  const [mine, theirs] = [at(one.process()), at(two.process())]
  const kept = theirs.wait()
  await theirs.waiting()
  two.lose()
  await two.bear()
  await theirs.waiting()
  expect(await mine.wait()).toBe(1)
  expect(await kept).toBe(0)
  const lost = failure(theirs.wait())
  await theirs.waiting()
  const old = two.sid
  two.lose()
  one.hear(old)
  await standing(0)
  // Usable again before the lost one is back: it is none of the new round.
  await mine.reset()
  await two.bear()
  expect((await lost).message).toMatch(/cut off/)
  expect(await mine.waiting()).toBe(0)
})

test('parties that wait when Redis comes back empty meet all the same', async () => {
  const [one, two] = [await stage.program(50), await stage.program(50)]
  const [mine, theirs] = [at(one.process(), 3), at(two.process(), 3)]
  // So that the barrier has been through a round before.
  await Promise.all([mine.wait(), mine.wait(), theirs.wait()])
  const waits = [mine.wait(), theirs.wait()]
  await Promise.all([mine.waiting(), theirs.waiting()])
  await stage.redis.ask('FLUSHALL')
  for (const world of [one, two]) {
    world.lose()
    await world.bear()
  }
  await standing(2)
  waits.push(mine.wait())
  expect(new Set(await Promise.all(waits))).toEqual(new Set([0, 1, 2]))
})

test('the death of the program that runs the action breaks the barrier', async () => {
  const [one, two] = [await stage.program(50), await stage.program(50)]
  const [acts, begun] = [new Promise(() => undefined), deferred()]
  const waiting = failure(at(one.process()).wait())
  await standing(1)
  const running = acting(two.process('unlucky'), () => (begun.resolve(), acts))
  void running.wait().catch(() => undefined)
  await begun.promise
  expect(await running.waiting()).toBe(2)
  two.crash()
  one.hear(two.sid)
  expect((await waiting).message).toMatch(/process unlucky \(pid \d+ on here\) died, or was cut off, while it ran/)
})

test('who runs the action hears that the barrier broke, or was reset, meanwhile', async () => {
  const [one, two] = [await stage.program(50), await stage.program(50)]
  const other = at(one.process())
  for (const [end, words] of [
    ['abort', /aborted it/],
    ['reset', /reset while its action ran/],
  ] as const) {
    const waiting = failure(other.wait())
    await standing(1)
    const passed = failure(acting(two.process(), () => other[end]()).wait())
    expect(await waiting).toBeInstanceOf(BrokenBarrierError)
    expect((await passed).message).toMatch(words)
    await other.reset()
  }
})

test('a message that was lost is made up for: each still hears its own number', async () => {
  const [one, two] = [await stage.program(50), await stage.program(50)]
  const [mine, theirs] = [at(one.process(), 3), at(two.process(), 3)]
  two.deaf = true
  const waits = [theirs.wait(), theirs.wait()]
  await standing(2)
  expect(await mine.wait()).toBe(2)
  expect(await Promise.all(waits)).toEqual([0, 1])
})
