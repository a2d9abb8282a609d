/** Work that a program sends to itself: in order, once, and only as it was sent. */
import { CapacityError, ConnectionError, ProtocolError } from '@skein/core'
import { Queue } from 'bullmq'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { freshNamespace, redisForTest, type RedisServer, startRedis } from '../../../integration-tests/support/redis.ts'
import { type Piece, WorkLine } from '../src/supervisor/host/work-line.ts'
import { type JobQueue, jobQueue } from '../src/supervisor/job-queue.ts'
import { COMMAND_DEADLINE } from '../src/supervisor/settings.ts'
import { groundAt, Surroundings } from './surroundings.ts'

let redis: RedisServer

beforeAll(async () => {
  redis = await startRedis()
})

afterAll(() => redis.close())

interface Bench {
  readonly program: Surroundings
  readonly line: WorkLine
  readonly open: (key: string) => JobQueue
  /** Until it is called, no job comes back. */
  readonly letThrough: () => void
  readonly keys: () => Promise<string[]>
}

async function bench(server: RedisServer = redis, held = false, outage = Number.POSITIVE_INFINITY): Promise<Bench> {
  const namespace = freshNamespace()
  const ground = await groundAt(server.url, namespace)
  const program = await new Surroundings(ground, new Set(), { beat: 100, outage }).ready()
  const { around } = program
  let closed = held
  const open = (key: string): JobQueue => {
    const queue = jobQueue(around, key, { maxSize: Number.POSITIVE_INFINITY, maxDeliveries: Number.POSITIVE_INFINITY })
    return { ...queue, fetch: async (rid, mode) => (closed ? null : queue.fetch(rid, mode)) }
  }
  const line = new WorkLine(around, 'spawn', (sid) => sid, open)
  onTestFinished(async () => {
    await line.close()
    await program.close()
  })
  const letThrough = (): void => {
    closed = false
    program.store.tellConnected()
  }
  const keys = async (): Promise<string[]> => {
    const found = await server.ask('KEYS', `*${namespace}*`)
    return Array.isArray(found) ? found.map(String) : []
  }
  return { program, line, open, letThrough, keys }
}

interface Turn {
  readonly piece: Piece
  readonly outcome: Promise<'taken' | Error>
}

function turn(json: string, told?: () => void): Turn {
  let settle: (value: 'taken' | Error) => void = () => undefined
  const outcome = new Promise<'taken' | Error>((resolve) => {
    settle = resolve
  })
  const piece: Piece = {
    json,
    taken: () => {
      told?.()
      settle('taken')
    },
    refused: (error) => settle(error),
  }
  return { piece, outcome }
}

test('pieces get their turns in the order of sending', async () => {
  const { line } = await bench()
  const order: number[] = []
  const turns = Array.from({ length: 50 }, (_, n) => turn(JSON.stringify({ n }), () => order.push(n)))
  for (const { piece } of turns.slice(0, 30)) line.send(piece)
  await turns[0]?.outcome
  for (const { piece } of turns.slice(30)) line.send(piece)
  expect(await Promise.all(turns.map(({ outcome }) => outcome))).toEqual(turns.map(() => 'taken'))
  expect(order).toEqual(Array.from({ length: 50 }, (_, n) => n))
})

test('no turn comes before send has returned', async () => {
  const { line } = await bench()
  const told = vi.fn<() => void>()
  const { piece, outcome } = turn('1', told)
  line.send(piece)
  expect(told).not.toHaveBeenCalled()
  await outcome
})

test('a waiting piece is a job that BullMQ knows, and nothing is left of a closed line', async () => {
  const { program, line, letThrough, keys } = await bench(redis, true)
  const { piece, outcome } = turn('{"name":"Process-1"}')
  line.send(piece)
  const prefix = `{${program.around.namespace}:spawn:${program.sid}}`
  const connection = new Redis(await redis.urlOf(prefix), { maxRetriesPerRequest: null })
  const queue = new Queue('q', { connection, prefix, skipMetasUpdate: true })
  onTestFinished(async () => {
    await queue.close()
    connection.disconnect()
  })
  await vi.waitFor(async () => expect(await queue.getWaitingCount()).toBe(1))
  expect((await queue.getWaiting()).map(({ data }) => data as unknown)).toEqual([{ name: 'Process-1' }])
  expect([...program.owned]).toEqual([`spawn ${program.sid}`])
  letThrough()
  expect(await outcome).toBe('taken')
  await line.close()
  expect(await keys()).toEqual([])
  expect(program.owned.size).toBe(0)
})

test('what was taken back never gets its turn', async () => {
  const { line, letThrough } = await bench(redis, true)
  const told = vi.fn<() => void>()
  const first = turn('1', told)
  const second = turn('2')
  const takeBack = line.send(first.piece)
  line.send(second.piece)
  expect(takeBack()).toBe(true)
  expect(takeBack()).toBe(false)
  letThrough()
  expect(await second.outcome).toBe('taken')
  expect(told).not.toHaveBeenCalled()
})

test('taking back is too late once the turn has come', async () => {
  const { line } = await bench()
  const { piece, outcome } = turn('1')
  const takeBack = line.send(piece)
  await outcome
  expect(takeBack()).toBe(false)
})

