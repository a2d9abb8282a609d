import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { TargetRef } from '../../src/contract/target.ts'
import { refOf } from '../../src/target/index.ts'
import { increment, square } from './fixtures/acme/src/work.ts'
import { Receiver, canStrip, fixture } from './receiver.ts'

const receivers: Receiver[] = []
let root = ''

function receiver(options: ConstructorParameters<typeof Receiver>[0] = {}): Receiver {
  const made = new Receiver(options)
  receivers.push(made)
  return made
}

function write(path: string, content = ''): string {
  const file = join(root, path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, content)
  return file
}

function refTo(file: string, name: string): TargetRef {
  return { module: `gone/${name}`, export: name, url: pathToFileURL(file).href }
}

beforeAll(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'skein-resolve-')))
  write('package.json', '{ "name": "tmp-app", "type": "module" }')
})
afterEach(async () => {
  await Promise.all(receivers.splice(0).map((each) => each[Symbol.asyncDispose]()))
})
afterAll(() => {
  rmSync(root, { recursive: true })
})

/** As another machine gets it: the address is of no use there. */
function fromAnotherMachine(ref: TargetRef): TargetRef {
  return { ...ref, url: pathToFileURL(`/nowhere/${ref.source?.replace(/:\d+:\d+$/, '') ?? ''}`).href }
}

describe('resolveTarget, by the portable name', () => {
  it('finds the module in the package that it runs in', async () => {
    const there = receiver({ root: fixture('acme') })
    expect(await there.value(fromAnotherMachine(refOf(square)), 7)).toBe(49)
  })

  it('says where it looked', async () => {
    const there = receiver({ root: fixture('acme') })
    const error = await there.error(fromAnotherMachine({ ...refOf(square), module: 'acme-app/src/lost' }))
    const extensions = '{ts,mts,cts,tsx,js,mjs,cjs,jsx}'
    expect(error).toMatchObject({
      name: 'TargetNotFoundError',
      code: 'ERR_SKEIN_TARGET_NOT_FOUND',
      message:
        `Module acme-app/src/lost was not found on host ${hostname()}. Tried: ` +
        `${fixture('acme/src/lost')}.${extensions}, ${fixture('acme/dist/lost')}.${extensions}.`,
    })
  })

  it('says that there is no such package', async () => {
    const there = receiver({ root: fixture('acme') })
    const error = await there.error({ module: 'no-such-app/src/work', export: 'f' })
    expect(error.message).toBe(
      `Module no-such-app/src/work was not found on host ${hostname()}. ` +
        `There is no such package in or around ${fixture('acme')}.`,
    )
  })

  it('refuses another version of the same file, and names both', async () => {
    write('other/package.json', '{ "name": "acme-app", "type": "module" }')
    const file = write('other/src/work.ts', 'export const square = (x: number): number => x\n')
    const there = receiver({ root: join(root, 'other') })
    const ref = refOf(square)
    const error = await there.error(fromAnotherMachine(ref), 7)
    expect(error).toMatchObject({ name: 'TargetMismatchError', code: 'ERR_SKEIN_TARGET_MISMATCH' })
    expect(error.message).toMatch(
      new RegExp(
        `^Host ${hostname()} has a different acme-app/src/work \\(${file}, digest [0-9a-f]{16}; the sender's is ${ref.digest}\\)`,
      ),
    )
  })

  it('lets a build stand for the source', async () => {
    write('built/package.json', '{ "name": "acme-app", "type": "module" }')
    write('built/dist/work.js', '// moved down\n\nexport function square(x) {\n  return x * x\n}\n')
    const there = receiver({ root: join(root, 'built') })
    expect(await there.value(fromAnotherMachine(refOf(square)), 7)).toBe(49)
  })

  it('takes the file that equals the sender’s before others', async () => {
    write('both/package.json', '{ "name": "both", "type": "module" }')
    const file = write('both/work.js', 'export const which = () => "js"\n')
    write('both/work.mjs', 'export const which = () => "mjs"\n')
    const there = receiver({ root: join(root, 'both') })
    const { which } = (await import(file)) as { which: () => string }
    const ref = refOf(which)
    expect(await there.value({ ...fromAnotherMachine(ref), url: 'file:///nowhere/work.cjs' })).toBe('js')
  })
})

