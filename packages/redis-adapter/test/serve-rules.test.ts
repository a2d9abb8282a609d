/** What a program lets others run, what their processes get of its environment, and who is heard at all. */
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { text as textOf } from 'node:stream/consumers'
import { pathToFileURL } from 'node:url'
import { connect, SpawnError, TargetMismatchError, TargetNotFoundError, targetsOf, TimeoutError } from '@skein/core'
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { hostForTest } from '../../../integration-tests/support/hosts.ts'
import { freshNamespace, type RedisServer, startRedis } from '../../../integration-tests/support/redis.ts'
import { field } from './serve-field.ts'
import { parentPid, startAnother, surroundings } from './targets/serve.mjs'

let redis: RedisServer

beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.close())

interface App {
  readonly root: string
  /** Written by code that must not run. */
  readonly canary: string
  readonly address: (path: string) => URL
}

/** A folder with code, and code beside it. */
function app(): App {
  const home = realpathSync(mkdtempSync(join(tmpdir(), 'skein-rules-')))
  onTestFinished(() => rmSync(home, { recursive: true }))
  const [root, canary] = [join(home, 'app'), join(home, 'canary')]
  const evil = `import { writeFileSync } from 'node:fs'; writeFileSync(${JSON.stringify(canary)}, ''); export const run = () => 'evil'`
  for (const [path, text] of [
    ['app/package.json', '{ "name": "app", "type": "module" }'],
    ['app/work.mjs', `export const run = () => 'ran in ' + process.cwd()`],
    ['app/node_modules/tasks/package.json', '{ "name": "tasks" }'],
    ['app/node_modules/tasks/index.mjs', `export const run = () => 'allowed'`],
    ['evil/evil.mjs', evil],
  ] as const) {
    mkdirSync(join(home, path, '..'), { recursive: true })
    writeFileSync(join(home, path), text)
  }
  return { root, canary, address: (path) => pathToFileURL(join(home, path)) }
}

type Run = { run(): string }

const VERSION_1 = `export const run = () => 'version 1'`
const VERSION_2 = `export const run = () => 'version 2'`
/** The module that is there when it is named is not the one that is there when it is run. */
const REDEPLOY = `
import { writeFileSync } from 'node:fs'
import { connect, targetsOf } from '@skein/core'
export async function run() {
  const work = new URL('./work.mjs', import.meta.url)
  writeFileSync(work, ${JSON.stringify(VERSION_1)})
  const { run } = targetsOf(work)
  writeFileSync(work, ${JSON.stringify(VERSION_2)})
  const child = await (await connect()).process(run).start()
  return child.result()
}
`

test('code under the root runs, in that folder, and what is allowed beside; nothing else does', async () => {
  const { mp, host } = await field(redis)
  const { root, canary, address } = app()
  const { pid } = await host({ connect: { serve: { root, allow: 'node_modules/tasks/**' } } })
  const run = (path: string) => mp.process(targetsOf<Run>(address(path)).run)
  const inside = await run('app/work.mjs').start()
  expect(await inside.result()).toBe(`ran in ${root}`)
  const beside = await run('app/node_modules/tasks/index.mjs').start()
  expect(await beside.result()).toBe('allowed')
  for (const child of [run('evil/evil.mjs'), mp.process(parentPid)]) {
    const refused = child.start()
    await expect(refused).rejects.toThrow(TargetNotFoundError)
    await expect(refused).rejects.toThrow(`runs functions of files under ${root} for other programs`)
  }
  expect(existsSync(canary)).toBe(false)
  const pool = mp.pool(1)
  await expect(pool.apply(parentPid)).rejects.toThrow(TargetNotFoundError)
  await pool.terminate()
  process.kill(pid, 0)
})

test('what a process of another program starts is bound by the same rules', async () => {
  const { mp, host } = await field(redis)
  const { canary, address } = app()
  await host()
  const starter = await mp.process(startAnother, [address('evil/evil.mjs').href, 'run']).start()
  await expect(starter.result()).rejects.toThrow(TargetNotFoundError)
  expect(existsSync(canary)).toBe(false)
})

