/** `processes()` and `find()` over several programs, some of which do not answer. */
import process from 'node:process'
import { processTable, until } from '@skein/conformance'
import { currentProcess } from '@skein/core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type RedisServer, startRedis } from '../../../integration-tests/support/redis.ts'
import { field } from './serve-field.ts'
import { holdAndTell } from './targets/serve.mjs'

const TTL = 500

let redis: RedisServer

beforeAll(async () => {
  redis = await startRedis()
})

afterAll(() => redis.close())

test('a process that runs in another program is there once, and is found', async () => {
  const { mp, host } = await field(redis)
  const hosts = [await host(), await host()]
  const [lock, said] = [mp.lock('held'), mp.queue<[number, number]>()]
  const child = await mp.process(holdAndTell, [lock, said], { name: 'holder' }).start()
  const [pid] = await said.get()
  const all = await mp.processes()
  const mains = all.filter(({ role }) => role === 'main').map((one) => one.pid)
  expect(mains.toSorted((a, b) => a - b)).toEqual(
    [process.pid, ...hosts.map((one) => one.pid)].toSorted((a, b) => a - b),
  )
  const self = currentProcess().id
  expect(all.filter(({ id }) => id === child.id)).toMatchObject([
    { pid, name: 'holder', role: 'process', parent: self, program: self },
  ])
  const found = await mp.find(child.id)
  await found.kill()
  expect(await child.join()).toMatchObject({ signal: 'SIGKILL' })
})

test('a program that is stopped is there with its main process alone, until it counts as dead', async () => {
  const { mp, host } = await field(redis, TTL)
  const taker = await host()
  const said = mp.queue<[number, number]>()
  await mp.process(holdAndTell, [mp.lock('held'), said], { daemon: true }).start()
  const [pid] = await said.get()
  expect((await mp.processes()).map((one) => one.pid)).toContain(pid)
  taker.kill('SIGSTOP')
  // It may go on for a moment after the signal was sent.
  await until('it stands still', () => processTable().find((one) => one.pid === taker.pid)?.state === 'T')
  const seen = (await mp.processes()).map((one) => one.pid)
  expect(seen).not.toContain(pid)
  await until('it is gone', async () => !(await mp.processes()).some((one) => one.pid === taker.pid))
})