describe('resolveTarget, when the code has changed since it was named', () => {
  it('goes by the name: places of different files tell nothing', async () => {
    const file = write('changing.mjs', 'export function moving(x) {\n  return x\n}\n')
    const { moving } = (await import(file)) as { moving: (x: number) => number }
    const ref = refOf(moving)
    write('changing.mjs', '// A line more.\nexport function moving(x) {\n  return x * 2\n}\n')
    expect(await receiver().value(ref, 4)).toBe(8)
  })

  it('does so too when it was named after the change', async () => {
    const file = write('changed.mjs', 'export function moved(x) {\n  return x\n}\n')
    const { moved } = (await import(file)) as { moved: (x: number) => number }
    write('changed.mjs', '// Some\n// lines\n// more.\n\n\n\nexport function moved(x) {\n  return x * 2\n}\n')
    expect(await receiver().value(refOf(moved), 4)).toBe(8)
  })
})

describe('resolveTarget, when the module cannot be loaded', () => {
  it("gives the module's own error as the cause", async () => {
    const error = await receiver().error(refTo(fixture('acme/src/failing.mjs'), 'never'))
    expect(error).toMatchObject({
      name: 'SpawnError',
      code: 'ERR_SKEIN_SPAWN',
      message: 'Module gone/never could not be loaded: no such table',
      cause: { name: 'RangeError', message: 'no such table' },
    })
  })

  it('does so for what is no error, for wrong syntax and for a missing import', async () => {
    const there = receiver()
    const thrown = await there.error(refTo(write('thrown.mjs', "throw 'a string'\n"), 'f'))
    expect(thrown).toMatchObject({
      name: 'SpawnError',
      message: 'Module gone/f could not be loaded: a string',
      cause: 'a string',
    })
    const syntax = await there.error(refTo(write('syntax.mjs', 'export const = 1\n'), 'f'))
    expect(syntax).toMatchObject({ name: 'SpawnError', cause: { name: 'SyntaxError' } })
    const missing = await there.error(refTo(write('missing.mjs', "import 'not-installed'\n"), 'f'))
    expect(missing).toMatchObject({ name: 'SpawnError', cause: { code: 'ERR_MODULE_NOT_FOUND' } })
  })

  it('goes on with other modules after that', async () => {
    const there = receiver()
    await there.error(refTo(fixture('acme/src/failing.mjs'), 'never'))
    expect(await there.value(refOf(increment), 1)).toBe(2)
  })
})