test('H9: what is not there is refused with what there is, not tried again, and harms nobody', async () => {
  const { mp, host } = await field(redis)
  const { root, address } = app()
  const { pid } = await host({ connect: { serve: { root } } })
  writeFileSync(join(root, 'nowhere.mjs'), VERSION_1)
  const missing = targetsOf<Run>(address('app/nowhere.mjs')).run
  // Asked about while it is there, as on the machine of whoever starts it.
  mp.process(missing)
  rmSync(join(root, 'nowhere.mjs'))
  const unnamed = targetsOf<{ walk(): string }>(address('app/work.mjs')).walk
  const cases = [
    [missing, /^Module app\/nowhere was not found on host .*\. Tried: .*app\/nowhere/],
    [unnamed, /walk.* is not exported.*run/],
  ] as const
  for (const [target, sentence] of cases) {
    const child = mp.process(target, [], { restart: { on: 'failure', max: 5, within: 60_000, backoff: 1 } })
    const started = child.start()
    await expect(started).rejects.toThrow(TargetNotFoundError)
    await expect(started).rejects.toThrow(sentence)
    expect(await child.join()).toMatchObject({ reason: 'spawn-failed' })
    expect(await child.status()).toMatchObject({ state: 'ended', restarts: 0 })
    const pool = mp.pool(1)
    await expect(pool.apply(target, [], { retries: 5 })).rejects.toThrow(sentence)
    expect(await pool.stats()).toMatchObject({ lost: 0 })
    await pool.terminate()
  }
  const next = await mp.process(targetsOf<Run>(address('app/work.mjs')).run).start()
  expect(await next.result()).toBe(`ran in ${root}`)
  process.kill(pid, 0)
})

test('H10: a module that throws when it is loaded is told with the stack over there, and the host goes on', async () => {
  const { mp, host } = await field(redis)
  const { root, address } = app()
  writeFileSync(join(root, 'broken.mjs'), `throw new RangeError('broken to bits')\nexport const run = () => ''\n`)
  const { pid } = await host({ connect: { serve: { root } } })
  const broken = targetsOf<Run>(address('app/broken.mjs')).run
  const child = mp.process(broken)
  const error: unknown = await child.start().catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(SpawnError)
  expect(error).toMatchObject({ message: expect.stringContaining('broken to bits') as unknown })
  const { cause } = error as SpawnError
  expect(cause).toBeInstanceOf(RangeError)
  expect((cause as RangeError).stack).toMatch(/app\/broken\.mjs:1:/)
  expect(await child.join()).toMatchObject({ reason: 'spawn-failed', exitCode: 1 })
  const pool = mp.pool(1)
  await expect(pool.apply(broken)).rejects.toThrow(/broken to bits/)
  await pool.terminate()
  const next = await mp.process(targetsOf<Run>(address('app/work.mjs')).run).start()
  expect(await next.result()).toBe(`ran in ${root}`)
  process.kill(pid, 0)
})

test('H12: a host with other code at the very path of the sender’s refuses it, unless the sender says that any version will do', async () => {
  const { mp, host, namespace } = await field(redis)
  const { root, address } = app()
  symlinkSync(join(import.meta.dirname, '../node_modules/@skein'), join(root, 'node_modules/@skein'))
  writeFileSync(join(root, 'work.mjs'), VERSION_1)
  writeFileSync(join(root, 'redeploy.mjs'), REDEPLOY)
  const { run } = targetsOf<Run>(address('app/work.mjs'))
  const redeploy = targetsOf<Run>(address('app/redeploy.mjs')).run
  mp.process(run)
  writeFileSync(join(root, 'work.mjs'), VERSION_2)
  await host({ connect: { serve: { root } } })

  const refused = mp.process(run).start()
  await expect(refused).rejects.toThrow(TargetMismatchError)
  await expect(refused).rejects.toThrow(/^Host .* has a different app\/work .* onDrift: 'warn'/)
  const starter = await mp.process(redeploy).start()
  await expect(starter.result()).rejects.toThrow(TargetMismatchError)

  const tolerant = await connect(redis.url, { namespace, serve: false, onDrift: 'warn' })
  onTestFinished(() => tolerant.close())
  const child = await tolerant.process(run, [], { stdio: 'pipe' }).start()
  const warned = textOf(child.stderr)
  expect(await child.result()).toBe('version 2')
  expect(await warned).toMatch(/SKEIN_DRIFT.* has a different app\/work .* It runs all the same/)
  const started = await tolerant.process(redeploy).start()
  expect(await started.result()).toBe('version 2')
})

