/** BullMQ's texts are those that we know, and BullMQ sees our queues as its own. */
import { createHash } from 'node:crypto'
import { type ConnectionOptions, Queue, Worker } from 'bullmq'
import { Cluster } from 'ioredis'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { isClustered } from '../../../integration-tests/support/clustered.ts'
import { freshNamespace, type RedisServer, startRedis } from '../../../integration-tests/support/redis.ts'
import { BULL_NAME, bullTexts } from '../src/supervisor/bull.ts'
import { jobQueue } from '../src/supervisor/job-queue.ts'
import { World } from './queue-world.ts'

let redis: RedisServer
beforeAll(async () => {
  redis = await startRedis()
}, 60_000)
afterAll(async () => redis?.close())

async function world(): Promise<{ world: World; namespace: string }> {
  const namespace = freshNamespace()
  return { world: await World.open(redis.url, namespace, new Set()), namespace }
}

/** What BullMQ is given to reach it. */
function connection(): ConnectionOptions {
  if (!isClustered()) return { url: redis.url, maxRetriesPerRequest: null }
  const cluster = new Cluster([redis.url], { redisOptions: { maxRetriesPerRequest: null } })
  onTestFinished(() => cluster.disconnect())
  return cluster
}

test('the texts that we wrap are those of the version that we know', () => {
  const digest = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 16)
  // Another version's texts: read what has changed, run all tests of queues, then record them here.
  expect(Object.fromEntries(Object.entries(bullTexts).map(([name, text]) => [name, digest(text)]))).toEqual({
    addDelayedJob: 'e47c0db3c46bd84a',
    addPrioritizedJob: 'd4652d1be004a3d7',
    addStandardJob: '2eee45c9ffc54d24',
    moveJobFromActiveToWait: 'ac9546cdd23294a2',
    moveToActive: '7d35069db0b831af',
    moveToDelayed: '1a7b9311ef92fd66',
    moveToFinished: '8e744ec5d65dbe9e',
    reprocessJob: '4ea1093385a87676',
  })
})

test('BullMQ reads what we put, and a dead letter with its reason', async () => {
  const { world: one, namespace } = await world()
  const queue = one.process().queue<unknown>('jobs', { maxDeliveries: 1 })
  await queue.put({ text: 'poison' })
  await queue.put({ text: 'hello', list: [1, 2] })
  await (await queue.receive()).nack()
  const bull = new Queue(BULL_NAME, { connection: connection(), prefix: `{${namespace}:queue:jobs}` })
  expect((await bull.getWaiting()).map(({ name, data }) => [name, data as unknown])).toEqual([
    ['item', { text: 'hello', list: [1, 2] }],
  ])
  const [failed] = await bull.getFailed()
  expect(failed).toMatchObject({ data: { text: 'poison' }, failedReason: 'given back too often' })
  // Retried by hand, it comes again.
  await failed?.retry()
  const again = [await queue.receive(), await queue.receive()].map(({ value }) => value)
  expect(again).toContainEqual({ text: 'poison' })
  expect(await bull.getActiveCount()).toBe(2)
  await bull.close()
  await queue.destroy()
  await one.close()
})

test('BullMQ sees what is delayed, prioritized and deduplicated, and nothing of it is left', async () => {
  const { world: one, namespace } = await world()
  const queue = one.process().queue<string>('jobs')
  await queue.put('later', { delay: 60_000, id: 'mail:7' })
  await queue.put('ignored', { id: 'mail:7' })
  await queue.put('lax', { priority: 9, id: 'mail:8' })
  const bull = new Queue(BULL_NAME, { connection: connection(), prefix: `{${namespace}:queue:jobs}` })
  const [delayed] = await bull.getDelayed()
  expect(delayed).toMatchObject({ data: 'later', delay: 60_000, deduplicationId: 'mail:7' })
  const [prioritized] = await bull.getPrioritized()
  expect(prioritized).toMatchObject({ data: 'lax', priority: 9, deduplicationId: 'mail:8' })
  expect(await bull.getDeduplicationJobId('mail:7')).toBe(delayed?.id)
  // Promoted by hand, it comes at once.
  await delayed?.promote()
  expect(await queue.getMany(5)).toEqual(['later', 'lax'])
  await queue.put('again', { delay: 60_000, id: 'mail:7' })
  await queue.destroy()
  expect(await bull.getDeduplicationJobId('mail:7')).toBeNull()
  await bull.close()
  await one.close()
})

test('what plain BullMQ adds is got, and what we put is worked off by a plain worker', async () => {
  const { world: one, namespace } = await world()
  const queue = one.process().queue<unknown>('jobs')
  const prefix = `{${namespace}:queue:jobs}`
  await queue.size()
  const bull = new Queue(BULL_NAME, { connection: connection(), prefix })
  await bull.add('theirs', { n: 1 }, { removeOnComplete: true })
  const delivery = await queue.receive()
  expect(delivery.value).toEqual({ n: 1 })
  await delivery.ack()
  expect(await bull.getJobCounts('wait', 'active', 'completed')).toEqual({ wait: 0, active: 0, completed: 0 })
  await queue.put({ n: 2 })
  const seen = await new Promise<unknown>((told) => {
    const worker = new Worker(
      BULL_NAME,
      (job) => {
        void worker.close()
        told(job.data)
        return Promise.resolve()
      },
      { connection: connection(), prefix },
    )
  })
  expect(seen).toEqual({ n: 2 })
  await bull.close()
  await queue.destroy()
  await one.close()
})

test('a queue of jobs: waiting, handing back, what the dead held, nothing left', async () => {
  const { world: one, namespace } = await world()
  const jobs = jobQueue(one.around, 'spawn:x', { maxSize: Infinity, maxDeliveries: Infinity })
  const woken = new Promise<void>((told) => jobs.onWake(told))
  expect(await jobs.fetch(`${one.sid}/1/1`, 'wait')).toBeNull()
  await jobs.put(`${one.sid}/1/2`, '{"a":1}')
  await jobs.put(`${one.sid}/1/2`, '{"a":1}')
  await woken
  const job = await jobs.fetch(`${one.sid}/1/1`, 'wait')
  expect(job).toMatchObject({ attempt: 1, json: '{"a":1}' })
  expect(await jobs.giveBack([{ rid: `${one.sid}/1/1` }], true)).toEqual([true])
  const other = { rid: 'gone/1/1' }
  expect(await jobs.fetch(other.rid, 'poll')).toMatchObject({ attempt: 2 })
  expect(await jobs.reap(['gone'])).toBe(1)
  const last = await jobs.fetch(`${one.sid}/1/3`, 'poll')
  expect(last).toMatchObject({ attempt: 3 })
  expect(await jobs.finish([other])).toEqual([false])
  expect(await jobs.finish([{ rid: `${one.sid}/1/3` }])).toEqual([true])
  await jobs.obliterate()
  jobs.stop()
  expect(await redis.ask('KEYS', `{${namespace}:*`)).toEqual([])
  await one.close()
})
