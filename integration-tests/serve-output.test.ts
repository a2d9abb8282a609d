/** What a process writes that runs in another program. */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import type { Readable } from 'node:stream'
import { until } from '@skein/conformance'
import { expect, onTestFinished, test } from 'vitest'
import { hostForTest, startHost } from './support/hosts.ts'
import { Program } from './support/program.ts'
import { freshNamespace, redisForTest } from './support/redis.ts'

const MB = 1024 * 1024

test('is written by the program that started it, whole, before join() resolves', async () => {
  const { url } = await redisForTest()
  const namespace = freshNamespace()
  const host = await startHost(url, namespace)
  const { stdout, stderr, code } = await new Program('say.mjs', { args: [url, namespace] }).ended
  await host.close()
  const lines = Array.from({ length: 10_000 }, (_, n) => `out ${n}`)
  expect(stdout.trimEnd().split('\n')).toEqual([...lines, 'joined'])
  expect(stderr).toBe('err\n')
  expect(code).toBe(0)
})

interface Flood {
  readonly program: ChildProcessByStdio<null, Readable, null>
  /** Megabytes that it has written. */
  readonly written: () => number
}

/** Of a process that would write 64 MB, and stands still since nobody reads what the program writes that started it. */
async function flood(detached: boolean): Promise<Flood> {
  const { url } = await redisForTest()
  const namespace = freshNamespace()
  await hostForTest(url, namespace, { connect: { sessionTtl: 2_000 } })
  const folder = mkdtempSync(join(tmpdir(), 'skein-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'progress')
  writeFileSync(file, '')
  const written = (): number => readFileSync(file).length
  const args = [join(import.meta.dirname, 'programs', 'flood.mjs'), url, namespace, file, String(detached)]
  const program = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void program.kill('SIGKILL'))
  let [last, since] = [0, performance.now()]
  await until('it stands still', () => {
    if (written() !== last) [last, since] = [written(), performance.now()]
    return last > 0 && performance.now() - since > 1_000
  })
  expect(last).toBeLessThan(8)
  return { program, written }
}

test('waits in the process while nobody reads it, and then comes whole', { timeout: 60_000 }, async () => {
  const { program, written } = await flood(false)
  let bytes = 0
  program.stdout.on('data', (text: Buffer) => (bytes += text.length))
  await once(program, 'close')
  expect([bytes, written()]).toEqual([64 * MB, 64])
})

test('is dropped when the process has outlived that program', { timeout: 60_000 }, async () => {
  const { program, written } = await flood(true)
  program.kill('SIGKILL')
  await expect.poll(written, { timeout: 30_000 }).toBe(64)
})
