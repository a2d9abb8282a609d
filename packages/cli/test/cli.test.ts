/** How the command behaves in a shell: exit codes, what goes to which stream, what is there without a terminal. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { isRunning, until } from '@skein/conformance'
import { describe, expect, onTestFinished, test } from 'vitest'
import { Running, shell, useServer } from './skein.ts'

// What a terminal understands: bold begins, ends, a line is wiped out.
const BOLD = '\u001B[1m'
const PLAIN = '\u001B[22m'
const WIPED = '\u001B[2K'

const env = useServer()

describe('what was asked for goes to standard output, and the exit code is 0', () => {
  test('help: without a word, and with --help', async () => {
    const [none, help] = await Promise.all([shell('skein'), shell('skein --help')])
    expect(none).toEqual(help)
    expect(help).toMatchObject({ code: 0, stderr: '' })
    for (const command of ['ps', 'locks', 'queues', 'hosts', 'top', 'logs', 'kill', 'run', 'host']) {
      expect(help.stdout).toMatch(new RegExp(`^  ${command}\\b`, 'm'))
    }
  })

  test('help of a command, with the options that all have', async () => {
    const { code, stdout, stderr } = await shell('skein kill --help')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/--grace[^]*--url/)
  })

  test('--version', async () => {
    expect(await shell('skein --version')).toMatchObject({ code: 0, stderr: '' })
  })

  test('a listing of nothing: nothing for programs to read, and a sentence beside it', async () => {
    // One after the other: each would be a program that the other one lists.
    const people = await shell('skein ps', env)
    const programs = await shell('skein ps --json', env)
    expect(people).toEqual({ code: 0, stdout: '', stderr: 'No process runs in namespace skein.\n' })
    expect(programs).toEqual({ code: 0, stdout: '[]\n', stderr: '' })
  })
})

describe('skein run', () => {
  test('prints what was returned, as people and as programs read it', async () => {
    expect(await shell('skein run work.mjs#add 1 -3')).toEqual({ code: 0, stdout: '-2\n', stderr: '' })
    const { stdout } = await shell('skein run work.mjs#shape --json')
    expect(JSON.parse(stdout)).toEqual({ kind: 'circle', radius: 2 })
  })

  test('ends as the process did', async () => {
    const [threw, left, died] = await Promise.all([
      shell('skein run work.mjs#fail'),
      shell('skein run work.mjs#leave 7'),
      shell('skein run work.mjs#die'),
    ])
    expect(threw).toMatchObject({ code: 1, stdout: '' })
    expect(threw.stderr).toMatch(/RangeError: there is no such invoice\n\s+at fail .*work\.mjs/)
    expect(left).toEqual({ code: 7, stdout: '', stderr: '' })
    expect(died).toEqual({ code: 137, stdout: '', stderr: 'skein: the process was ended by SIGKILL\n' })
  })

  test('--elsewhere, and by a label: in a host', async () => {
    const host = new Running('exec skein host --slots 1 --label gpu=yes 2>&1', env)
    await host.shows('Serving')
    const lines = ['--elsewhere', '--label gpu=yes', `--host ${hostname()}`]
    const runs = await Promise.all(lines.map((line) => shell(`skein run ${line} 'work.mjs#parent'`, env)))
    host.kill('SIGTERM')
    const { code, stdout } = await host.ended
    const [, pid = ''] =
      /^Serving rediss?:\/\/\S+, namespace skein, as \S+ \(pid (\d+)\), 1 at once\./.exec(stdout) ?? []
    expect(runs).toEqual(lines.map(() => ({ code: 0, stdout: `${pid}\n`, stderr: '' })))
    expect(code).toBe(0)
  })

  test('ends the process when it is ended itself', async () => {
    for (const [signal, code] of [
      ['SIGINT', 130],
      ['SIGTERM', 143],
    ] as const) {
      const run = new Running('exec skein run work.mjs#stay')
      const pid = Number(await run.line())
      run.kill(signal)
      expect(await run.ended).toMatchObject({ code })
      expect(isRunning(pid)).toBe(false)
    }
  })
})

describe('skein host', () => {
  const draining = (): Promise<void> =>
    until('it takes nothing more', async () => (await shell('skein hosts', env)).stdout.includes('draining'))

  test('SIGTERM: takes nothing more, lets what runs end, and ends with 0', async () => {
    const host = new Running('exec skein host 2>&1', env)
    await host.shows('Serving')
    const run = new Running('exec skein run --elsewhere work.mjs#nap 1500', env)
    await run.line()
    host.kill('SIGTERM')
    expect(await run.ended).toMatchObject({ code: 0, stdout: 'begun\nslept\n' })
    expect(await host.ended).toMatchObject({ code: 0 })
  })

  test('SIGHUP, however often: as SIGTERM, and ends by it', async () => {
    const host = new Running('skein host 2>&1 & echo $!; wait $!; echo "code $?"', env)
    const pid = Number(await host.line())
    await host.shows('Serving')
    const run = new Running('exec skein run --elsewhere work.mjs#nap 4000', env)
    await run.line()
    process.kill(pid, 'SIGHUP')
    // Two at once could be one.
    await draining()
    process.kill(pid, 'SIGHUP')
    expect(await run.ended).toMatchObject({ code: 0, stdout: 'begun\nslept\n' })
    expect((await host.ended).stdout).toContain('code 129')
  })

  test('--drain: no longer than that', async () => {
    const host = new Running('exec skein host --drain 200 2>&1', env)
    await host.shows('Serving')
    const run = new Running('exec skein run --elsewhere work.mjs#nap 600000', env)
    await run.line()
    host.kill('SIGTERM')
    const { code, stdout } = await host.ended
    expect(code).toBe(0)
    expect(stdout).toContain('What still ran after 200 ms is ended.')
    expect((await run.ended).code).not.toBe(0)
  })

  test('a second signal ends it at once', async () => {
    const host = new Running('exec skein host 2>&1', env)
    await host.shows('Serving')
    const run = new Running('exec skein run --elsewhere work.mjs#nap 600000', env)
    await run.line()
    host.kill('SIGINT')
    await draining()
    host.kill('SIGINT')
    expect(await host.ended).toMatchObject({ code: 130 })
    expect((await run.ended).code).not.toBe(0)
  })
})

test('local:NAME: the programs that met there are seen, and ended, too', async () => {
  const met = { SKEIN_URL: `local:cli-${process.pid}` }
  const crew = new Running('exec node crew.mjs', met)
  await crew.shows('ready')
  const [ps, locks] = await Promise.all([shell('skein ps', met), shell('skein locks', met)])
  expect(ps.stdout).toMatch(/^\S+\.1 +printer +process,daemon/m)
  expect(locks.stdout).toMatch(/^lock +invoices +held +1 +printer@/m)
  expect(await shell('skein kill printer', met)).toMatchObject({ code: 0, stderr: '' })
  expect((await shell('skein locks', met)).stdout).toMatch(/^lock +invoices +held +0 +archiver@/m)
  expect(await shell('skein hosts', met)).toMatchObject({ code: 0, stdout: '' })
  crew.kill('SIGTERM')
  await crew.ended
})

describe('on a terminal', () => {
  const terminal = (line: string): string => `script -qec "${line}" /dev/null`

  test('titles are bold, and plain with NO_COLOR and without a terminal', async () => {
    const crew = new Running('exec node crew.mjs', env)
    await crew.shows('ready')
    const on = { ...env, TERM: 'xterm' }
    const [bold, plain, piped] = await Promise.all([
      shell(terminal('skein locks'), on),
      shell(terminal('skein locks'), { ...on, NO_COLOR: '1' }),
      shell('skein locks', on),
    ])
    crew.kill('SIGTERM')
    await crew.ended
    const [titles = ''] = bold.stdout.split('\r\n')
    expect(titles.startsWith(`${BOLD}KIND `)).toBe(true)
    expect(titles.endsWith(PLAIN)).toBe(true)
    expect(plain.stdout).not.toContain('\u001B')
    expect(piped.stdout).not.toContain('\u001B')
    expect(plain.stdout.replaceAll('\r', '')).toBe(piped.stdout)
  })

  test('who waits for long is told for what, and the line goes when it is over', async () => {
    const waiting = new Running(terminal('skein run --elsewhere work.mjs#add 2 3'), { ...env, TERM: 'xterm' })
    await waiting.shows('Waiting for work.mjs#add to start (1 s)')
    const host = new Running('exec skein host', env)
    const { code, stdout } = await waiting.ended
    host.kill('SIGTERM')
    await host.ended
    expect(code).toBe(0)
    expect(stdout.slice(stdout.indexOf(WIPED))).toContain('5\r\n')
    expect(stdout).toContain(WIPED)
  })

  test.each(['at once', 'when it was told to end'])(
    'a host whose terminal is closed %s drains, and does not fail over that',
    async (when) => {
      const folder = mkdtempSync(join(tmpdir(), 'skein-terminal-'))
      onTestFinished(() => rmSync(folder, { recursive: true }))
      const file = join(folder, 'code')
      const line = `trap '' HUP; skein host; echo code \\$? > '${file}'`
      const host = new Running(`exec ${terminal(line)}`, { ...env, TERM: 'xterm' })
      await host.shows('Serving')
      const run = new Running('exec skein run --elsewhere work.mjs#nap 3000', env)
      await run.line()
      const [{ pid }] = JSON.parse((await shell('skein hosts --json', env)).stdout) as [{ pid: number }]
      if (when !== 'at once') {
        process.kill(pid, 'SIGTERM')
        await host.shows('Taking nothing more')
      }
      host.kill('SIGKILL')
      process.kill(pid, 'SIGHUP')
      expect(await run.ended).toMatchObject({ code: 0, stdout: 'begun\nslept\n' })
      await until('it has ended', () => existsSync(file) && readFileSync(file, 'utf8') === 'code 129\n')
    },
  )
})
