// Packs the packages that are published, as a release does: pnpm writes versions where `workspace:` and `catalog:` stand.
import { execFile } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import { promisify } from 'node:util'

const run = promisify(execFile)
const root = path.dirname(import.meta.dirname)

/**
 * @typedef {object} Packed
 * @property {string} name of the package
 * @property {string} folder of its sources
 * @property {string} tarball
 */

/**
 * @param {string} destination a folder, which is emptied first
 * @returns {Promise<Packed[]>}
 */
export async function packAll(destination) {
  rmSync(destination, { recursive: true, force: true })
  mkdirSync(destination, { recursive: true })
  const folders = readdirSync(path.join(root, 'packages')).map((name) => path.join(root, 'packages', name))
  return Promise.all(folders.map((folder) => pack(folder, destination)))
}

async function pack(folder, destination) {
  const { name, version } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'))
  // The package is named apart: within another npx the bare form takes that one's.
  await run('npx', ['--yes', '--package', 'pnpm@12', 'pnpm', 'pack', '--pack-destination', destination], {
    cwd: folder,
    shell: process.platform === 'win32',
  })
  const file = `${name.replace('@', '').replace('/', '-')}-${version}.tgz`
  return { name, folder, tarball: path.join(destination, file) }
}
