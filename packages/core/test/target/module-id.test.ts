import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { filesOf, nameModule, pathOfUrl, pathsOf } from '../../src/target/module-id.ts'
import { Receiver, runNode } from './receiver.ts'

let root = ''

function write(path: string, content = ''): string {
  const file = join(root, path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, content)
  return file
}

beforeAll(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'skein-module-id-')))
  write('app/package.json', '{ "name": "acme-app", "type": "module" }')
  write('app/dist/package.json', '{ "type": "module" }')
  write('app/node_modules/@acme/lib/package.json', '{ "name": "@acme/lib", "exports": { ".": "./index.js" } }')
  write('app/node_modules/@acme/lib/src/deep/tool.mjs')
})

afterAll(() => {
  rmSync(root, { recursive: true })
})

describe('nameModule', () => {
  it('is the package name and the path without extension', () => {
    expect(nameModule(write('app/src/work.ts'))).toEqual({ id: 'acme-app/src/work', file: 'src/work.ts' })
    expect(nameModule(write('app/src/work.test.mjs')).id).toBe('acme-app/src/work.test')
    expect(nameModule(write('app/bin/tool')).id).toBe('acme-app/bin/tool')
  })

  it('passes over a package.json without a name', () => {
    expect(nameModule(write('app/dist/work.js')).id).toBe('acme-app/dist/work')
  })

  it('passes over a broken package.json', () => {
    write('app/broken/package.json', '{ "name": ')
    write('app/broken/list/package.json', '[]')
    expect(nameModule(write('app/broken/list/work.js')).id).toBe('acme-app/broken/list/work')
  })

  it('keeps the scope of a package', () => {
    expect(nameModule(join(root, 'app/node_modules/@acme/lib/src/deep/tool.mjs')).id).toBe('@acme/lib/src/deep/tool')
  })

  it('does not take the package around a node_modules folder for an owner', () => {
    expect(nameModule(write('app/node_modules/loose/index.js'), join(root, 'app')).id).toBe(
      './node_modules/loose/index',
    )
  })

  it('is the path from the working directory where there is no package', () => {
    const file = write('scripts/jobs/night.ts')
    expect(nameModule(file, join(root, 'scripts')).id).toBe('./jobs/night')
    expect(nameModule(file, join(root, 'scripts', 'jobs')).id).toBe('./night')
  })

  it('is the bare name outside of the working directory: no absolute path leaves this machine', () => {
    expect(nameModule(write('scripts/jobs/night.ts'), join(root, 'app')).id).toBe('./night')
  })
})

describe('pathsOf and filesOf', () => {
  const find = (id: string, from: string, extension = ''): string[] =>
    pathsOf(id, join(root, from)).flatMap((path) => filesOf(path, extension))

  it('finds the file from any folder of the package', () => {
    const file = write('app/src/work.ts')
    expect(find('acme-app/src/work', 'app')).toContain(file)
    expect(find('acme-app/src/work', 'app/src')).toContain(file)
  })

  it('finds a dependency, whatever its exports are', () => {
    expect(find('@acme/lib/src/deep/tool', 'app/src')).toEqual([
      join(root, 'app/node_modules/@acme/lib/src/deep/tool.mjs'),
    ])
  })

  it("prefers the sender's extension, then TypeScript", () => {
    const files = ['ts', 'mts', 'js'].map((extension) => write(`app/src/both.${extension}`))
    expect(find('acme-app/src/both', 'app')).toEqual(files)
    expect(find('acme-app/src/both', 'app', '.js')).toEqual([files[2], files[0], files[1]])
  })

  it('tries the build for the source and the source for the build', () => {
    const built = write('app/dist/only-built.js')
    const source = write('app/src/only-source.ts')
    expect(find('acme-app/src/only-built', 'app', '.ts')).toEqual([built])
    expect(find('acme-app/dist/only-source', 'app', '.js')).toEqual([source])
  })

  it('finds nothing outside of the package', () => {
    write('outside.ts')
    expect(find('acme-app/../outside', 'app')).toEqual([])
    expect(find('./../outside', 'app')).toEqual([])
    expect(find('../outside', 'app')).toEqual([])
    expect(find(join(root, 'outside'), 'app')).toEqual([])
    expect(find('another/src/work', 'app')).toEqual([])
  })
})

it('pathOfUrl knows files of this system only', () => {
  expect(pathOfUrl('file:///a/b%20c.ts?v=1#x')).toBe('/a/b c.ts')
  expect(pathOfUrl('node:path')).toBeNull()
  expect(pathOfUrl('')).toBeNull()
  expect(pathOfUrl('file://server/share/a.ts')).toBeNull()
})

describe('a target in an odd place', () => {
  const program = (file: string): string => `
    import { refOf } from '${new URL('../../dist/target/index.js', import.meta.url).href}'
    const { twice } = await import(${JSON.stringify(pathToFileURL(file).href)})
    console.log(JSON.stringify(refOf(twice)))`

  it.each([
    ['spaces', 'my app', 'the work.mjs'],
    ['percent signs', '100%25 app', 'w%20rk.mjs'],
    ['other alphabets', 'päckchen 包', 'travail-é-работа.mjs'],
    ['signs of a URL', 'a#b?c', 'x+y&z.mjs'],
  ])('with %s', async (_, folder, name) => {
    write(`${folder}/package.json`, '{ "name": "odd" }')
    const file = write(`${folder}/${name}`, 'export const twice = (x) => x * 2\n')
    const ref = JSON.parse(await runNode(['--input-type=module', '--eval', program(file)]))
    expect(ref).toMatchObject({ module: `odd/${name.replace('.mjs', '')}`, source: `${name}:1:22` })
    const receiver = new Receiver()
    try {
      expect(await receiver.value(ref, 21)).toBe(42)
    } finally {
      await receiver[Symbol.asyncDispose]()
    }
  })

  it('behind a symbolic link, as pnpm links workspace packages', async () => {
    write('workspace/lib/package.json', '{ "name": "linked-lib" }')
    const file = write('workspace/lib/work.mjs', 'export const twice = (x) => x * 2\n')
    mkdirSync(join(root, 'workspace/app/node_modules'), { recursive: true })
    symlinkSync(join(root, 'workspace/lib'), join(root, 'workspace/app/node_modules/linked-lib'))
    const linked = join(root, 'workspace/app/node_modules/linked-lib/work.mjs')
    const receiver = new Receiver({ root: join(root, 'workspace/app') })
    try {
      for (const options of [[], ['--preserve-symlinks']]) {
        const ref = JSON.parse(await runNode([...options, '--input-type=module', '--eval', program(linked)]))
        expect(ref.module).toBe('linked-lib/work')
        expect(await receiver.value(ref, 21)).toBe(42)
        // Another machine, where only the portable name leads to the file.
        expect(await receiver.value({ ...ref, url: pathToFileURL(`${file}.gone`).href }, 21)).toBe(42)
      }
    } finally {
      await receiver[Symbol.asyncDispose]()
    }
  })
})
