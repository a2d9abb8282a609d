/** What goes wrong between two steps: refusals, losses and stops while something is under way, and what must be whole afterwards. */
import type { Redis } from 'ioredis'
import { expect, test } from 'vitest'
import { PipeCommands } from '../src/supervisor/pipe-commands.ts'
import { useStage, World } from './queue-world.ts'

const stage = useStage()

/** That program's connection to the server that has the queue. */
const line = (world: World): Redis => world.at(`{${stage.namespace}:queue:a}`)

/** Streak of puts that are followed at once by gets, as in a loop. */
const LOOP = 8

test('a get that was foreseen when the session was lost finds its item under the next one', async () => {
  const world = await stage.program(50)
  const queue = world.process().queue<number>('a')
  for (let turn = 0; turn < LOOP; turn += 1) {
    await queue.put(turn)
    expect(await queue.get()).toBe(turn)
  }
  await stage.redis.stop()
  const put = queue.put(7)
  const got = queue.get()
  await new Promise((sent) => setTimeout(sent, 2))
  world.lose()
  await stage.redis.cont()
  await world.bear()
  await put
  expect(await got).toBe(7)
})

test('a put that was refused by a full store while it stood in line does not block those behind it', async () => {
  const world = await stage.program(50)
  const queue = world.process().queue<number>('a', { maxSize: 1 })
  await queue.put(1)
  const second = queue.put(2)
  const told = expect(second).rejects.toMatchObject({ name: 'CapacityError' })
  await queue.size()
  await stage.redis.config('maxmemory', '1mb')
  try {
    expect(await queue.get()).toBe(1)
    await told
  } finally {
    await stage.redis.config('maxmemory', '0')
  }
  expect(await queue.tryPut(3)).toBe(true)
  expect(await queue.get()).toBe(3)
})

test('what a server was too busy to take is told to it later on the same connection', async () => {
  const world = await stage.program(100)
  const [holder, other] = [world.process(), world.process()]
  const queue = other.queue<number>('a')
  await queue.put(1)
  await holder.queue<number>('a').receive()
  await stage.redis.config('busy-reply-threshold', '50')
  const busy = line(world).duplicate({ enableOfflineQueue: true })
  const spin = busy.eval('while true do end', 0).catch(() => undefined)
  await expect.poll(() => stage.redis.ask('PING').catch(String)).toMatch('BUSY')
  holder.kill()
  // Asked later than what the killed one held was given back, so given up later.
  await expect(queue.size()).rejects.toMatchObject({ name: 'ConnectionError' })
  await stage.redis.ask('SCRIPT', 'KILL')
  await spin
  busy.disconnect()
  expect(await queue.get({ timeout: 5_000 })).toBe(1)
  await stage.redis.config('busy-reply-threshold', '5000')
})

test('an anonymous queue whose maker ends while the server is away is deleted when it is back', async () => {
  const world = await stage.program(50)
  const maker = world.process()
  const queue = maker.queue<number>(`~${maker.session.process.id}-1`)
  await queue.put(1)
  const keys = (): Promise<string[]> => stage.redis.ask('KEYS', `{${stage.namespace}:queue:*`) as Promise<string[]>
  expect(await keys()).not.toHaveLength(0)
  world.lose()
  maker.kill()
  expect(world.owned.size).toBe(1)
  await world.bear()
  await expect.poll(keys).toEqual([])
  expect(world.owned.size).toBe(0)
})

test('an item that was foreseen is not overtaken by the next one of the same producer', async () => {
  const [one, two] = [await stage.program(50), await stage.program(50)]
  const maker = one.process().queue<number>('a')
  const taker = two.process().queue<number>('a')
  await taker.size()
  for (let turn = 0; turn < LOOP; turn += 1) {
    await maker.put(-1)
    await maker.get()
  }
  await maker.put(1)
  await maker.put(2)
  expect([await taker.get(), await taker.get()]).toEqual([1, 2])
})

test('a put that two losses of the session found on its way is put once', async () => {
  const [one, two] = [await stage.program(50), await stage.program(50)]
  const queue = one.process().queue<number>('a')
  const taker = two.process().queue<number>('a')
  await queue.size()
  line(one).stream.pause()
  const put = queue.put(1)
  expect(await taker.get()).toBe(1)
  line(one).disconnect(true)
  one.lose()
  await one.bear()
  // Nothing has been sent in the name of this session yet.
  one.lose()
  await one.bear()
  await put
  expect(await taker.size()).toBe(0)
})

