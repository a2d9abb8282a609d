/**
 * What this process runs for other programs: exported functions of files under a root, and of files that are allowed beside them. A
 * process that was started for another program has a policy, and so have all that it starts; without one, any module that Node finds will do.
 */
import { realpathSync } from 'node:fs'
import { hostname } from 'node:os'
import { relative, sep } from 'node:path'
import { TargetNotFoundError } from '../errors.ts'

export interface TargetPolicy {
  /** Folder, absolute. */
  readonly root: string
  /** Sources of regular expressions for paths from the root, with `/`: such files are run, too, wherever they are. */
  readonly allow: readonly string[]
}

let policy: TargetPolicy | null = null

/** For the whole life of this process. */
export function obey(given: TargetPolicy): void {
  policy = given
}

export function currentPolicy(): TargetPolicy | null {
  return policy
}

/** Whether functions of that file may run: what counts is where it really is, not by which links it was reached. */
export function permits({ root, allow }: TargetPolicy, file: string): boolean {
  const path = relative(realpathSync(root), realpathSync(file)).replaceAll(sep, '/')
  if (allow.some((source) => new RegExp(source).test(path))) return true
  const [first] = path.split('/')
  // On another drive of Windows, the path stays absolute.
  return first !== '..' && !path.includes(':') && !path.split('/').includes('node_modules')
}

/** @throws TargetNotFoundError */
export function checkPermitted(given: TargetPolicy, module: string, file: string): void {
  if (permits(given, file)) return
  throw new TargetNotFoundError(
    `Host ${hostname()} runs functions of files under ${given.root} for other programs, and ${module} (${file}) is not one of them. ` +
      'Start it there with the root above that file, or allow the file.',
  )
}
