/**
 * What a child takes over from the process that starts it: the environment, the directory and Node's own options, as they are now. The
 * secret that programs sign with is the program's alone.
 */
import type { Surroundings } from '../supervisor/boot.ts'
import { childExecArgv } from '../target/index.ts'

/** The variable that holds it, and the one that names a file which does. */
export const SECRET = 'SKEIN_SECRET'
export const SECRET_FILE = 'SKEIN_SECRET_FILE'

export function surroundings(): Surroundings {
  const env: Record<string, string> = {}
  for (const [name, value] of Object.entries(process.env)) {
    if (value !== undefined && name !== SECRET && name !== SECRET_FILE) env[name] = value
  }
  return { env, cwd: process.cwd(), execArgv: childExecArgv() }
}