describe('resolveTarget and TypeScript', () => {
  const typescript = 'export const twice = (x: number): number => x * 2\n'
  const withoutStripping = canStrip ? ['--no-experimental-strip-types', '--no-warnings'] : []

  function linkTsx(folder: string): void {
    mkdirSync(join(root, folder, 'node_modules'), { recursive: true })
    const installed = new URL('../../../../node_modules/tsx', import.meta.url)
    symlinkSync(realpathSync(installed), join(root, folder, 'node_modules/tsx'))
  }

  it('takes the tsx of the project that the target belongs to', async () => {
    const file = write('with-tsx/src/work.ts', typescript)
    linkTsx('with-tsx')
    expect(await receiver({ execArgv: withoutStripping, root }).value(refTo(file, 'twice'), 21)).toBe(42)
  })

  it('takes the tsx of the folder that the program runs in', async () => {
    const file = write('library/work.ts', typescript)
    mkdirSync(join(root, 'program'), { recursive: true })
    linkTsx('program')
    const there = receiver({ execArgv: withoutStripping, root: join(root, 'program') })
    expect(await there.value(refTo(file, 'twice'), 21)).toBe(42)
  })

  it('says what to do where nothing loads TypeScript', async () => {
    const file = write('without-tsx/work.ts', typescript)
    const error = await receiver({ execArgv: withoutStripping, root }).error(refTo(file, 'twice'))
    expect(error).toMatchObject({ name: 'SpawnError', cause: { code: 'ERR_UNKNOWN_FILE_EXTENSION' } })
    expect(error.message).toMatch(
      new RegExp(
        `^Module gone/twice could not be loaded: Node ${process.versions.node} cannot load this TypeScript by itself: ` +
          'install a loader \\("npm install --save-dev tsx"\\), use Node 22.18 or later, or build first ',
      ),
    )
  })

  it('says so too where a dependency is the reason', async () => {
    write('mixed/part.ts', typescript)
    const file = write('mixed/work.mjs', "export { twice } from './part.ts'\n")
    const error = await receiver({ execArgv: withoutStripping, root }).error(refTo(file, 'twice'))
    expect(error.message).toMatch(/cannot load this TypeScript by itself/)
  })

  it('puts no second loader on top of the one that Node was started with', async () => {
    const file = write('second/work.ts', typescript)
    write('second/node_modules/tsx/package.json', '{ "name": "tsx", "type": "module", "main": "./index.js" }')
    write('second/node_modules/tsx/index.js', "throw new Error('a second loader')\n")
    const tsx = import.meta.resolve('tsx')
    for (const execArgv of [['--import', tsx], [`--import=${tsx}`]]) {
      const there = receiver({ execArgv: [...withoutStripping, ...execArgv], root })
      expect(await there.value(refTo(file, 'twice'), 21)).toBe(42)
    }
  })

  it('passes on what a broken loader says', async () => {
    const file = write('broken/work.ts', typescript)
    write('broken/node_modules/tsx/package.json', '{ "name": "tsx", "type": "module", "main": "./index.js" }')
    write('broken/node_modules/tsx/index.js', "throw new Error('wrong platform')\n")
    const error = await receiver({ execArgv: withoutStripping, root }).error(refTo(file, 'twice'))
    expect(error).toMatchObject({ name: 'SpawnError', cause: { message: 'wrong platform' } })
    expect(error.message).toMatch(/^The TypeScript loader .*tsx.index\.js could not be loaded\.$/)
  })

  it('says what to do about syntax that needs more than stripping', async () => {
    const file = write('enums/work.ts', 'export enum Size { Small }\nexport const size = () => Size.Small\n')
    const error = await receiver({ root }).error(refTo(file, 'size'))
    const advice = canStrip
      ? 'Node only strips types: run the program with "node --import tsx"'
      : 'cannot load this TypeScript'
    expect(error.message).toContain(advice)
  })

  it('says what to do about TypeScript in node_modules', async () => {
    write('modules/node_modules/raw/package.json', '{ "name": "raw", "type": "module" }')
    const file = write('modules/node_modules/raw/work.ts', typescript)
    const error = await receiver({ root }).error(refTo(file, 'twice'))
    const advice = canStrip ? 'Node strips no types in node_modules' : 'cannot load this TypeScript'
    expect(error.message).toContain(advice)
    linkTsx('modules')
    expect(await receiver({ root }).value(refTo(file, 'twice'), 21)).toBe(42)
  })

  it.each(['.mts', '.cts', '.tsx'])('loads %s', async (extension) => {
    const exported = extension === '.cts' ? 'exports.twice = (x: number): number => x * 2\n' : typescript
    const file = write(`kinds/work${extension}`, exported)
    linkTsx(`kinds/${extension}`)
    symlinkSync(join(root, `kinds/${extension}/node_modules`), join(root, 'kinds/node_modules'))
    try {
      expect(await receiver({ root }).value(refTo(file, 'twice'), 21)).toBe(42)
    } finally {
      rmSync(join(root, 'kinds/node_modules'))
    }
  })
})

describe('resolveTarget, when the export is no target', () => {
  it('refuses a class', async () => {
    const error = await receiver().error({ ...refTo(fixture('acme/src/work.ts'), 'Job'), module: 'acme-app/src/work' })
    expect(error).toMatchObject({
      name: 'TargetNotFoundError',
      message: '"Job" of acme-app/src/work is a class and cannot be a target. Export a function that uses it.',
    })
  })

  it('says when nothing is exported', async () => {
    const file = write('empty.mjs', 'function f() {}\nf()\n')
    const error = await receiver().error({ ...refTo(file, 'f'), source: 'empty.mjs:1:11' })
    expect(error.message).toBe(
      '"f" is not exported from gone/f (it exports no function). Add "export" in front of it (empty.mjs:1:11).',
    )
  })

  it('lists no more exports than can be read', async () => {
    const names = Array.from({ length: 45 }, (_, index) => `f${String(index).padStart(2, '0')}`)
    const file = write('many.mjs', names.map((name) => `export const ${name} = () => 1\n`).join(''))
    const error = await receiver().error(refTo(file, 'g'))
    expect(error.message).toContain(`(exports: ${names.slice(0, 20).join(', ')} and 25 more)`)
  })

  it.each(['constructor', 'toString', '__proto__', 'then', 'module.exports'])(
    'finds nothing inherited as %s',
    async (name) => {
      for (const file of [fixture('acme/src/work.ts'), fixture('acme/src/library.cjs')]) {
        expect(await receiver().error(refTo(file, name))).toMatchObject({ name: 'TargetNotFoundError' })
      }
    },
  )

  it('takes no address but that of a file', async () => {
    const error = await receiver().error({
      module: 'gone/f',
      export: 'f',
      url: 'data:text/javascript,export const f = 1',
    })
    expect(error.name).toBe('TargetNotFoundError')
  })
})
