/**
 * What is wrong with a command line, its environment or its machine: one sentence on standard error, and the documented exit code. The numbers
 * are those of a list of what goes wrong with such commands. Of its rows these have nothing to be about here: 74 (two targets of one name: a
 * target is named by its file) and 78 (a configuration file: there is none).
 */
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { hostname, networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { entered, startRedis } from '../../../integration-tests/support/redis.ts'
import { type Outcome, Running, shell, useServer } from './skein.ts'

const ROOT = process.getuid?.() === 0
/** As an account that may nothing: only root can become it, and only where it may read this repository. */
const AS_NOBODY = 'setpriv --reuid 65534 --regid 65534 --clear-groups'
const NOBODY = ROOT && spawnSync('sh', ['-c', `${AS_NOBODY} test -r '${import.meta.filename}'`]).status === 0

/** Of this machine, as others see it. */
const ADDRESS = Object.values(networkInterfaces())
  .flat()
  .find((one) => one?.internal === false && one.family === 'IPv4')?.address

const env = useServer()

function folderForTest(): string {
  const folder = mkdtempSync(join(tmpdir(), 'skein-bad-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

function fileForTest(name: string, text: string): string {
  const file = join(folderForTest(), name)
  writeFileSync(file, text)
  return file
}

/** What a command comes to that prints nothing but one line of complaint. */
function complaint(code: number, sentence: RegExp): Outcome {
  const line = new RegExp(`^skein: (?![^\\n]*secret@)[^\\n]*${sentence.source}[^\\n]*\\n$`)
  return { code, stdout: '', stderr: expect.stringMatching(line) as string }
}

type Rows = readonly (readonly [number, string, RegExp])[]

const SECRET = 'a-secret-of-more-than-thirty-two-bytes'

describe('a wrong command line ends with 2', () => {
  const wrong: Rows = [
    [69, 'skein pz', /unknown command 'pz' \(did you mean ps\?\)/],
    [69, 'skein frobnicate', /unknown command 'frobnicate'; see skein --help/],
    [69, 'skein ps --jsn', /unknown option '--jsn' \(did you mean --json\?\)/],
    [69, 'skein ps more', /too many arguments for 'ps', it takes 0/],
    [69, 'skein kill', /missing required argument 'process'/],
    [69, 'skein ps --url', /--url <url>.* argument missing/],
    [69, 'skein kill x --url redis://h --signal HUP', /--signal takes TERM, INT, KILL, got "HUP"/],
    [69, 'skein top --url redis://h', /top draws on a terminal/],
    [70, 'skein host --url redis://h --slots 0', /--slots takes an integer from 1 to 10000, got "0"/],
    [70, 'skein host --url redis://h --slots -1', /--slots/],
    [70, 'skein host --url redis://h --slots x', /--slots takes .* got "x"/],
    [70, 'skein host --url redis://h --slots 1000000000', /--slots takes .* got "1000000000"/],
    [70, 'skein host --url redis://h --label gpu', /--label takes key=value, as in gpu=yes, got "gpu"/],
    [71, 'skein ps', /give --url redis:\/\/host:6379 or local:NAME, or set SKEIN_URL/],
    [71, 'SKEIN_URL=http://x skein ps', /SKEIN_URL knows local:/],
    [71, "skein ps --url ''", /--url knows local:/],
    [71, 'skein ps --url h:6379', /--url knows local:/],
    [71, 'skein ps --url redis://user:secret@h:99999', /--url: the redis: url cannot be read/],
    [71, 'skein ps --url redis://h/abc', /--url: the path .* number of a database/],
    [71, "skein ps --url 'redis://h --namespace x'", /--url: the redis: url cannot be read/],
    [71, "skein ps --url redis://h --namespace 'a b'", /--namespace: a name has .*"a b"/],
    [71, 'skein host --url local:x', /host runs what comes over Redis/],
    [73, 'skein run work.mjs', /run takes module#export/],
    [73, "skein run 'work.mjs#add' 1 hello", /argument 2 of the function is no JSON: hello/],
    [73, "skein run --elsewhere 'work.mjs#add' 1 2", /on local: everything runs here, so --elsewhere needs Redis/],
    [73, "skein run --label gpu=yes 'work.mjs#add' 1 2", /--label needs Redis/],
    [77, 'SKEIN_SECRET=short skein host --url redis://h', /SKEIN_SECRET has 5 bytes and must have 32 or more/],
    [77, `SKEIN_SECRET='${' '.repeat(40)}' skein ps --url redis://h`, /SKEIN_SECRET has 0 bytes/],
    [77, 'SKEIN_SECRET_FILE=/nowhere/key skein ps --url redis://h', /SKEIN_SECRET_FILE: \/nowhere\/key .*\(ENOENT\)/],
    [77, 'SKEIN_SECRET_FILE=/tmp skein ps --url redis://h', /SKEIN_SECRET_FILE: \/tmp cannot be read \(EISDIR\)/],
    [77, `SKEIN_SECRET=${SECRET} SKEIN_SECRET_FILE=x skein ps --url redis://h`, /are both set; set one of them/],
    [79, 'skein host --url redis://10.0.0.1', /set SKEIN_SECRET .* or say --unsigned to allow it/],
    [79, 'cd / && skein host --url redis://h', /the working directory is \/, .* say with --root whose are run/],
    [84, "skein host --url redis://h --root ''", /--root must be the path of a folder, got ""/],
    [84, 'skein host --url redis://h --root /nowhere', /--root .* that can be read, got \/nowhere \(ENOENT\)/],
    [84, 'skein host --url redis://h --root /etc/passwd', /--root .* got \/etc\/passwd \(ENOTDIR\)/],
    [84, 'skein host --url redis://h --allow /etc/passwd', /--allow takes paths from the root/],
  ]
  for (const [row, line, sentence] of wrong) {
    test(`row ${row}: $ ${line}`, async () => {
      const outcome = await shell(line)
      expect(outcome).toEqual(complaint(2, sentence))
      expect(outcome.stderr).not.toContain(SECRET)
    })
  }
})

describe('what fails ends with 1', () => {
  const failing: Rows = [
    [72, 'skein ps --url redis://127.0.0.1:1', /no connection to Redis .* is it running/],
    [72, 'skein host --fail-fast --url redis://127.0.0.1:1', /no connection to Redis .* is it running/],
    [73, 'skein run nowhere.mjs#f', /there is no module .*nowhere/],
    [73, 'skein run work.mjs#nope', /"nope" is not exported from .* \(exports: add,/],
    [73, 'skein run work.mjs#map --json', /the result\.seen is Map, which JSON has not/],
    [84, 'TMPDIR=/nowhere skein ps --url local:x', /\/nowhere\/skein-\d+, .* cannot be made \(ENOENT\)/],
  ]
  for (const [row, line, sentence] of failing) {
    test(`row ${row}: $ ${line}`, async () => expect(await shell(line)).toEqual(complaint(1, sentence)))
  }

  test('row 73: a module that is no program, that exports nothing, or only a default', async () => {
    const broken = fileForTest('broken.mjs', 'export function f( {\n')
    const empty = fileForTest('empty.mjs', 'const x = 1\n')
    const only = fileForTest('only.mjs', 'export default function named() { return 3 }\n')
    expect(await shell(`skein run '${broken}#f'`)).toEqual(
      complaint(1, /broken could not be loaded: .*\(in \S+broken\.mjs, or in what it imports\)/),
    )
    expect(await shell(`skein run '${empty}#f'`)).toEqual(
      complaint(1, /"f" is not exported from .*\(it exports no function\)/),
    )
    expect(await shell(`skein run '${only}#default'`)).toEqual({ code: 0, stdout: '3\n', stderr: '' })
  })

  test('row 81: kill of what is not there, or of one of several', async () => {
    const crew = new Running('exec node crew.mjs', env)
    await crew.shows('ready')
    const ids = (JSON.parse((await shell('skein ps --json', env)).stdout) as { readonly id: string }[]).map(
      ({ id }) => id,
    )
    const [nobody, several] = await Promise.all([
      shell('skein kill nobody', env),
      shell(`skein kill ${ids[0]?.slice(0, 3)}`, env),
    ])
    crew.kill('SIGTERM')
    await crew.ended
    expect(nobody).toEqual(complaint(1, /no process "nobody" runs in namespace skein; skein ps lists those that do/))
    expect(several).toEqual(complaint(1, /may be .*, or printer \(\S+, pid \d+ on .*; give the whole id/))
  })

  test('row 83: on a Node that is too old', async () => {
    const older = `data:text/javascript,Object.defineProperty(process.versions,'node',{value:'18.20.8'})`
    const outcome = await shell('skein ps', { ...env, NODE_OPTIONS: `--import "${older}"` })
    expect(outcome).toEqual(complaint(1, /needs Node 20\.19 or later, and this is 18\.20\.8/))
  })

  test('row 84: from a directory that is gone', async () => {
    const folder = folderForTest()
    const outcome = await shell(`cd '${folder}' && rmdir '${folder}' && skein ps`, env)
    // The shell that starts the command has its own word on it.
    const stderr = outcome.stderr.replaceAll(/^(?!skein:).*\n/gm, '')
    expect({ ...outcome, stderr }).toEqual(complaint(1, /the working directory.* cannot be entered \(ENOENT\)/))
  })

  test.runIf(NOBODY)('row 84: as a user who may not enter the root', async () => {
    const folder = folderForTest()
    chmodSync(folder, 0o700)
    const outcome = await shell(`${AS_NOBODY} skein host --url redis://h --root '${folder}'`)
    expect(outcome).toEqual(complaint(2, /--root .* got \S+ \(EACCES\)/))
  })
})

describe('skein host', () => {
  test('row 72: waits for a Redis that is not there yet, and says so every 5 s', { timeout: 60_000 }, async () => {
    const late = await startRedis({ own: true })
    onTestFinished(() => late.close())
    await late.kill()
    const since = performance.now()
    const host = new Running(`exec skein host --url ${late.url} 2>&1`)
    await host.shows('not yet', 2)
    expect(performance.now() - since).toBeGreaterThan(5_000)
    await late.restart()
    await host.shows('Serving')
    host.kill('SIGTERM')
    const { code, stdout } = await host.ended
    expect(code).toBe(0)
    const said = stdout.slice(0, stdout.indexOf('Serving')).trimEnd().split('\n')
    expect(
      said.every((line) => line.startsWith('skein: not yet, tried again every 5 s: no connection to Redis at')),
    ).toBe(true)
  })

  test('row 72: ends at once when it is told to while it waits', async () => {
    const host = new Running('exec skein host --url redis://127.0.0.1:1 2>&1')
    await host.shows('not yet')
    host.kill('SIGTERM')
    expect(await host.ended).toMatchObject({ code: 0 })
  })

  test('row 72: does not wait for what only its user can mend', async () => {
    const outcome = await shell(`skein host --url ${env.SKEIN_URL.replace('//', '//nobody:secret@')}`)
    expect(outcome).toEqual(complaint(1, /refused the credentials of the url/))
  })

  test('row 75: a machine has one name, and as many hosts as it likes: each has an id and a pid', async () => {
    const hosts = [1, 2].map(() => new Running('exec skein host 2>&1', env))
    for (const host of hosts) await host.shows('Serving')
    const { stdout } = await shell('skein hosts', env)
    for (const host of hosts) host.kill('SIGTERM')
    const pids = await Promise.all(
      hosts.map(async ({ ended }) => /\(pid (\d+)\)/.exec((await ended).stdout)?.[1] ?? ''),
    )
    for (const pid of pids) expect(stdout).toMatch(new RegExp(`^\\w+ +${hostname()} +${pid} `, 'm'))
  })

  test('row 77: a secret in a file, and a word if all may read it', async () => {
    const file = fileForTest('key', `${SECRET}\n`)
    const found: string[] = []
    for (const mode of [0o600, 0o644]) {
      chmodSync(file, mode)
      const host = new Running('exec skein host 2>&1', { ...env, SKEIN_SECRET_FILE: file })
      await host.shows('Serving')
      // Who has it in the environment is one of them.
      const run = await shell('skein run --elsewhere work.mjs#add 1 2', { ...env, SKEIN_SECRET: SECRET })
      expect(run).toEqual({ code: 0, stdout: '3\n', stderr: '' })
      host.kill('SIGTERM')
      found.push((await host.ended).stdout)
    }
    expect(found[0]).not.toContain('which holds the secret')
    expect(found[1]).toMatch(
      /^skein: mind that .*\S+key, which holds the secret, may be read by every user of this machine$/m,
    )
    expect(found.join('\n')).not.toContain(SECRET)
  })

  test('row 79: as root it says so once, else it says nothing', async () => {
    const lines = ['', ...(NOBODY ? [AS_NOBODY] : [])]
    for (const as of lines) {
      const host = new Running(`exec ${as} skein host 2>&1`, env)
      await host.shows('Serving')
      host.kill('SIGTERM')
      const [, ...more] = (await host.ended).stdout.trimEnd().split('\n')
      expect(more).toEqual(ROOT && as === '' ? ['skein: mind that what others start runs here as root'] : [])
    }
  })

  test.runIf(ADDRESS !== undefined)('row 79: beyond this machine it says what the way there lacks', async () => {
    const open = await startRedis({ own: true, args: ['--bind', '0.0.0.0', '--protected-mode', 'no'] })
    onTestFinished(() => open.close())
    // The plain way in, however else the server is entered.
    const url = entered(open.admin, 'user:secret').replace('127.0.0.1', String(ADDRESS))
    await open.ask('ACL', 'SETUSER', 'user', 'on', '>secret', '~*', '&*', '+@all')
    for (const [from, lacks] of [
      [url, 'no TLS'],
      [url.replace('user:secret@', ''), 'no TLS and no password'],
    ] as const) {
      const host = new Running(`exec skein host --url ${from} 2>&1`, { SKEIN_SECRET: SECRET })
      await host.shows('Serving')
      host.kill('SIGTERM')
      const { stdout } = await host.ended
      expect(stdout).toContain(`${url.replace('user:secret@', '')} has ${lacks}\n`)
      expect(stdout).not.toContain('secret@')
    }
  })

  test('row 82: a clock that goes wrong is told of, and nothing goes by it', async () => {
    const host = new Running('exec skein host 2>&1', { ...env, NODE_OPTIONS: '--import ./clock-ahead.mjs' })
    await host.shows('Serving')
    const [listed, run] = await Promise.all([
      shell('skein hosts', env),
      shell('skein run --elsewhere work.mjs#add 1 2', env),
    ])
    host.kill('SIGTERM')
    await host.ended
    expect(listed).toMatchObject({ code: 0 })
    expect(listed.stderr).toMatch(
      /^skein: the clock of \S+ \(pid \d+\) is (?:59|60|61) s ahead of that of this machine\n$/,
    )
    expect(run).toEqual({ code: 0, stdout: '3\n', stderr: '' })
  })
})

describe('row 76: --url and SKEIN_URL', () => {
  test('that differ: --url is taken, and that is said once', async () => {
    const { code, stdout, stderr } = await shell(`skein ps --json --url ${env.SKEIN_URL}`, {
      SKEIN_URL: 'redis://user:secret@elsewhere',
    })
    expect({ code, stdout }).toEqual({ code: 0, stdout: '[]\n' })
    expect(stderr).toBe('skein: --url is taken, and not SKEIN_URL, which is redis://elsewhere\n')
  })

  test('that are the same: nothing is said', async () => {
    expect(await shell(`skein ps --json --url ${env.SKEIN_URL}`, env)).toEqual({ code: 0, stdout: '[]\n', stderr: '' })
  })
})

describe('row 80: where nobody reads, or nobody can', () => {
  test('a reader that has seen enough is no error', async () => {
    expect(await shell('skein --help | true', env)).toMatchObject({ stderr: '' })
    expect(await shell('skein ps --json | true', env)).toMatchObject({ stderr: '' })
  })

  test('without standard output, or standard input', async () => {
    expect(await shell('skein ps --json >&-', env)).toEqual({ code: 0, stdout: '', stderr: '' })
    expect(await shell('skein ps --json <&-', env)).toEqual({ code: 0, stdout: '[]\n', stderr: '' })
  })

  test.runIf(process.platform === 'linux')('a full disk is said in one line', async () => {
    expect(await shell('skein ps --json > /dev/full', env)).toEqual(
      complaint(1, /standard output cannot be written to \(ENOSPC/),
    )
  })

  test('SIGHUP ends it as it ends any program', async () => {
    const host = new Running('exec skein host 2>&1', env)
    await host.shows('Serving')
    host.kill('SIGHUP')
    const { code, stdout } = await host.ended
    expect(code).toBe(null)
    expect(stdout).not.toMatch(/^ +at /m)
  })
})