test('H12: of hosts with two versions of the code, labels lead each start to its own', async () => {
  const { mp, host } = await field(redis)
  const versions = { 1: VERSION_1, 2: VERSION_2 }
  const pids: Record<string, number> = {}
  for (const [version, text] of Object.entries(versions)) {
    const { root } = app()
    writeFileSync(join(root, 'work.mjs'), text)
    const { pid } = await host({ connect: { serve: { root, labels: { app: version } } } })
    pids[version] = pid
  }
  const { root, address } = app()
  writeFileSync(join(root, 'work.mjs'), VERSION_2)
  const { run } = targetsOf<Run>(address('app/work.mjs'))
  for (let times = 0; times < 3; times += 1) {
    const child = await mp.process(run, [], { labels: { app: '2' } }).start()
    expect(await child.result()).toBe('version 2')
  }
  const pool = mp.pool(2, { labels: { app: '2' } })
  expect(await pool.apply(run)).toBe('version 2')
  await pool.terminate()
  const astray = mp.process(run, [], { labels: { app: '1' } }).start()
  await expect(astray).rejects.toThrow(TargetMismatchError)
  await expect(astray).rejects.toThrow(/digest [\w-]+; the sender's is [\w-]+/)
  for (const pid of Object.values(pids)) process.kill(pid, 0)
})

test('processes of others get what tells of no secrets, and what they were promised', async () => {
  const { mp, host } = await field(redis)
  const env = {
    ...process.env,
    SECRET_TOKEN: 'canary-token',
    AWS_SECRET_ACCESS_KEY: 'canary-aws',
    SKEIN_URL: 'redis://:canary-password@localhost',
    REGION: 'north',
    NODE_ENV: 'production',
  }
  await host({ env, connect: { serve: { env: ['REGION'] } } })
  const child = await mp.process(surroundings, [], { env: { COLOUR: 'blue' } }).start()
  const seen = await child.result()
  expect(seen.env).toMatchObject({ COLOUR: 'blue', REGION: 'north', NODE_ENV: 'production', PATH: process.env['PATH'] })
  const known = /^(?:PATH|HOME|USER|LOGNAME|SHELL|LANG\w*|LC_\w+|TZ|TMPDIR|TMP|TEMP|NODE_ENV|COLOUR|REGION|SKEIN_\w+)$/
  expect(Object.keys(seen.env).filter((name) => !known.test(name))).toEqual([])
  expect(JSON.stringify(seen)).not.toContain('canary')
})

test.each(['NODE_OPTIONS', 'LD_PRELOAD', 'PATH', 'node_path', 'DYLD_INSERT_LIBRARIES', 'SKEIN_URL'])(
  'row 60: nobody else decides about %s',
  async (name) => {
    const { mp, host } = await field(redis)
    const { pid } = await host()
    const start = mp.process(parentPid, [], { env: { [name]: '--require=/nowhere.js' } }).start()
    await expect(start).rejects.toThrow(SpawnError)
    await expect(start).rejects.toThrow(`lets no other program set ${name} for what it runs`)
    const next = await mp.process(parentPid).start()
    expect(await next.result()).toBe(pid)
  },
)

test('a host with a secret runs the work of those who know it; for others it is not there', async () => {
  const namespace = freshNamespace()
  const SKEIN_SECRET = 'a secret that is long enough for it'
  const { pid } = await hostForTest(redis.url, namespace, { env: { ...process.env, SKEIN_SECRET } })
  const stranger = await connect(redis.url, { namespace, serve: false })
  onTestFinished(() => stranger.close())
  await expect(stranger.process(parentPid).start({ timeout: 500 })).rejects.toThrow(TimeoutError)
  await stranger.close()

  vi.stubEnv('SKEIN_SECRET', SKEIN_SECRET)
  onTestFinished(() => void vi.unstubAllEnvs())
  const friend = await connect(redis.url, { namespace, serve: false })
  onTestFinished(() => friend.close())
  const child = await friend.process(surroundings).start()
  const seen = await child.result()
  expect(JSON.stringify(seen)).not.toContain(SKEIN_SECRET)
  expect((await friend.processes()).map((one) => one.pid)).toContain(pid)
  const pool = friend.pool(2)
  expect(await pool.map(parentPid, [1, 2, 3])).toEqual([pid, pid, pid])
  await pool.terminate()
})

test('how much memory Node may use, everybody may say', async () => {
  const { mp, host } = await field(redis)
  await host()
  const NODE_OPTIONS = '--max-old-space-size=300 --enable-source-maps'
  const child = await mp.process(surroundings, [], { env: { NODE_OPTIONS } }).start()
  expect((await child.result()).env['NODE_OPTIONS']).toBe(NODE_OPTIONS)
  const more = { NODE_OPTIONS: `${NODE_OPTIONS} --import=./x.mjs` }
  await expect(mp.process(parentPid, [], { env: more }).start()).rejects.toThrow(SpawnError)
})
