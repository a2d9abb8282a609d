/** `inspect()` across programs: what others use is seen, who is dead is not, and locks of several masters are found, too. */
import { connect, type Context, type ObjectSnapshot } from '@skein/core'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { freshNamespace, type RedisServer, startMasters, startRedis } from '../../../integration-tests/support/redis.ts'
import { useStage } from './queue-world.ts'
import { Inspection } from '../src/supervisor/inspect/inspection.ts'

const stage = useStage()

test('what other programs use is seen, with whom; what a dead one held is not', async () => {
  const [one, two] = [await stage.program(), await stage.program()]
  const [mine, theirs] = [one.process('mine'), two.process('theirs')]
  const queue = theirs.queue<number>('work')
  await queue.put(1)
  await queue.put(2)
  await queue.receive()
  const event = theirs.mp.event({ name: 'go' })
  void event.wait().catch(() => undefined)
  const nameless = theirs.mp.barrier({ name: theirs.mp.anonymousName(), parties: 3, action: null })
  void nameless.wait().catch(() => undefined)
  const semaphore = theirs.mp.semaphore({ name: 's', permits: 3, bounded: false, owned: true })
  await semaphore.acquire()
  await theirs.mp.dict<number, string>({ name: 'd' }).set('a', 1)
  await nameless.waiting()
  await event.isSet()
  const { id } = theirs.session.process
  const inspection = new Inspection(one.around, null, () => [mine.session])
  const look = async (): Promise<Map<string, ObjectSnapshot>> => {
    const objects = await inspection.look()
    return new Map(objects.map((object) => [`${object.kind} ${object.name}`, object]))
  }
  const seen = await look()
  expect(seen.get('queue work')).toMatchObject({ depth: 1, holders: [{ process: null, count: 1 }], waiters: [] })
  expect(seen.get('event go')).toMatchObject({ depth: 0, waiters: [{ process: id, name: 'theirs' }] })
  expect(seen.get(`barrier ${nameless.name}`)).toMatchObject({ depth: 1, capacity: 3, waiters: [{ process: id }] })
  expect(seen.get('semaphore s')).toMatchObject({ depth: 2, capacity: 3, holders: [{ process: id, count: 1 }] })
  expect(seen.get('dict d')).toMatchObject({ depth: 1, capacity: null })
  two.crash()
  stage.dead.add(two.sid)
  const after = await look()
  expect(after.get('queue work')).toMatchObject({ depth: 1, holders: [] })
  expect(after.get('event go')).toMatchObject({ waiters: [] })
  expect(after.get(`barrier ${nameless.name}`)).toMatchObject({ depth: 0, waiters: [] })
  expect(after.get('semaphore s')).toMatchObject({ depth: 3, holders: [] })
  expect(after.get('dict d')).toMatchObject({ depth: 1 })
})

test('many objects, and more keys than one step of a scan looks at', async () => {
  const world = await stage.program()
  const { mp } = world.process()
  const latches = Array.from({ length: 1_500 }, (_, each) => mp.latch({ name: `l${each}`, count: 2 }))
  await Promise.all(latches.map((latch) => latch.countDown()))
  const objects = await new Inspection(world.around, null, () => []).look()
  expect(objects.filter(({ kind, depth }) => kind === 'latch' && depth === 1)).toHaveLength(1_500)
})

let servers: readonly RedisServer[] = []
beforeAll(async () => {
  servers = await startMasters()
}, 60_000)
afterAll(() => Promise.all(servers.map((server) => server.close())))

test('locks of several masters: who holds them, and how many wait; also when the first master knows nothing of them', async () => {
  const namespace = freshNamespace()
  const open = async (): Promise<Context> => {
    const urls = servers.map(({ url }) => url)
    const mp = await connect(urls, { namespace, sessionTtl: 1_000 })
    onTestFinished(() => mp.close())
    return mp
  }
  const [one, two] = [await open(), await open()]
  const lock = one.lock('many')
  const lease = await lock.acquire()
  const waiting = two.lock('many').acquire()
  const seen = async (): Promise<ObjectSnapshot | undefined> =>
    (await two.inspect()).objects.find(({ kind, name }) => kind === 'lock' && name === 'many')
  await expect.poll(async () => (await seen())?.waiters.length).toBe(1)
  expect(await seen()).toMatchObject({ depth: 0, capacity: 1, holders: [{ pid: process.pid, token: lease.token }] })
  // Two of three votes were enough for the grant; the third master learns of it when it is renewed.
  const known = (): Promise<unknown[]> =>
    Promise.all(servers.map((server) => server.ask('EXISTS', `{${namespace}:redlock:lock:many}`)))
  await expect.poll(known).toEqual([1, 1, 1])
  await servers[0]?.ask('DEL', `{${namespace}:redlock:lock:many}`, `{${namespace}:redlock:lock:many}:f`)
  expect(await seen()).toMatchObject({ depth: 0, holders: [{ token: lease.token }] })
  await lease.release()
  await (await waiting).release()
  await expect.poll(async () => (await seen())?.depth ?? 1).toBe(1)
}, 30_000)

test('a server that is away rejects within the time of a call', async () => {
  const server = await startRedis({ own: true })
  onTestFinished(() => server.close())
  const mp = await connect(server.url, { namespace: freshNamespace() })
  await server.stop()
  const asked = performance.now()
  await expect(mp.inspect()).rejects.toMatchObject({ name: 'ConnectionError' })
  expect(performance.now() - asked).toBeLessThan(10_000)
  await server.cont()
  await mp.close()
}, 30_000)
