/** What a child takes over from the process that starts it: the environment, the directory and Node's own options, as they are now. */
import type { Surroundings } from '../supervisor/boot.ts'
import { childExecArgv } from '../target/index.ts'

export function surroundings(): Surroundings {
  const env: Record<string, string> = {}
  for (const [name, value] of Object.entries(process.env)) if (value !== undefined) env[name] = value
  return { env, cwd: process.cwd(), execArgv: childExecArgv() }
}
