/** What a process that was started for another program will not run, whoever asks for it in which way. */
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { TargetRef } from '../../src/contract/target.ts'
import { Receiver } from './receiver.ts'

let home = ''
let root = ''
let canary = ''
let there: Receiver

function write(path: string, content: string): string {
  const file = join(home, path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, content)
  return file
}

beforeAll(() => {
  home = realpathSync(mkdtempSync(join(tmpdir(), 'skein-policy-')))
  root = join(home, 'app')
  canary = join(home, 'canary')
  const mark = `import { writeFileSync } from 'node:fs'; writeFileSync(${JSON.stringify(canary)}, ''); export const run = () => 'ran'`
  write('app/package.json', '{ "name": "app", "type": "module" }')
  write(
    'app/work.mjs',
    `export const run = () => 'ran'; export const value = 7; export class Thing {}; const secret = () => 'secret'`,
  )
  write('app/node_modules/other/index.mjs', mark)
  write('app/node_modules/other/package.json', '{ "name": "other" }')
  write('app/node_modules/tasks/index.mjs', `export const run = () => 'allowed'`)
  write('app/node_modules/tasks/package.json', '{ "name": "tasks" }')
  write('outside/evil.mjs', mark)
  write('outside/shared.mjs', `export const run = () => 'shared'`)
  symlinkSync(join(home, 'outside'), join(root, 'inside'))
  there = new Receiver({
    root,
    policy: { root, allow: [String.raw`^node_modules/tasks/`, String.raw`^\.\./outside/shared\.mjs$`] },
  })
})
afterAll(async () => {
  await there[Symbol.asyncDispose]()
  rmSync(home, { recursive: true })
})

function address(path: string): string {
  return pathToFileURL(join(home, path)).href
}

const reached = (ref: Partial<TargetRef>): TargetRef => ({ module: 'app/work', export: 'run', ...ref })

describe('a target policy', () => {
  it('lets run what lies under the root, by its name and by its address', async () => {
    expect(await there.value(reached({}))).toBe('ran')
    expect(await there.value(reached({ module: 'gone/x', url: address('app/work.mjs') }))).toBe('ran')
  })

  it('lets run what is allowed beside', async () => {
    expect(await there.value(reached({ module: 'tasks/index' }))).toBe('allowed')
    expect(await there.value(reached({ module: 'gone/x', url: address('outside/shared.mjs') }))).toBe('shared')
  })

  it('takes the module of that name where the address leads elsewhere: it may be that of another machine', async () => {
    expect(await there.value(reached({ url: address('outside/evil.mjs') }))).toBe('ran')
    expect(existsSync(canary)).toBe(false)
  })

  const hostile: Readonly<Record<string, () => Partial<TargetRef>>> = {
    'a module of Node': () => ({ module: 'node:child_process', export: 'execSync' }),
    'a module of Node, by its bare name': () => ({ module: 'child_process', export: 'execSync' }),
    'a module of Node, as the address': () => ({ module: 'gone/x', url: 'node:child_process', export: 'execSync' }),
    'code in an address': () => ({ module: 'gone/x', url: 'data:text/javascript,export const run = () => 1' }),
    'an address in the network': () => ({ module: 'gone/x', url: 'https://localhost/evil.mjs' }),
    'a file outside of the root': () => ({ module: 'gone/x', url: address('outside/evil.mjs') }),
    'a link that leads out of the root': () => ({ module: 'gone/x', url: address('app/inside/evil.mjs') }),
    'a name that leads out by a link': () => ({ module: 'app/inside/evil' }),
    'a name that climbs': () => ({ module: '../outside/evil' }),
    'a name that climbs inside': () => ({ module: 'app/../../outside/evil' }),
    'an absolute path as name': () => ({ module: join(home, 'outside/evil') }),
    'a file outside any package, by a climbing name': () => ({ module: './../outside/evil' }),
    'an installed package': () => ({ module: 'other/index' }),
    'an installed package, by its address': () => ({
      module: 'gone/x',
      url: address('app/node_modules/other/index.mjs'),
    }),
    'what every object has: constructor': () => ({ export: 'constructor' }),
    'what every object has: __proto__': () => ({ export: '__proto__' }),
    'what every object has: toString': () => ({ export: 'toString' }),
    'a function that is not exported': () => ({ export: 'secret' }),
    'a name in other letters': () => ({ export: 'Run' }),
    'a class': () => ({ export: 'Thing' }),
    'a value': () => ({ export: 'value' }),
    'a path of exports': () => ({ export: 'Thing.constructor' }),
  }

  for (const [what, ref] of Object.entries(hostile)) {
    it(`row 58: refuses ${what}`, async () => {
      const error = await there.error(reached(ref()), 'x')
      expect(error).toMatchObject({ name: 'TargetNotFoundError', code: 'ERR_SKEIN_TARGET_NOT_FOUND' })
      expect(existsSync(canary)).toBe(false)
    })
  }

  it('says which root it has, and what to do', async () => {
    const { message } = await there.error(reached({ module: 'other/index' }))
    expect(message).toContain(`runs functions of files under ${root} for other programs`)
    expect(message).toContain('allow the file')
  })
})
