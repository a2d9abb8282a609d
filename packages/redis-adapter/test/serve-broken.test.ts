/** A host whose files are gone or whose disk is full: what cannot start says why, and the host goes on. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { SpawnError, TargetNotFoundError, targetsOf } from '@skein/core'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { type RedisServer, startRedis } from '../../../integration-tests/support/redis.ts'
import { field } from './serve-field.ts'
import { fill, parentPid } from './targets/serve.mjs'

let redis: RedisServer

beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.close())

function folder(): string {
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'skein-broken-')))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}

interface App {
  readonly root: string
  readonly run: () => string
  readonly write: () => void
  readonly remove: (what: string) => void
}

function app(): App {
  const root = join(folder(), 'app')
  const write = (): void => {
    mkdirSync(root, { recursive: true })
    writeFileSync(join(root, 'package.json'), '{ "name": "app", "type": "module" }')
    writeFileSync(join(root, 'work.mjs'), `export const run = () => 'ran'`)
  }
  write()
  const { run } = targetsOf<{ run(): string }>(pathToFileURL(join(root, 'work.mjs')))
  return { root, run, write, remove: (what) => rmSync(join(root, what), { recursive: true }) }
}

test('H20: a file that was removed is told as one that is not there; when it is there again, it runs', async () => {
  const { mp, host } = await field(redis)
  const { root, run, write, remove } = app()
  await host({ connect: { serve: { root } } })
  expect(await (await mp.process(run).start()).result()).toBe('ran')
  remove('work.mjs')
  const refused = mp.process(run).start()
  await expect(refused).rejects.toThrow(TargetNotFoundError)
  await expect(refused).rejects.toThrow(/app\/work/)
  write()
  expect(await (await mp.process(run).start()).result()).toBe('ran')
})

test('H20: a working directory that was removed is told with its name; when it is there again, all goes on', async () => {
  const { mp, host } = await field(redis)
  const { root, run, write, remove } = app()
  await host({ connect: { serve: { root } } })
  remove('')
  const child = mp.process(run)
  const refused = child.start()
  await expect(refused).rejects.toThrow(SpawnError)
  await expect(refused).rejects.toMatchObject({
    message: expect.stringContaining(`is the working directory ${root} there, and a directory?`) as unknown,
    cause: { code: 'ENOENT' },
  })
  expect(await child.join()).toMatchObject({ reason: 'spawn-failed' })
  write()
  expect(await (await mp.process(run).start()).result()).toBe('ran')
})

const mounts = spawnSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'none', tmpdir()]).status === 0
if (!mounts) console.log('The test of a full disk is skipped: unshare --mount is not there, or not allowed.')

test.skipIf(!mounts)(
  'H20: a full disk fails who writes there, with its reason, and keeps nothing from running',
  async () => {
    const { mp, host } = await field(redis)
    const full = folder()
    // Seen by this host alone: where temporary files go, and shared memory.
    const fillUp = ['/dev/shm', full].map(
      (path) => `mount -t tmpfs -o size=64k none ${path} && { cat /dev/zero > ${path}/zeros 2>&1 | true; }`,
    )
    const prefix = ['unshare', '--mount', 'sh', '-c', `${fillUp.join(' && ')} && exec "$0" "$@"`]
    const { pid } = await host({ prefix, env: { ...process.env, TMPDIR: full } })
    const write = await mp.process(fill, [join(full, 'more')], { stdio: 'ignore' }).start()
    await expect(write.result()).rejects.toMatchObject({ code: 'ENOSPC' })
    expect(await (await mp.process(parentPid).start()).result()).toBe(pid)
    const pool = mp.pool(2)
    expect(await pool.map(parentPid, Array.from({ length: 8 }))).toEqual(Array.from({ length: 8 }, () => pid))
    await pool.terminate()
  },
)