test('a put under way when its process is stopped is put once', async () => {
  const [one, two] = [await stage.program(50), await stage.program(50)]
  const maker = one.process()
  const queue = maker.queue<number>('a')
  const taker = two.process().queue<number>('a')
  await queue.size()
  line(one).stream.pause()
  const put = queue.put(1)
  expect(await taker.get()).toBe(1)
  one.suspend(maker)
  one.resume(maker)
  line(one).stream.resume()
  await put
  expect(await taker.size()).toBe(0)
})

test('a waiting call outlives a lost connection by `outage`, and not by twice that', async () => {
  await stage.program()
  const world = await World.open(stage.redis.url, stage.namespace, stage.dead, { beat: 50, outage: 2_500 })
  const queue = world.process().queue<number>('a')
  await queue.size()
  await stage.redis.stop()
  const began = performance.now()
  await expect(queue.put(1)).rejects.toMatchObject({ name: 'ConnectionError' })
  const took = performance.now() - began
  await stage.redis.cont()
  world.crash()
  expect(took).toBeGreaterThanOrEqual(2_499)
  expect(took).toBeLessThan(4_500)
})

test('who joins takes back what a dead program holds, though nobody told of its death', async () => {
  const [one, two] = [await stage.program(50), await stage.program(50)]
  const queue = one.process().queue<number>('a')
  await queue.put(1)
  await two.process().queue<number>('a').receive()
  const joined = queue.join()
  two.crash()
  stage.dead.add(two.sid)
  await expect.poll(() => queue.size()).toBe(1)
  expect(await queue.get()).toBe(1)
  await joined
})

test('a message of a pipe that reached the server after a later one is not taken for a second sending', async () => {
  const world = await stage.program()
  const commands = new PipeCommands(world.around, 'pipe:a', () => undefined)
  const process = `${world.sid}/1`
  await commands.use(0, process, true)
  const send = (n: number): Promise<string> => commands.send(0, process, `${process}/${n}`, Buffer.from([n]))
  expect(await Promise.all([send(2), send(1), send(2)])).toEqual(['sent', 'sent', 'sent'])
  const received = async (rid: string): Promise<unknown> => {
    const answer = await commands.recv(1, process, `${process}/${rid}`, true)
    return answer.kind === 'message' ? answer.data[0] : answer.kind
  }
  expect([await received('3'), await received('4'), await received('5')]).toEqual([2, 1, 'none'])
  await commands.destroy()
})

test('a put that is answered while its process is stopped is put once', async () => {
  const [one, two] = [await stage.program(50), await stage.program(50)]
  const maker = one.process()
  const queue = maker.queue<number>('a')
  const other = one.process().queue<number>('a')
  const taker = two.process().queue<number>('a')
  await queue.size()
  line(one).stream.pause()
  const put = queue.put(1)
  expect(await taker.get()).toBe(1)
  one.suspend(maker)
  line(one).stream.resume()
  for (const item of [2, 3]) {
    await other.put(item)
    expect(await taker.get()).toBe(item)
  }
  one.resume(maker)
  await put
  expect(await taker.size()).toBe(0)
})

test('a closed queue in which only ids without jobs are left is told as closed at once', async () => {
  const world = await stage.program(60_000)
  const queue = world.process().queue<number>('a')
  await queue.putMany([1, 2, 3])
  for (const id of ['1', '2', '3']) await line(world).del(`{${stage.namespace}:queue:a}:q:${id}`)
  await queue.close()
  await expect(queue.get()).rejects.toMatchObject({ name: 'QueueClosedError' })
})

test('ids without jobs are cleared away so many at a time, and the item behind them is got', async () => {
  const world = await stage.program(60_000)
  const queue = world.process().queue<number>('a')
  await queue.put(1)
  const ids = Array.from({ length: 2_500 }, (_, n) => `gone-${n}`)
  await line(world).rpush(`{${stage.namespace}:queue:a}:q:wait`, ...ids)
  expect(await queue.get()).toBe(1)
  expect(world.calls.filter((name) => name === 'q-fetch')).toHaveLength(3)
})