test('a job that somebody changed in Redis is refused, and a job that somebody added is not run', async () => {
  const { program, line, open, letThrough } = await bench(redis, true)
  const key = `{${program.around.namespace}:spawn:${program.sid}}`
  const honest = turn('{"n":2}')
  const changed = turn('{"n":1}')
  line.send(changed.piece)
  await vi.waitFor(async () => expect(await redis.ask('EXISTS', `${key}:q:1`)).toBe(1))
  await redis.ask('HSET', `${key}:q:1`, 'data', '{"n":666}')
  await open(`spawn:${program.sid}`).put('somebody/1/1', '{"n":667}')
  line.send(honest.piece)
  letThrough()
  const outcome = await changed.outcome
  expect(outcome).toBeInstanceOf(ProtocolError)
  expect(String(outcome)).toContain('was changed in Redis')
  expect(await honest.outcome).toBe('taken')
})

test('a job that is delivered again does not run again', async () => {
  const { program, line, open } = await bench()
  const told = vi.fn<() => void>()
  const first = turn('1', told)
  line.send(first.piece)
  await first.outcome
  const queue = open(`spawn:${program.sid}`)
  // As after a lost answer: the same job in the queue once more.
  await queue.put('again/1/1', '1')
  const second = turn('2')
  line.send(second.piece)
  await second.outcome
  expect(told).toHaveBeenCalledTimes(1)
})

test('a job that somebody removed is sent again', async () => {
  const { program, line, letThrough } = await bench(redis, true)
  const { piece, outcome } = turn('1')
  line.send(piece)
  const key = `{${program.around.namespace}:spawn:${program.sid}}`
  await vi.waitFor(async () => expect(await redis.ask('EXISTS', `${key}:q:1`)).toBe(1))
  await redis.ask('DEL', `${key}:q:1`, `${key}:q:wait`)
  await vi.waitFor(async () => expect(await redis.ask('EXISTS', `${key}:q:2`)).toBe(1))
  letThrough()
  expect(await outcome).toBe('taken')
})

test('a lost session starts a line of its own, with what was waiting', async () => {
  const { program, line, letThrough, keys } = await bench(redis, true)
  const told = vi.fn<() => void>()
  const order: string[] = []
  const turns = ['1', '2', '3'].map((json) =>
    turn(json, () => {
      told()
      order.push(json)
    }),
  )
  for (const { piece } of turns) line.send(piece)
  const { sid } = program
  await vi.waitFor(async () =>
    expect(await redis.ask('EXISTS', `{${program.around.namespace}:spawn:${sid}}:q:3`)).toBe(1),
  )
  program.lose()
  await program.bear()
  letThrough()
  await Promise.all(turns.map(({ outcome }) => outcome))
  expect(order).toEqual(['1', '2', '3'])
  expect(told).toHaveBeenCalledTimes(3)
  await vi.waitFor(async () => expect((await keys()).filter((key) => key.includes(sid))).toEqual([]))
})

test('a store that came back empty delays what was waiting, and loses nothing', async () => {
  const server = await redisForTest({ own: true })
  const { program, line, letThrough } = await bench(server, true)
  const { piece, outcome } = turn('1')
  line.send(piece)
  await vi.waitFor(async () => expect(await server.ask('DBSIZE')).toBeGreaterThan(0))
  await server.restart({ empty: true })
  program.lose()
  await program.bear()
  letThrough()
  expect(await outcome).toBe('taken')
})

test('a full store refuses with CapacityError, and later pieces go when there is room', async () => {
  const server = await redisForTest({ own: true })
  const { line } = await bench(server)
  await server.config('maxmemory', 1)
  const refused = turn('1')
  line.send(refused.piece)
  expect(await refused.outcome).toBeInstanceOf(CapacityError)
  await server.config('maxmemory', 0)
  const taken = turn('2')
  line.send(taken.piece)
  expect(await taken.outcome).toBe('taken')
})

test('a stopped Redis delays a piece, unless it is away for longer than the outage allowed', async () => {
  const server = await redisForTest({ own: true })
  const patient = await bench(server)
  const impatient = await bench(server, false, 500)
  await server.stop()
  const waits = turn('1')
  const gives = turn('2')
  patient.line.send(waits.piece)
  const began = performance.now()
  impatient.line.send(gives.piece)
  expect(await gives.outcome).toBeInstanceOf(ConnectionError)
  // When the first asking is over, not the second.
  expect(performance.now() - began).toBeLessThan(2 * COMMAND_DEADLINE - 1_000)
  await server.cont()
  expect(await waits.outcome).toBe('taken')
})

test('a piece that cannot be put is given up, too, though what asks for it is answered', async () => {
  const { program } = await bench()
  const { around } = program
  const open = (key: string): JobQueue => {
    const queue = jobQueue(around, key, { maxSize: Number.POSITIVE_INFINITY, maxDeliveries: Number.POSITIVE_INFINITY })
    return { ...queue, put: () => Promise.reject(new ConnectionError('no answer', { retryable: true })) }
  }
  const line = new WorkLine({ ...around, outage: 300 }, 'spawn', () => 'unreached', open)
  onTestFinished(() => line.close())
  const { piece, outcome } = turn('1')
  const began = performance.now()
  line.send(piece)
  expect(await outcome).toBeInstanceOf(ConnectionError)
  expect(performance.now() - began).toBeGreaterThanOrEqual(300)
})

test('a piece whose job is there is given up, too, when Redis is away for longer than the outage', async () => {
  const server = await redisForTest({ own: true })
  const { program, line, letThrough } = await bench(server, true, 500)
  const { piece, outcome } = turn('1')
  line.send(piece)
  const job = `{${program.around.namespace}:spawn:${program.sid}}:q:1`
  await vi.waitFor(async () => expect(await server.ask('EXISTS', job)).toBe(1))
  await program.settled()
  await server.stop()
  letThrough()
  expect(await outcome).toBeInstanceOf(ConnectionError)
  await server.cont()
})
