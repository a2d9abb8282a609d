/** `skein logs`: what processes of other programs write, here and on other hosts. */
import { expect, onTestFinished, test } from 'vitest'
import { until } from '@skein/conformance'
import { Running, shell, useServer } from './skein.ts'

const env = useServer()

async function talkers(mode = ''): Promise<Running> {
  const program = new Running(`exec node talk.mjs ${mode}`, env)
  onTestFinished(async () => {
    program.kill('SIGTERM')
    await program.ended
  })
  await program.shows('heard 3')
  return program
}

test('what is kept: each stream to its own, or as JSON, and the last of it', async () => {
  await talkers()
  const [all, last, json] = await Promise.all([
    shell('skein logs talker', env),
    shell('skein logs talker --tail 1', env),
    shell('skein logs talker --json', env),
  ])
  expect(all).toEqual({ code: 0, stdout: 'line 1\nline 2\nline 3\n', stderr: 'begins\n' })
  expect(last).toMatchObject({ code: 0, stdout: 'line 3\n' })
  const lines = json.stdout.trimEnd().split('\n')
  expect(lines.map((line) => JSON.parse(line) as unknown)).toContainEqual({
    stream: 'stderr',
    text: 'begins',
    dropped: 0,
  })
})

test('-f goes on while its program reads it, too, until the process has ended', async () => {
  const program = await talkers()
  const follower = new Running('exec skein logs -f --tail 0 talker', env)
  // It has found the process when its own first lines are there.
  const other = new Running('exec skein logs -f talker', env)
  await other.shows('line 3')
  program.type('more\n')
  await other.shows('line 4')
  await program.shows('heard 4')
  await shell('skein kill talker', env)
  expect(await other.ended).toMatchObject({ code: 0, stdout: 'line 1\nline 2\nline 3\nline 4\n' })
  expect(await follower.ended).toMatchObject({ code: 0 })
})

test('-f ends by Ctrl-C, and when its reader has seen enough', async () => {
  await talkers()
  const follower = new Running('exec skein logs -f talker', env)
  await follower.shows('line 3')
  follower.kill('SIGINT')
  expect(await follower.ended).toMatchObject({ code: 130 })
  const busy = new Running('exec node talk.mjs for-ever', { ...env })
  await busy.shows('heard 3')
  expect(await shell('skein logs -f chatterbox | head -n 2', env)).toEqual({
    code: 0,
    stdout: 'chat\nchat\n',
    stderr: '',
  })
  busy.kill('SIGTERM')
  await busy.ended
})

test('-f says what it has missed at the end, and adds no line to that', async () => {
  const program = await talkers('spill')
  const follower = new Running('exec skein logs -f spiller 2>&1', env)
  await follower.shows('begun')
  follower.kill('SIGSTOP')
  program.type('more\n')
  await until('it has ended', async () => !(await shell('skein ps', env)).stdout.includes('spiller'))
  follower.kill('SIGCONT')
  const { code, stdout } = await follower.ended
  expect(code).toBe(0)
  // What was under way when it stood still has come.
  expect(stdout).toMatch(/^begun\n(?:x+\n)?skein: \d+ bytes are missing here, gone before they were read\n$/)
})

test('of a process on another host, which inherits its output', async () => {
  const host = new Running('exec skein host 2>&1', env)
  await host.shows('Serving')
  const run = new Running('exec skein run --elsewhere work.mjs#stay', env)
  const pid = await run.line()
  expect(await shell(`skein logs ${pid}`, env)).toEqual({ code: 0, stdout: `${pid}\n`, stderr: '' })
  run.kill('SIGTERM')
  host.kill('SIGTERM')
  await Promise.all([run.ended, host.ended])
})

test('one that writes past its program, one that is not there, one that is none: said, and 1', async () => {
  await talkers()
  // One after the other: each command is a program with a main process while it runs.
  const past = await shell('skein logs quiet', env)
  const nobody = await shell('skein logs nobody', env)
  const main = await shell('skein logs main', env)
  expect(past).toMatchObject({
    code: 1,
    stdout: '',
    stderr: expect.stringMatching(/^skein: process quiet writes where .*'pipe' }\n$/),
  })
  expect(nobody).toMatchObject({ code: 1, stderr: expect.stringContaining('no process "nobody" runs') })
  expect(main).toMatchObject({ code: 1, stderr: expect.stringContaining('can be read') })
})
