/** docs/cli.md: each of its screens is what the command shows. */
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import type { ProcessInfo } from '@skein/core'
import { VERSION } from '@skein/core/adapter'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { entered, type RedisServer, startRedis } from '../../../integration-tests/support/redis.ts'
import { Running, shell } from './skein.ts'

const document = readFileSync(join(import.meta.dirname, '..', '..', '..', 'docs', 'cli.md'), 'utf8')

/** What the document calls what has another name in each run. */
const PROGRAM = '5h3kx0aq7d2'
const PIDS = ['main', 'printer', 'archiver', 'PoolWorker-1']
const SERVING = '7c9kx0aq9e4'
const SERVING_PID = '4105'
const HOST = 'web-1'
const URL = 'redis://localhost:6379'

let redis: RedisServer
let cwd: string
let crew: Running
/** `skein host` goes on while the lines after it are run. */
let host: { readonly running: Running; readonly said: string } | null = null
let processes: readonly ProcessInfo[]

beforeAll(async () => {
  cwd = mkdtempSync(join(tmpdir(), 'skein-docs-'))
  copyFileSync(join(import.meta.dirname, 'work.mjs'), join(cwd, 'work.mjs'))
  redis = await startRedis({ own: true })
  crew = new Running('exec node crew.mjs', { SKEIN_URL: redis.url })
  await crew.shows('ready')
  processes = JSON.parse((await shell('skein ps --json', { SKEIN_URL: redis.url })).stdout) as ProcessInfo[]
}, 60_000)

afterAll(async () => {
  for (const running of [crew, host?.running]) running?.kill('SIGTERM')
  await Promise.all([crew.ended, host?.running.ended])
  await redis.close()
  rmSync(cwd, { recursive: true, force: true })
})

function program(): string {
  return processes.find(({ role }) => role === 'main')?.id ?? ''
}

/** A line of the document with the ids of this run. */
function asTyped(line: string): string {
  return line.replaceAll(/\b5h3\b/g, program().slice(0, 3))
}

/** With the names of the document, and columns as wide as they happen to be there. */
function asWritten(text: string): string {
  let named = text.replaceAll(program(), PROGRAM).replaceAll(entered(redis.url, ''), URL)
  if (host !== null) {
    const [, pid = ''] = /\(pid (\d+)\)/.exec(host.said) ?? []
    named = named.replaceAll(new RegExp(`\\b${pid}\\b`, 'g'), SERVING_PID).replace(/^\w+(?= +\S+ +4105 )/m, SERVING)
    named = named.replace(new RegExp(`(?<= 4105 +)${VERSION}(?= )`), '0.1.0')
  }
  named = named.replaceAll(JSON.stringify(program().slice(0, 3)), JSON.stringify(PROGRAM.slice(0, 3)))
  for (const [index, name] of PIDS.entries()) {
    const { pid } = processes.find((one) => one.name === name) ?? { pid: 0 }
    named = named.replaceAll(new RegExp(`\\b${pid}\\b`, 'g'), String(4_101 + index))
  }
  return inColumns(named.replaceAll(new RegExp(`(?<=[ @])${hostname()}(?=[ :)])`, 'g'), HOST))
}

function inColumns(text: string): string {
  return text.replaceAll(/ {2,}/g, '  ').replaceAll(/ +$/gm, '').trim()
}

interface Shown {
  readonly line: string
  readonly output: string
}

const screens: readonly Shown[] = [...document.matchAll(/^```console\n([^]*?)^```$/gm)].flatMap(([, block = '']) =>
  block
    .split(/^\$ /m)
    .slice(1)
    .map((part) => {
      const [line = '', ...output] = part.split('\n')
      return { line, output: inColumns(output.join('\n')) }
    }),
)

test('there are screens', () => {
  expect(screens.length).toBeGreaterThan(15)
})

test('skein top draws its screen, over and over in the same place, until Ctrl-C', async () => {
  const env = { SKEIN_URL: redis.url, TERM: 'xterm' }
  const top = new Running('script -qec "stty rows 50 cols 120; exec skein top --interval 200" /dev/null', env)
  await top.shows('skein top', 3)
  top.type('\u0003')
  const { code, stdout } = await top.ended
  expect(code).toBe(130)
  // Bold is the heading alone; between two screens the cursor goes up and wipes out line by line.
  const [, first = '', second = ''] = stdout.replaceAll('\r', '').split('\u001B[1mskein top')
  expect(second.length).toBeGreaterThan(0)
  const drawn = stripVTControlCharacters(first)
  const [, written = ''] = /^```text\nskein top([^]*?)^```$/m.exec(document) ?? []
  const body = (screen: string): string => screen.slice(screen.indexOf('\n')).trim()
  expect(asWritten(body(drawn))).toBe(inColumns(body(written)))
  expect(first).toContain('\u001B[1A\u001B[2K')
})

for (const { line, output } of screens) {
  test(`$ ${line}`, async () => {
    if (line.startsWith('skein host --slots 4')) {
      const running = new Running(`exec ${line} 2>&1`, { SKEIN_URL: redis.url }, cwd)
      host = { running, said: await running.line() }
      expect(asWritten(host.said)).toBe(output)
      return
    }
    const { stdout } = await shell(`{ ${asTyped(line)}\n} 2>&1`, { SKEIN_URL: redis.url }, cwd)
    expect(asWritten(stdout)).toBe(output)
  })
}
