/** Copies of the built packages, one of them whole and each other with a fault that the harness has to find. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const packages = join(import.meta.dirname, '..', '..', 'packages')

export interface Mutant {
  readonly fault: string
  /** Below the copied packages. */
  readonly file: string
  readonly from: string
  readonly to: string
}

/** Found by asking the process, whoever keeps the lock. */
const tenure: Mutant = {
  fault: 'leases without a deadline',
  file: 'core/dist/client/tenure.js',
  from: `return slot.epoch === epoch ?`,
  to: `return slot.epoch >= 0 ? Number.POSITIVE_INFINITY : slot.epoch === epoch ?`,
}

/** By the fault that shows them. */
export const mutants = {
  release: {
    fault: 'a release that does not look whose lock it is',
    file: 'redis-adapter/scripts/_permits.lua',
    from: `  local mine, all, last = unpack(`,
    to: `  for _, any in ipairs(redis.call('HKEYS', H)) do if string.sub(any, 1, 1) ~= '#' then rid = any end end
  local mine, all, last = unpack(`,
  },
  fence: {
    fault: 'fences that are only counted',
    file: 'redis-adapter/scripts/_permits.lua',
    from: `+ 1, t[1] * 1000000 + t[2])`,
    to: `+ 1, 1)`,
  },
  tenure,
} as const satisfies Record<string, Mutant>

/** The same on several masters. */
export const mastersMutants = {
  release: {
    fault: 'a release that does not look whose lock it is',
    file: 'redis-adapter/dist/supervisor/redlock/quorum-executor.js',
    from: `if redis.call('get', KEYS[1]) == ARGV[1] then redis.call('del', KEYS[1]) end`,
    to: `redis.call('del', KEYS[1])`,
  },
  fence: {
    fault: 'fences that are only counted',
    file: 'redis-adapter/scripts/fence.lua',
    from: `fence + 1, t[1] * 1000000 + t[2])`,
    to: `fence + 1, 1)`,
  },
  tenure,
} as const satisfies Record<string, Mutant>

/** Of a lock for readers and writers. */
export const roomy: Mutant = {
  fault: 'writers who leave room for readers',
  file: 'core/dist/client/rwlock.js',
  from: `side === 'read' ? 1 : rwlockShape.permits`,
  to: `side === 'read' ? 1 : rwlockShape.permits - 5`,
}

/** The folder of a copy, in which `worker.mjs` runs with the packages beside it. Whoever makes it removes it. */
export function copyOf(mutant: Mutant | null): string {
  const folder = mkdtempSync(join(tmpdir(), 'skein-chaos-'))
  const modules = join(folder, 'node_modules')
  for (const name of ['core', 'redis-adapter']) {
    cpSync(join(packages, name), join(modules, '@skein', name), {
      recursive: true,
      filter: (path) => !/\/(?:node_modules|src|test)$/.test(path),
    })
  }
  // What the packages import from outside is not copied.
  const outside = join(packages, 'redis-adapter', 'node_modules')
  for (const name of readdirSync(outside)) {
    if (!/^[@.]/.test(name)) symlinkSync(realpathSync(join(outside, name)), join(modules, name))
  }
  cpSync(join(import.meta.dirname, 'worker.mjs'), join(folder, 'worker.mjs'))
  if (mutant !== null) spoil(join(modules, '@skein', mutant.file), mutant)
  return folder
}

function spoil(path: string, { fault, from, to }: Mutant): void {
  const text = readFileSync(path, 'utf8')
  if (text.split(from).length !== 2) throw new Error(`"${fault}" does not fit ${path} any more; write it anew`)
  writeFileSync(path, text.replace(from, to))
}
