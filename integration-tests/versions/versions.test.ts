/** Programs of several builds of Skein, and of several Nodes, on one Redis. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import process from 'node:process'
import { promisify } from 'node:util'
import { connect, type Context, NoHostError, type Process, ProtocolError, type Queue } from '@skein/core'
import { PROTOCOL, VERSION } from '@skein/core/adapter'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { type Build, otherBuild } from '../support/builds.ts'
import { type Host, hostForTest, type HostOptions } from '../support/hosts.ts'
import { Program } from '../support/program.ts'
import { freshNamespace, type RedisServer, startRedis } from '../support/redis.ts'
import { answer, hostPid, nodeMajor, square } from './tasks.mjs'

const NEXT = { version: '0.99.0', protocol: PROTOCOL + 1 }

let redis: RedisServer
let later: Build
let next: Build

beforeAll(async () => {
  redis = await startRedis()
  later = otherBuild({ version: '0.98.0', with: ['versions'] })
  next = otherBuild({ ...NEXT, with: ['versions'] })
})
afterAll(async () => {
  await redis.close()
  for (const build of [later, next]) build.remove()
})

interface Field {
  readonly mp: Context
  readonly namespace: string
  readonly host: (options?: HostOptions) => Promise<Host>
  readonly hostOf: (build: Build) => Promise<Host>
}

async function field(): Promise<Field> {
  const namespace = freshNamespace()
  const mp = await connect(redis.url, { namespace, serve: false })
  onTestFinished(() => mp.close())
  const host = (options: HostOptions = {}): Promise<Host> => hostForTest(redis.url, namespace, options)
  const hostOf = ({ path }: Build): Promise<Host> => host({ file: join(path, 'programs', 'host.mjs'), cwd: path })
  return { mp, namespace, host, hostOf }
}

/** A process, handles of both kinds, a pool, and errors, all over there. */
async function works(mp: Context, pid: number): Promise<void> {
  const [asked, answered] = [mp.queue<{ ask: number | null }>(), mp.queue<number>('answered')]
  const child = await mp.process(answer, [asked, mp.lock('held'), answered], { stdio: 'ignore' }).start()
  for (const ask of [2, 3, null]) await asked.put({ ask })
  expect([await answered.get(), await answered.get()]).toEqual([4, 9])
  await expect(child.result()).rejects.toThrow(new RangeError('asked for nothing'))
  expect(await child.join()).toMatchObject({ reason: 'threw', exitCode: 1 })
  const pool = mp.pool(2)
  expect(await pool.map(square, [1, 2, 3, 4])).toEqual([1, 4, 9, 16])
  await expect(pool.apply(square, [-1])).rejects.toThrow(RangeError)
  expect(new Set(await pool.map(hostPid, [1, 2, 3] as never[]))).toEqual(new Set([pid]))
  await pool.terminate()
}

test('H11: a host of another version and the same protocol runs what it is asked', async () => {
  const { mp, hostOf } = await field()
  const { pid } = await hostOf(later)
  expect(await mp.hosts()).toMatchObject([{ pid, version: '0.98.0', protocol: PROTOCOL, state: 'serving' }])
  await works(mp, pid)
})

test('H11: a host on another major of Node runs what it is asked', { timeout: 240_000 }, async () => {
  const { mp, host } = await field()
  const own = Number(process.versions.node.split('.')[0])
  const other = own === 22 ? 24 : 22
  // As in .ci/nodes.mjs.
  const asked = ['--yes', '--prefer-offline', '--package', `node@${other}`, '--', 'node', '-p', 'process.execPath']
  const { stdout } = await promisify(execFile)('npx', asked)
  const { pid } = await host({ node: stdout.trim() })
  const child = await mp.process(nodeMajor).start()
  expect(await child.result()).toBe(other)
  await works(mp, pid)
})

test('H11: a host of another protocol takes nothing, says why, and one that understands takes it', async () => {
  const { mp, host, hostOf } = await field()
  const { pid } = await hostOf(next)
  const child = mp.process(hostPid)
  const started = child.start()
  const error: unknown = await mp
    .process(hostPid)
    .start({ timeout: 1_000 })
    .catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(NoHostError)
  expect(String(error)).toContain(
    `(pid ${pid}) has not: it is Skein 0.99.0 and speaks protocol ${NEXT.protocol}, and this program is Skein ${VERSION} and speaks protocol ${PROTOCOL}`,
  )
  expect(await mp.hosts()).toMatchObject([{ pid, ...NEXT, busy: null, state: 'incompatible' }])
  expect((await mp.processes()).map((one) => [one.pid, one.role])).toContainEqual([pid, 'main'])
  const taker = await host()
  await started
  expect(await child.result()).toBe(taker.pid)
  await works(mp, taker.pid)
})

test('H11: what a program of another protocol keeps is refused in one sentence, both ways, and neither is harmed', async () => {
  const { mp, namespace, host } = await field()
  const { pid } = await host()
  const own = await mp.process(square, [2]).start()
  await mp.queue<unknown>('ours').put({ queue: mp.queue(), process: own })
  const stranger = new Program('stranger.mjs', {
    folder: join(next.path, 'versions'),
    cwd: next.path,
    args: [redis.url, namespace],
  })
  const { queue, process: child } = await mp.queue<{ queue: Queue<number>; process: Process<number> }>('theirs').get()
  const sentence = (here: string, there: string): RegExp =>
    new RegExp(
      `program \\w+ \\(pid \\d+ on .+\\), which keeps this, cannot be asked: it is ${there}, and this program is ${here}; run versions of one protocol in both$`,
    )
  const [ours, theirs] = [
    `Skein ${VERSION} and speaks protocol ${PROTOCOL}`,
    `Skein 0.99.0 and speaks protocol ${NEXT.protocol}`,
  ]
  for (const refused of [queue.get({ timeout: 5_000 }), child.join({ timeout: 5_000 })]) {
    await expect(refused).rejects.toThrow(ProtocolError)
    await expect(refused).rejects.toThrow(sentence(ours, theirs))
  }
  const said = JSON.parse(await stranger.line('said')) as Record<'get' | 'join' | 'start', string> & { hosts: unknown }
  for (const what of ['get', 'join'] as const) {
    expect(said[what]).toMatch(/^ERR_SKEIN_PROTOCOL /)
    expect(said[what]).toMatch(sentence(theirs, ours))
  }
  expect(said.start).toMatch(/^ERR_SKEIN_NO_HOST /)
  expect(said.start).toContain(`(pid ${pid}) has not: it is ${ours}, and this program is ${theirs}`)
  expect(said.hosts).toEqual([{ pid, version: VERSION, protocol: PROTOCOL, state: 'incompatible' }])
  await mp.queue('enough').put(null)
  expect(await stranger.ended).toMatchObject({ code: 0, stderr: '' })
  await works(mp, pid)
})
