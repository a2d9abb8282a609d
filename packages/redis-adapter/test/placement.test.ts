/** Starts go through Redis: each process once, with nothing of what it is given in Redis. */
import { CapacityError } from '@skein/core'
import { decode, type EncodedExit, type StarterEvents, type StartSpec } from '@skein/core/adapter'
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { freshNamespace, redisForTest, type RedisServer, startRedis } from '../../../integration-tests/support/redis.ts'
import { RedisPlacement } from '../src/supervisor/host/redis-placement.ts'
import { type JobQueue, jobQueue } from '../src/supervisor/job-queue.ts'
import { groundAt, Surroundings } from './surroundings.ts'

let redis: RedisServer

beforeAll(async () => {
  redis = await startRedis()
})

afterAll(() => redis.close())

function specOf(id: string): StartSpec {
  return {
    id,
    name: `Process-${id}`,
    daemon: false,
    namespace: 'n',
    nature: { kind: 'redis', place: 's', scope: 's', json: true, confirmed: true },
    parent: { id: 'p', name: 'main', pid: 1, host: 'h' },
    role: { kind: 'process', target: Buffer.from('secret target'), args: Buffer.from('secret arguments') },
    surroundings: { env: { TOKEN: 'secret environment' }, cwd: '/secret/folder', execArgv: [] },
    options: {
      env: { PASSWORD: 'secret variable' },
      cwd: '/secret/place',
      stdio: 'inherit',
      detached: false,
      needs: null,
    },
  }
}

interface Heard {
  readonly events: StarterEvents
  readonly exit: Promise<EncodedExit>
}

function listen(): Heard {
  let settle: (exit: EncodedExit) => void = () => undefined
  const exit = new Promise<EncodedExit>((resolve) => {
    settle = resolve
  })
  return { events: { started: () => undefined, loaded: () => undefined, ended: settle }, exit }
}

interface Place {
  readonly program: Surroundings
  readonly placement: RedisPlacement
  /** Until it is called, no job comes back. */
  readonly letThrough: () => void
}

async function place(server: RedisServer, held = false): Promise<Place> {
  const ground = await groundAt(server.url, freshNamespace())
  const program = await new Surroundings(ground, new Set(), { beat: 100 }).ready()
  const { around } = program
  let closed = held
  const open = (key: string): JobQueue => {
    const queue = jobQueue(around, key, { maxSize: Number.POSITIVE_INFINITY, maxDeliveries: Number.POSITIVE_INFINITY })
    return { ...queue, fetch: async (rid, mode) => (closed ? null : queue.fetch(rid, mode)) }
  }
  const placement = new RedisPlacement(around, open)
  onTestFinished(async () => {
    await placement.close()
    await program.close()
  })
  const letThrough = (): void => {
    closed = false
    program.store.tellConnected()
  }
  return { program, placement, letThrough }
}

test('each start is launched once, in the order of asking', async () => {
  const { placement } = await place(redis)
  const launched: string[] = []
  const all = new Promise<void>((resolve) => {
    for (const id of ['1', '2', '3']) {
      placement.start(specOf(id), listen().events, (spec) => {
        launched.push(spec.id)
        if (launched.length === 3) resolve()
      })
    }
  })
  expect(launched).toEqual([])
  await all
  expect(launched).toEqual(['1', '2', '3'])
})

test('a start that is cancelled in time is never launched, and ends as if killed', async () => {
  const { placement, letThrough } = await place(redis, true)
  const launch = vi.fn<() => void>()
  const { events, exit } = listen()
  const placed = placement.start(specOf('1'), events, launch)
  placed.cancel()
  placed.cancel()
  expect(await exit).toMatchObject({ exitCode: -9, signal: 'SIGKILL', reason: 'signaled' })
  const other = new Promise<void>((resolve) => placement.start(specOf('2'), listen().events, () => resolve()))
  letThrough()
  await other
  expect(launch).not.toHaveBeenCalled()
})

test('a full store fails the start with CapacityError', async () => {
  const server = await redisForTest({ own: true })
  await server.config('maxmemory', 1)
  const { placement } = await place(server)
  const { events, exit } = listen()
  placement.start(specOf('1'), events, () => undefined)
  const { reason, error } = await exit
  expect(reason).toBe('spawn-failed')
  const told = decode(error ?? new Uint8Array(), () => {
    throw new Error('no handles')
  })
  expect(told).toBeInstanceOf(CapacityError)
})

test('Redis holds who is started by whom, and neither target nor arguments nor environment', async () => {
  const { placement, program } = await place(redis, true)
  placement.start(specOf('7'), listen().events, () => undefined)
  const job = `{${program.around.namespace}:spawn:${program.sid}}:q:1`
  await vi.waitFor(async () => expect(await redis.ask('EXISTS', job)).toBe(1))
  const fields = JSON.stringify(await redis.ask('HGETALL', job))
  expect(fields).toContain('Process-7')
  expect(fields).toContain('main')
  expect(fields).not.toContain('secret')
})
