/** The examples print what they say. */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { Program } from './support/program.ts'
import { redisForTest } from './support/redis.ts'

const folder = join(import.meta.dirname, '..', 'examples')

const outputs: Readonly<Record<string, string>> = {
  '01-process.ts': 'Hello from another process!\n',
  '02-arguments.ts': '3\n',
  '03-queue.ts': 'hello\n',
  '04-lock.ts': 'Start working…\nWork done!\n'.repeat(3),
  '05-pool.ts': '20\n[ 2, 4, 6, 8, 10 ]\n',
  '06-pipe.ts': 'HELLO\nTHROUGH\nTHE\nPIPE\nThe child heard: thanks\nThat was all.\n',
  '07-bull-board.ts': 'Start a Redis and set SKEIN_URL=redis://localhost:6379 to see a queue in bull-board.\n',
  '08-leader-election.ts':
    [1, 2, 3].map((n) => `Captain ${n} leads; the token has risen: true\n`).join('') +
    'Who leads now: nobody is left\n',
  '09-work-queue.ts':
    [1, 2, 3].map((n) => `${n} squared is ${n * n}\n`).join('') + 'nobody@nowhere 3 no such address: nobody@nowhere\n',
  '10-two-machines.ts': 'Start a Redis and set SKEIN_URL=redis://localhost:6379 to have two machines.\n',
  '11-progress-bar.ts': '25 % done\n50 % done\n75 % done\n100 % done\n200 photos, the last one 39601\n',
  '12-crash-and-recover.ts':
    'anvil was served at attempt 2\ncake was served at attempt 1\ntea was served at attempt 1\n' +
    'Killed: 1\nWent home: 2\nThe desk is taken: false\n',
  '13-rate-of-work.ts':
    '20 parts are done; never more than 3 were waiting: true\n' +
    'The producer was held to the pace of the consumer: true\n',
}

test('every example has its output here', () => {
  expect(Object.keys(outputs)).toEqual(
    readdirSync(folder)
      .filter((file) => file.endsWith('.ts'))
      .toSorted(),
  )
})

for (const [file, stdout] of Object.entries(outputs)) {
  test(`${file} prints what it says`, async () => {
    const program = new Program(file, { folder, env: { SKEIN_URL: 'local:' } })
    expect(await program.ended).toEqual({ code: 0, signal: null, stdout, stderr: '' })
  })
}

test('10-two-machines.ts on a Redis: the work is done on the other one', async () => {
  const { url } = await redisForTest()
  const program = new Program('10-two-machines.ts', { folder, env: { SKEIN_URL: url } })
  expect(await program.ended).toEqual({
    code: 0,
    signal: null,
    stdout:
      '[ 2, 4, 4 ]\nHello from the other machine!\nIt ran in the other directory: true\nIts host is serving\n' +
      'The host let its work end, and ended with 0\n',
    stderr: '',
  })
})

test('11-progress-bar.ts draws a bar where somebody watches', async () => {
  const args = ['-qec', 'stty cols 80 rows 24; exec "$NODE" $FLAGS 11-progress-bar.ts', '/dev/null']
  const flags = 'typescript' in process.features && process.features.typescript ? '' : '--import tsx'
  const env = { ...process.env, NODE: process.execPath, FLAGS: flags, SKEIN_URL: 'local:', TERM: 'xterm' }
  const { stdout } = await promisify(execFile)('script', args, { cwd: folder, env })
  expect(stdout).toContain(`${'█'.repeat(40)} 200 of 200`)
  expect(stdout).toMatch(/200 photos, the last one 39601\r\n[^\n]*$/)
})

test('compose: what its program starts is done by the hosts', async () => {
  const { url } = await redisForTest()
  const env = { ...process.env, SKEIN_URL: url, SKEIN_SECRET: 'of thirty-two or more bytes, as all share' }
  const cwd = join(folder, 'compose')
  const skein = join(folder, '..', 'packages', 'cli', 'dist', 'skein.js')
  const hosts = [1, 2].map(() =>
    spawn(process.execPath, [skein, 'host', '--slots', '2'], { cwd, env, stdio: 'ignore' }),
  )
  const { stdout } = await promisify(execFile)(process.execPath, ['program.js'], { cwd, env })
  for (const host of hosts) host.kill('SIGTERM')
  const ends = await Promise.all(hosts.map((host) => once(host, 'exit')))
  expect(stdout).toBe(`${hostname()} did 40 tasks\n`)
  expect(ends).toEqual([
    [0, null],
    [0, null],
  ])
})
