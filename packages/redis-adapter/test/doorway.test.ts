/** A program's one supervisor: shared by whoever connects, there for whoever comes while another leaves, able to start children anywhere. */
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from '@skein/core'
import { open } from '@skein/redis-adapter'
import { expect, onTestFinished, test } from 'vitest'
import { freshNamespace, redisForTest } from '../../../integration-tests/support/redis.ts'

test('a context that is opened in any moment of the last one closing works', async () => {
  const redis = await redisForTest()
  const options = {
    namespace: freshNamespace(),
    sessionTtl: 5_000,
    stallLimit: 30_000,
    outage: 0,
    replicas: 0,
    serve: null,
    given: [],
  }
  const enter = (): ReturnType<typeof open> =>
    open([redis.url], { ...options, place: 'a test', quorum: false, details: null })
  for (let turns = 0; turns < 10; turns += 1) {
    const gone = (await enter()).close()
    for (let turn = 0; turn < turns; turn += 1) await Promise.resolve()
    const adapter = await enter()
    await gone
    const lease = await adapter.lock({ name: 'a' }).acquire({ timeout: 5_000 })
    expect(await lease.release()).toBe(true)
    await adapter.close()
  }
}, 60_000)

test('a server that hangs up at once is asked once more what it is', async () => {
  let calls = 0
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    calls += 1
    if (calls === 1) socket.once('data', () => socket.resetAndDestroy())
    else socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const { port } = server.address() as { port: number }
  await expect(connect(`redis://127.0.0.1:${port}`)).rejects.toMatchObject({ code: 'ERR_SKEIN_PROTOCOL' })
})

test('a url that is not understood is shown without what may be a password', async () => {
  for (const url of [
    ' redis://user:hunter22@127.0.0.1:1',
    '"redis://user:hunter22@127.0.0.1:1"',
    '//user:hunter22@127.0.0.1:1',
    'redis://127.0.0.1:1/user:hunter22@',
  ]) {
    const error: unknown = await connect(url).catch((why: unknown) => why)
    expect(error).toMatchObject({ code: 'ERR_SKEIN_ARGUMENT' })
    expect(String(error)).not.toContain('hunter22')
  }
})

const unshare = ['-m', 'sh', '-c']
const full = 'mount -t tmpfs -o size=4k none /dev/shm && head -c 4096 /dev/zero > /dev/shm/full'
const alone = process.platform === 'linux' && spawnSync('unshare', [...unshare, full]).status === 0

test.skipIf(!alone)(
  'shared memory without room costs nobody anything',
  async () => {
    const redis = await redisForTest()
    const folder = mkdtempSync(join(tmpdir(), 'skein-full-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const file = join(folder, 'main.mjs')
    const core = JSON.stringify(import.meta.resolve('@skein/core'))
    writeFileSync(
      file,
      `import { connect, isMainProcess } from ${core}
export async function work(lock) {
  const lease = await lock.acquire()
  lease.assertHeld()
  return lease.release()
}
if (isMainProcess) {
  const mp = await connect(process.argv[2], { namespace: process.argv[3] })
  const worker = mp.process(work, [mp.lock('a')])
  await worker.start()
  console.log('released', await worker.result({ timeout: 10_000 }))
  await mp.close()
}
`,
    )
    const run = spawnSync(
      'unshare',
      [...unshare, `${full}; exec "$0" "$@"`, process.execPath, file, redis.url, freshNamespace()],
      {
        encoding: 'utf8',
        timeout: 40_000,
        killSignal: 'SIGKILL',
      },
    )
    expect(run.stderr).toBe('')
    expect(run.stdout).toBe('released true\n')
  },
  60_000,
)
