/** What a process writes that runs in another program. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
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

test('waits in the process while nobody reads it, and then comes whole', { timeout: 60_000 }, async () => {
  const { url } = await redisForTest()
  const namespace = freshNamespace()
  await hostForTest(url, namespace)
  const folder = mkdtempSync(join(tmpdir(), 'skein-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'progress')
  writeFileSync(file, '')
  const written = (): number => readFileSync(file).length
  const program = spawn(process.execPath, [join(import.meta.dirname, 'programs', 'flood.mjs'), url, namespace, file], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => void program.kill('SIGKILL'))
  let [last, since] = [0, performance.now()]
  await until('it stands still', () => {
    if (written() !== last) [last, since] = [written(), performance.now()]
    return last > 0 && performance.now() - since > 1_000
  })
  expect(last).toBeLessThan(8)
  let bytes = 0
  program.stdout.on('data', (text: Buffer) => (bytes += text.length))
  await once(program, 'close')
  expect([bytes, written()]).toEqual([64 * MB, 64])
})
