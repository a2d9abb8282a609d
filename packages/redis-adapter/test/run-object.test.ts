/** A start that any program may take: who may claim it, at which moments of its life. */
import { Broker, type BrokerClient, encode, type EncodedExit, op, relayHead } from '@skein/core/adapter'
import type { ProcessInfo, StartSpec } from '@skein/core/adapter'
import { expect, test } from 'vitest'
import { clientOf } from '../../../integration-tests/support/wire.ts'
import { RunObject } from '../src/supervisor/host/run-object.ts'

const info = (n: number): ProcessInfo => ({ id: `p${n}`, name: `process ${n}`, pid: n, host: 'h' })

/** A program that runs what others start. */
function host(broker: Broker, n: number): { client: BrokerClient; claim: () => Promise<unknown>; number: number } {
  const client = clientOf(broker, broker.guest(info(n)))
  const number = client.open('run', 'r', null, true)
  return { client, number, claim: () => client.call(number, 'claim') }
}

function run(): { broker: Broker; object: RunObject; ends: EncodedExit[]; told: string[] } {
  const broker = new Broker({})
  const [ends, told]: [EncodedExit[], string[]] = [[], []]
  const spec = { id: 'x', name: 'x', options: { stdio: 'inherit' }, surroundings: {} } as unknown as StartSpec
  const object = broker.add(
    new RunObject('r', spec, {
      claimed: () => told.push('claimed'),
      released: () => told.push('released'),
      started: () => told.push('started'),
      loaded: () => told.push('loaded'),
      ended: (exit) => ends.push(exit),
    }),
  )
  return { broker, object, ends, told }
}

const exit: EncodedExit = { exitCode: 0, signal: null, reason: 'returned', error: null, result: encode(1) }

test('one claims it, and it is free again when that one gives it back', async () => {
  const { broker, told } = run()
  const [one, other] = [host(broker, 1), host(broker, 2)]
  expect(await one.claim()).toMatchObject({ id: 'x' })
  expect(await other.claim()).toBeNull()
  one.client.post(one.number, 'released')
  expect(await other.claim()).toMatchObject({ id: 'x' })
  expect(told).toEqual(['claimed', 'released', 'claimed'])
})

test('nobody claims what has ended, while what it wrote is still being written', async () => {
  const { broker, ends } = run()
  const [one, other] = [host(broker, 1), host(broker, 2)]
  await one.claim()
  one.client.post(one.number, 'started', info(7))
  one.client.send(op.relay, one.number, 0, relayHead(op.output, 1, 0), Buffer.from('\n'))
  one.client.post(one.number, 'ended', exit)
  one.client.flush()
  expect(ends).toEqual([])
  const claim = other.claim()
  other.client.flush()
  expect(await claim).toBeNull()
  await expect.poll(() => ends).toHaveLength(1)
  await expect(other.claim()).rejects.toThrow('gone')
})

test('nobody claims what was taken back, and what is claimed is not taken back', async () => {
  const { broker, object } = run()
  const one = host(broker, 1)
  await one.claim()
  expect(object.takeBack(new Error('late'))).toBe(false)
  one.client.post(one.number, 'released')
  one.client.flush()
  expect(object.takeBack(new Error('in time'))).toBe(true)
  await expect(one.claim()).rejects.toThrow('in time')
})

test('what was killed is not offered again when it is given back at the same moment', async () => {
  const { object, broker, ends, told } = run()
  const one = host(broker, 1)
  await one.claim()
  object.kill()
  one.client.post(one.number, 'released')
  one.client.flush()
  expect(ends).toMatchObject([{ signal: 'SIGKILL' }])
  expect(told).toEqual(['claimed'])
})

test('it ends with the program that runs it, once', async () => {
  const { broker, ends } = run()
  const one = host(broker, 1)
  await one.claim()
  one.client.post(one.number, 'started', info(7))
  one.client.flush()
  broker.end([...broker.sessions()][0] as never)
  expect(ends).toMatchObject([{ reason: 'host-lost' }])
})

test('H6: it is free again when the program that claimed it ends before it has said that the process is there', async () => {
  const { broker, ends, told } = run()
  const [one, other] = [host(broker, 1), host(broker, 2)]
  await one.claim()
  broker.end([...broker.sessions()][0] as never)
  expect([told, ends]).toEqual([['claimed', 'released'], []])
  expect(await other.claim()).toMatchObject({ id: 'x' })
})

test('H7: a process may begin when this program has heard of it, and not if that wants it ended', async () => {
  for (const killed of [false, true]) {
    const { broker, object } = run()
    const one = host(broker, 1)
    const heard: string[] = []
    one.client.listener(one.number, () => ({ event: (name) => heard.push(name) }))
    await one.claim()
    if (killed) object.kill()
    one.client.post(one.number, 'started', info(7))
    one.client.flush()
    await expect.poll(() => heard).toEqual([killed ? 'kill' : 'go'])
  }
})

test('what was given back before it had begun is free again, unless it is wanted no more', async () => {
  for (const stop of [null, 'terminate', 'interrupt'] as const) {
    const { broker, object, ends, told } = run()
    const [one, other] = [host(broker, 1), host(broker, 2)]
    await one.claim()
    one.client.post(one.number, 'started', info(7))
    one.client.flush()
    if (stop !== null) object[stop](5_000)
    one.client.post(one.number, 'released')
    one.client.flush()
    expect(ends).toMatchObject(stop === null ? [] : [{ signal: 'SIGKILL' }])
    if (stop === null) expect(await other.claim()).toMatchObject({ id: 'x' })
    expect(told).toEqual(['claimed', 'started', ...(stop === null ? ['released', 'claimed'] : [])])
  }
})

test('another program uses what is here and makes nothing', async () => {
  const broker = new Broker({ lock: () => run().object, session: () => run().object })
  const { client } = host(broker, 1)
  for (const kind of ['lock', 'session', 'fleet', 'process'] as const) {
    const number = client.open(kind, 'anything', null, false)
    await expect(client.call(number, 'known')).rejects.toThrow(/anything/)
  }
})
