/** A small shell beside the program, for what must go on while the program cannot do anything itself. */
import { type ChildProcess, spawn, type SpawnOptions } from 'node:child_process'

/** `null` if the operating system refuses, or has none: no reason to fail anybody's start. */
export function startShell(script: string, options: SpawnOptions): ChildProcess | null {
  try {
    const shell = spawn('/bin/sh', ['-c', script], { ...options, cwd: '/' })
    if (shell.pid !== undefined) return shell
    shell.once('error', () => {
      // Answered already; without a listener it would be an uncaught error.
    })
    return null
  } catch {
    return null
  }
}
