/** What a host makes of the jobs that it takes. */
import { ConnectionError } from '@skein/core'
import { Broker, type BrokerClient, type EncodedExit, type Launch, type StartSpec } from '@skein/core/adapter'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { freshNamespace, type RedisServer, startRedis } from '../../../integration-tests/support/redis.ts'
import type { HouseRules } from '../src/supervisor/host/house-rules.ts'
import { OpenWork } from '../src/supervisor/host/open-work.ts'
import { RunObject } from '../src/supervisor/host/run-object.ts'
import { ServingLine } from '../src/supervisor/host/serving-line.ts'
import { Serving } from '../src/supervisor/host/serving.ts'
import { linked } from './pair-link.ts'
import { groundAt, Surroundings } from './surroundings.ts'

let redis: RedisServer

beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.close())

const killed: EncodedExit = { exitCode: -9, signal: 'SIGKILL', reason: 'signaled', error: null, result: null }

/** A program that leaves everything to messages. */
async function program(namespace: string): Promise<Surroundings> {
  const made = await new Surroundings(await groundAt(redis.url, namespace), new Set(), { beat: 60_000 }).ready()
  onTestFinished(() => made.close())
  return made
}

test('a start that is put up again is taken where it was lost, when what was lost has ended there', async () => {
  const namespace = freshNamespace()
  const [starter, host] = [await program(namespace), await program(namespace)]
  const broker = new Broker({})
  const work = new OpenWork(starter.around)
  onTestFinished(() => work.close())
  const offer = (): void => void work.put({ run: 'r' }, () => undefined)
  const options = { stdio: 'inherit', env: {} }
  const spec = { id: 'x', name: 'x', role: { kind: 'process' }, options, surroundings: {} } as unknown as StartSpec
  const none = (): void => undefined
  broker.add(new RunObject('r', spec, { claimed: none, released: offer, started: none, loaded: none, ended: none }))
  const ways: BrokerClient[] = []
  const reachSession = async (): Promise<BrokerClient> => {
    if (ways.every(({ lost }) => lost.aborted)) {
      ways.push(linked(broker, broker.guest({ id: 'host', name: 'host', pid: 1, host: 'h' })).client)
    }
    return ways.at(-1) as BrokerClient
  }
  const launched: Parameters<Launch>[1][] = []
  const serving = new Serving({
    around: host.around,
    peers: { reachSession },
    launch: (_spec, events) => void launched.push(events),
    rules: { check: none, surroundings: {} } as unknown as HouseRules,
    serve: { slots: 2, labels: {} },
  })
  onTestFinished(() => serving.close())
  offer()
  await expect.poll(() => launched.length).toBe(1)
  ways[0]?.close(new ConnectionError('cut', { retryable: true }))
  await expect.poll(() => serving.info.busy).toBe(2)
  expect(launched).toHaveLength(1)
  launched[0]?.ended(killed)
  await expect.poll(() => launched.length).toBe(2)
  launched[1]?.ended(killed)
  expect(serving.info.busy).toBe(0)
})

test('a line that is left while the connection is away leaves its place when that is back', async () => {
  const namespace = freshNamespace()
  const host = await program(namespace)
  const line = new ServingLine(host.around, 'work:x', { free: () => true, take: () => Promise.resolve(true) })
  const place = `{${namespace}:work:x}:gw`
  const standing = (): Promise<unknown> => redis.ask('KEYS', `{${namespace}:work:x}*`)
  await expect.poll(standing).not.toEqual([])
  host.store.closeGate()
  const left = line.close()
  await expect.poll(() => host.calls).toContain('q-back')
  // As at its deadline.
  host.store.closeGate()
  await left
  host.store.resume(host.store.met())
  await expect.poll(() => redis.ask('KEYS', place)).toEqual([])
})

test('work is refused when there has been no session for longer than the outage', async () => {
  const around = await new Surroundings(await groundAt(redis.url, freshNamespace()), new Set(), {
    beat: 20,
    outage: 100,
  }).ready()
  onTestFinished(() => around.close())
  const work = new OpenWork(around.around)
  onTestFinished(() => work.close())
  around.store.closeGate()
  const refused = new Promise((resolve) => work.put({ run: 'r' }, resolve))
  await new Promise(setImmediate)
  around.lose()
  expect(await refused).toBeInstanceOf(ConnectionError)
})
