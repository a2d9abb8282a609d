/** Locks on three independent masters: real servers that are killed, stopped and emptied. */
import { CapacityError, QuorumError } from '@skein/core'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { Proxy } from '../../../integration-tests/support/proxy.ts'
import type { RedisServer } from '../../../integration-tests/support/redis.ts'
import { type Deadline, left } from '../src/supervisor/redlock/quorum-executor.ts'
import type { TestPermits } from './permits-world.ts'
import { redlockField } from './redlock-field.ts'

const LEASE = 1_000

const field = redlockField(LEASE)
const { until, losses, program, kill, standing } = field
let servers: readonly RedisServer[]
let namespace: string
beforeEach(() => {
  ;({ servers, namespace } = field)
})

/** Processes that take turns, and what happened to them. */
class Contest {
  readonly turns: number[]
  last = 0
  inside = 0
  overlaps = 0
  regressions = 0
  longest = 0
  #stopped = false
  #free = performance.now()
  readonly #runs: Promise<void>[]

  constructor(locks: readonly TestPermits[]) {
    this.turns = locks.map(() => 0)
    this.#runs = locks.map((lock, number) => this.#run(lock, number))
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await Promise.all(this.#runs)
  }

  /** Everybody has had so many turns more. */
  async all(more: number): Promise<void> {
    const before = [...this.turns]
    await expect
      .poll(() => this.turns.every((count, number) => count >= (before[number] ?? 0) + more), {
        timeout: 10_000,
        interval: 10,
      })
      .toBe(true)
  }

  async #run(lock: TestPermits, number: number): Promise<void> {
    while (!this.#stopped) {
      const token = await lock.acquire()
      this.longest = Math.max(this.longest, performance.now() - this.#free)
      if (this.inside > 0) this.overlaps += 1
      if (token <= this.last) this.regressions += 1
      this.last = token
      this.inside += 1
      await new Promise((told) => setTimeout(told, 3))
      this.inside -= 1
      this.turns[number] = (this.turns[number] ?? 0) + 1
      this.#free = performance.now()
      lock.release(token)
    }
  }
}

test('granted in the order of asking, with rising tokens; try never waits and never overtakes', async () => {
  const [a, b] = [await program(), await program()]
  const [mine, theirs] = [a.process().lock('x'), b.process().lock('x')]
  const first = await mine.acquire()
  const second = theirs.acquire()
  await standing(2)
  const third = mine.acquire()
  await standing(3)
  expect(await theirs.tryAcquire()).toBeNull()
  mine.release(first)
  expect(await mine.tryAcquire()).toBeNull()
  expect(await second).toBeGreaterThan(first)
  theirs.release(await second)
  expect(await third).toBeGreaterThan(await second)
  mine.release(await third)
  const again = await mine.tryAcquire()
  expect(again).toBeGreaterThan(await third)
  mine.release(again ?? 0)
  expect(await mine.value()).toBe(1)
})

test('value() and holder() say what a majority keeps', async () => {
  const [a, b] = [await program(), await program()]
  const keeper = a.process('keeper')
  const [mine, theirs] = [keeper.lock('x'), b.process().lock('x')]
  expect([await theirs.value(), await theirs.holder()]).toEqual([1, null])
  const token = await mine.acquire()
  const { id: process, name, pid, host } = keeper.session.process
  expect([await theirs.value(), await theirs.holder()]).toEqual([0, { process, name, pid, host, token }])
  await kill(0)
  expect([await theirs.value(), await theirs.holder()]).toEqual([0, { process, name, pid, host, token }])
})

test('a wait that runs out leaves nothing; a killed process gives way at once, a stopped one too', async () => {
  const a = await program()
  const [victim, other] = [a.process(), a.process()]
  await victim.lock('x').acquire()
  await expect(other.lock('x').acquire({ timeout: 50 })).rejects.toThrow('not granted')
  await standing(1)
  const waiting = other.lock('x').acquire()
  victim.kill()
  other.lock('x').release(await waiting)
  await expect.poll(() => other.lock('x').value()).toBe(1)
  await standing(0)
})

test('held for many leases while it is renewed; the tenure always says less than the masters keep', async () => {
  const a = await program()
  const process = a.process()
  const token = await process.lock('x').acquire()
  const key = `{${namespace}:redlock:lock:x}`
  const end = performance.now() + 3 * LEASE
  while (performance.now() < end) {
    const mine = left(until.get(process.session) as Deadline)
    const read = performance.now()
    expect(mine).toBeGreaterThan(0)
    for (const server of servers) {
      const theirs = Number(await server.ask('PTTL', key))
      expect(theirs + 1 + performance.now() - read).toBeGreaterThanOrEqual(mine)
    }
    await new Promise((told) => setTimeout(told, 20))
  }
  expect(losses).toEqual([])
  process.lock('x').release(token)
  await expect.poll(() => until.get(process.session)).toBeNull()
})

test('a program that vanishes keeps the lock for a lease, no longer and no less', async () => {
  const [a, b] = [await program(), await program()]
  const token = await a.process().lock('x').acquire()
  const waiting = b.process().lock('x').acquire()
  await standing(2)
  const [quorum] = field.quorums.values()
  a.crash()
  await quorum?.close()
  const asked = performance.now()
  expect(await waiting).toBeGreaterThan(token)
  expect(performance.now() - asked).toBeGreaterThan(LEASE / 2)
  expect(performance.now() - asked).toBeLessThan(5 * LEASE)
})

for (const victim of [0, 1, 2]) {
  test(`master ${victim} killed, restarted empty, stopped and continued: nobody overlaps, everybody goes on`, async () => {
    const programs = [await program(), await program(), await program()]
    const contest = new Contest(programs.flatMap((one) => [one.process().lock('x'), one.process().lock('x')]))
    const server = servers[victim] as RedisServer
    await contest.all(3)
    await server.kill()
    await contest.all(3)
    await server.restart({ empty: true })
    await contest.all(3)
    await server.stop()
    await contest.all(3)
    await server.cont()
    await contest.all(3)
    await contest.stop()
    expect([contest.overlaps, contest.regressions, losses]).toEqual([0, 0, []])
  })
}

/** How many clients the second master has that are ready: each has said its name by then, or a command. */
async function connections(): Promise<number> {
  const list = String(await servers[1]?.ask('CLIENT', 'LIST'))
  return list.split('\n').filter((one) => / cmd=(?!hello|NULL)/.test(one)).length
}

test('a master that came back empty gives no vote away that its last holder counts on', async () => {
  const proxies = await Promise.all(servers.map(({ url }) => Proxy.start(url)))
  onTestFinished(async () => {
    await Promise.all(proxies.map((proxy) => proxy.close()))
  })
  // Without a line, in which the holder has the first place: it carries no safety.
  const line = ['SET', `{${namespace}:redlock:lock:x}:q`, 'no list'] as const
  for (const server of servers) await server.ask(...line)
  const [a, b] = [await program(proxies.map(({ url }) => url)), await program()]
  const process = a.process()
  const token = await process.lock('x').acquire()
  // As if it had missed the last renewals on one master; another one forgets it.
  for (const proxy of proxies) proxy.hold()
  await servers[2]?.ask('DEL', `{${namespace}:redlock:lock:x}`)
  const before = await connections()
  await servers[1]?.restart({ empty: true })
  await servers[1]?.ask(...line)
  const deadline = until.get(process.session) as Deadline
  expect(left(deadline)).toBeGreaterThan(0)
  expect(await b.process().lock('x').tryAcquire()).toBeNull()
  const next = await b.process().lock('x').acquire()
  const rest = left(deadline)
  for (const proxy of proxies) proxy.flow()
  expect(rest).toBeLessThanOrEqual(0)
  expect(next).toBeGreaterThan(token)
  // Closed in the middle of making a connection, the client leaves a rejection of its own that nobody handles.
  await expect.poll(connections).toBeGreaterThanOrEqual(before)
})

test('split votes are solved below a second, without a line to stand in', async () => {
  // Every master refuses to keep the line, so everybody tries whenever they like.
  for (const server of servers) await server.ask('SET', `{${namespace}:redlock:lock:x}:q`, 'no list')
  const programs = [await program(), await program(), await program()]
  const contest = new Contest(programs.flatMap((one) => [one.process().lock('x'), one.process().lock('x')]))
  const total = (): number => contest.turns.reduce((sum, turns) => sum + turns, 0)
  await expect.poll(total).toBeGreaterThan(60)
  await contest.stop()
  expect([contest.overlaps, contest.regressions]).toEqual([0, 0])
  expect(contest.longest).toBeLessThan(1_000)
})

test('without a majority: a try says so, a wait goes on when there is one again, a holder is told', async () => {
  const a = await program()
  const process = a.process()
  const [held, other] = [process.lock('x'), a.process().lock('y')]
  await held.acquire()
  await servers[0]?.stop()
  await servers[2]?.stop()
  const asked = performance.now()
  await expect(other.tryAcquire()).rejects.toBeInstanceOf(QuorumError)
  expect(performance.now() - asked).toBeLessThan(2_000)
  const waiting = other.acquire()
  await expect.poll(() => losses.length).toBe(1)
  expect(losses[0]?.message).toContain('no majority')
  await servers[0]?.cont()
  await waiting
  const again = await a.process().lock('x').acquire({ timeout: 5_000 })
  expect(again).toBeGreaterThan(0)
  await servers[2]?.cont()
})

test('full masters refuse what is new; what is held is renewed and let go', async () => {
  const a = await program()
  const [process, other] = [a.process(), a.process()]
  const token = await process.lock('x').acquire()
  for (const server of servers) await server.config('maxmemory', 1)
  await expect(other.lock('y').acquire()).rejects.toBeInstanceOf(CapacityError)
  await new Promise((told) => setTimeout(told, 2 * LEASE))
  expect(losses).toEqual([])
  expect(left(until.get(process.session) as Deadline)).toBeGreaterThan(0)
  process.lock('x').release(token)
  for (const server of servers) await expect.poll(() => server.ask('EXISTS', `{${namespace}:redlock:lock:x}`)).toBe(0)
  for (const server of servers) await server.config('maxmemory', 0)
})

test('whose turn it is is heard of, though the answer to the first asking for that was lost', async () => {
  const proxies = await Promise.all(servers.map(({ url }) => Proxy.start(url)))
  onTestFinished(async () => {
    await Promise.all(proxies.map((proxy) => proxy.close()))
  })
  const asked = proxies.map((proxy) => proxy.dropReply(/:hint:/))
  const world = await program(proxies.map(({ url }) => url))
  await Promise.all(asked)
  const channel = `${namespace}:hint:${field.quorums.get(world.around)?.hints.program}`
  for (const server of servers) {
    await expect.poll(() => server.ask('PUBSUB', 'NUMSUB', channel)).toEqual([channel, 1])
  }
})

test('a program that ends before it has heard that it is told whose turn it is leaves nothing that nobody catches', async () => {
  const proxy = await Proxy.start(servers[0]?.url ?? '')
  onTestFinished(() => proxy.close())
  const uncaught: unknown[] = []
  const catching = (reason: unknown): void => void uncaught.push(reason)
  process.on('unhandledRejection', catching)
  onTestFinished(() => void process.off('unhandledRejection', catching))
  const world = await program([proxy.url])
  const channel = `${namespace}:hint:${field.quorums.get(world.around)?.hints.program}`
  await expect.poll(() => servers[0]?.ask('PUBSUB', 'NUMSUB', channel)).toEqual([channel, 1])
  const asked = proxy.muteAt(/:hint:/)
  proxy.cut()
  await asked
  await field.quorums.get(world.around)?.close()
  await new Promise((resolve) => setImmediate(resolve))
  expect(uncaught).toEqual([])
})
