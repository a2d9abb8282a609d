/**
 * What a user gets: the packages are packed, installed by npm into an empty project far from here, type-checked and run there by the Node that
 * runs this test. `pnpm test:nodes packaged` does it on every supported one.
 */
import { execFile } from 'node:child_process'
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { packAll } from '../../.ci/pack.mjs'
import { Program } from '../support/program.ts'
import { type RedisServer, startRedis } from '../support/redis.ts'

const run = promisify(execFile)
const programs = join(import.meta.dirname, 'project')

/** The compilers that are promised to read our types: the newest, and the oldest. */
const compilers = { typescript: 'typescript@7.0.2', 'typescript-oldest': 'typescript-oldest@npm:typescript@~5.4.5' }

let redis: RedisServer | null = null
let project: string

beforeAll(async () => {
  project = realpathSync(mkdtempSync(join(tmpdir(), 'skein-packaged-')))
  const packed = await packAll(join(project, 'tarballs'))
  writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'a-user', private: true, type: 'module' }))
  for (const file of readdirSync(programs)) copyFileSync(join(programs, file), join(project, file))
  writeFileSync(join(project, 'adapter.ts'), "export * from '@skein/core/adapter'\n")
  const others = ['@types/node@20', 'tsx@4', ...Object.values(compilers)]
  await npm('install', '--prefer-offline', '--no-audit', '--no-fund', ...packed.map((one) => one.tarball), ...others)
  writeFileSync(join(project, 'readme.ts'), firstProgram('@skein/core'))
  redis = await startRedis()
}, 240_000)

afterAll(async () => {
  await redis?.close()
  rmSync(project, { recursive: true, force: true })
})

async function npm(...args: readonly string[]): Promise<void> {
  await run('npm', args, { cwd: project, shell: process.platform === 'win32' })
}

/** The first program on the page of a package. */
function firstProgram(name: string): string {
  const readme = readFileSync(join(project, 'node_modules', name, 'README.md'), 'utf8')
  return /^```ts\n([^]*?)^```$/m.exec(readme)?.[1] ?? ''
}

test('nothing of ours comes from anywhere but the tarballs', () => {
  const ours = readdirSync(join(project, 'node_modules', '@skein')).toSorted()
  expect(ours).toEqual(readdirSync(join(import.meta.dirname, '..', '..', 'packages')).toSorted())
  for (const name of ours) {
    const folder = join(project, 'node_modules', '@skein', name)
    expect(realpathSync(folder)).toBe(folder)
  }
})

test('the command skein is there, and runs', async () => {
  const { stdout } = await run('npm', ['exec', '--', 'skein', 'run', 'plain.mjs#double', '21'], { cwd: project })
  expect(stdout).toBe('42\n')
})

for (const compiler of Object.keys(compilers)) {
  test(`${compiler} finds the types of the packages right, all their files included`, { timeout: 60_000 }, async () => {
    const strict = ['--strict', '--noEmit', '--target', 'es2022', '--module', 'nodenext', '--types', 'node']
    const tsc = join(project, 'node_modules', compiler, 'bin', 'tsc')
    const files = ['typed.ts', 'readme.ts', 'adapter.ts']
    const told = await run(process.execPath, [tsc, ...strict, ...files], { cwd: project }).catch(
      (error: unknown) => error,
    )
    expect(told).toMatchObject({ stdout: '' })
  })
}

function env(kind: 'local' | 'redis'): Record<string, string> {
  return { SKEIN_URL: kind === 'local' ? 'local:' : (redis?.url ?? '') }
}

for (const kind of ['local', 'redis'] as const) {
  test(`a program in JavaScript runs, on ${kind}`, async () => {
    const program = new Program('plain.mjs', { folder: project, cwd: project, env: env(kind) })
    expect(await program.ended).toEqual({
      code: 0,
      signal: null,
      stdout: `${kind} 1 4 9\n[ 2, 4, 6 ]\n`,
      stderr: '',
    })
  })

  test(`a program in TypeScript runs, on ${kind}`, async () => {
    const program = new Program('typed.ts', { folder: project, cwd: project, env: env(kind) })
    expect(await program.ended).toEqual({ code: 0, signal: null, stdout: `${kind} 14 [ 'A', 'B' ]\n`, stderr: '' })
  })
}

test('an adapter of another version is refused with a sentence', async () => {
  const manifest = join(project, 'node_modules', '@skein', 'redis-adapter', 'package.json')
  const text = readFileSync(manifest, 'utf8')
  writeFileSync(manifest, text.replace(/"version": "[^"]+"/, '"version": "0.99.0"'))
  try {
    const { code, stderr } = await new Program('plain.mjs', { folder: project, cwd: project, env: env('redis') }).ended
    expect(code).toBe(1)
    expect(stderr).toMatch(
      /@skein\/core is \d\S+, and @skein\/redis-adapter is 0\.99\.0; install both in the same version/,
    )
  } finally {
    writeFileSync(manifest, text)
  }
})

test('the program on the page of @skein/core runs', async () => {
  const program = new Program('readme.ts', { folder: project, cwd: project, env: { SKEIN_URL: 'local:' } })
  expect(await program.ended).toEqual({ code: 0, signal: null, stdout: '[ 1, 4, 9 ]\n', stderr: '' })
})
