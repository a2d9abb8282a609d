// What would be published: packs every package and looks at what is in it, then lets publint and Are The Types Wrong look.
// Part of `pnpm check`. Prints one sentence for each fault, and exits 1 if there is one.
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import { promisify } from 'node:util'
import { packAll } from './pack.mjs'

/** Thousands of bytes that a tarball may have: above what it has today, below what a folder too many would bring. */
const LIMITS = { '@skein/core': 1_000, '@skein/redis-adapter': 600, '@skein/conformance': 500, '@skein/cli': 100 }

const root = path.dirname(import.meta.dirname)
const run = promisify(execFile)
const faults = []

const filesUnder = (folder) =>
  existsSync(folder)
    ? readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)).replaceAll(path.sep, '/'))
    : []

/** Each source and what it is compiled to, each script, and what stands on the package's page. Nothing else: no test, no setting. */
function expectedFiles(folder) {
  const modules = filesUnder(path.join(folder, 'src')).flatMap((file) => {
    // Typings of somebody else's package, for this one alone.
    if (file.endsWith('.d.ts')) return [`src/${file}`]
    const stem = file.replace(/\.ts$/, '')
    return [`src/${file}`, ...['.js', '.js.map', '.d.ts', '.d.ts.map'].map((end) => `dist/${stem}${end}`)]
  })
  const scripts = filesUnder(path.join(folder, 'scripts')).map((file) => `scripts/${file}`)
  return new Set(['package.json', 'README.md', 'LICENSE', ...modules, ...scripts])
}

function lookAtFiles(say, folder, unpacked) {
  const expected = expectedFiles(folder)
  const found = new Set(filesUnder(unpacked))
  const missing = [...expected].filter((file) => !found.has(file))
  const odd = [...found].filter((file) => !expected.has(file))
  if (missing.length > 0) say(`lacks ${missing.join(', ')}`)
  if (odd.length > 0) {
    say(
      `holds ${odd.join(', ')}, which no source in src stands for; if it is of an earlier build, delete dist and build again`,
    )
  }
  for (const map of [...found].filter((file) => file.endsWith('.map'))) {
    const { sources, sourceRoot = '' } = JSON.parse(readFileSync(path.join(unpacked, map), 'utf8'))
    for (const source of sources) {
      const target = path.posix.join(path.posix.dirname(map), sourceRoot, source)
      if (!found.has(target)) say(`${map} points to ${target}, which is not in it`)
    }
  }
}

function lookAtManifest(say, unpacked) {
  const text = readFileSync(path.join(unpacked, 'package.json'), 'utf8')
  const manifest = JSON.parse(text)
  const { engines } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'))
  const stated = ['name', 'version', 'description', 'license', 'files', 'exports', 'sideEffects', 'publishConfig']
  for (const field of stated) if (!(field in manifest)) say(`package.json has no "${field}"`)
  if ((manifest.keywords ?? []).length < 3) say('package.json has fewer than three keywords')
  if (manifest.type !== 'module') say('package.json does not say "type": "module"')
  if (manifest.engines?.node !== engines.node) say(`package.json asks for another Node than ${engines.node}`)
  if (/"(?:workspace|catalog):/.test(text)) say('package.json has versions that only this workspace understands')
  for (const [door, target] of Object.entries(manifest.exports ?? {})) {
    if (door !== './package.json' && !(target.types && target.default)) {
      say(`package.json exports "${door}" without "types" or without "default"`)
    }
  }
}

/** A link out of the package leads nowhere on a registry's page. */
function lookAtReadme(say, unpacked) {
  const readme = path.join(unpacked, 'README.md')
  if (!existsSync(readme)) return
  for (const [, link = ''] of readFileSync(readme, 'utf8').matchAll(/\]\((?!https?:|#)([^)#]+)[^)]*\)/g)) {
    if (!existsSync(path.join(unpacked, link))) say(`README.md links to ${link}, which is not in it`)
  }
}

async function lookWith(say, tool, args) {
  const bin = path.join(root, 'node_modules', '.bin', tool)
  try {
    await run(bin, args, { shell: process.platform === 'win32' })
  } catch (error) {
    say(`${tool} finds faults:\n${error.stdout}${error.stderr}`)
  }
}

async function look({ name, folder, tarball }) {
  const say = (fault) => faults.push(`${name}: ${fault}`)
  const unpacked = path.join(path.dirname(tarball), path.basename(folder))
  mkdirSync(unpacked)
  await run('tar', ['-xzf', tarball, '-C', unpacked, '--strip-components=1'])

  const thousands = Math.ceil(statSync(tarball).size / 1_000)
  const limit = LIMITS[name]
  if (limit === undefined) say(`no limit for its size is set in .ci/packages.mjs; it has ${thousands} kB`)
  else if (thousands > limit) say(`has ${thousands} kB, and at most ${limit} are expected`)

  lookAtFiles(say, folder, unpacked)
  lookAtManifest(say, unpacked)
  lookAtReadme(say, unpacked)
  await lookWith(say, 'publint', ['run', tarball, '--strict'])
  // Where nothing can be imported there are no types to be wrong.
  const { exports } = JSON.parse(readFileSync(path.join(unpacked, 'package.json'), 'utf8'))
  if ('.' in exports) await lookWith(say, 'attw', [tarball, '--profile', 'esm-only', '--no-emoji', '--no-color'])
  return `${name} (${thousands} kB)`
}

const packed = await packAll(path.join(root, '.test-output', 'packed'))
const seen = []
for (const one of packed) seen.push(await look(one))

for (const fault of faults) console.error(fault)
if (faults.length > 0) process.exit(1)
console.log(`Packed and found in order: ${seen.join(', ')}.`)
