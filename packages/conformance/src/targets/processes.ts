/** Functions that run elsewhere and look at other processes. */
import { currentProcess } from '@skein/core'
import type { Context } from '@skein/core'

function here(): Context {
  const { context } = currentProcess()
  if (context === null) throw new Error('a child has a context')
  return context
}

export async function idsHere(): Promise<string[]> {
  return (await here().processes()).map(({ id }) => id)
}

/** Kills the process of that name. Returns its exit code. */
export async function findAndKill(name: string): Promise<number | null> {
  const mp = here()
  const found = (await mp.processes()).find((one) => one.name === name)
  if (found === undefined) throw new Error(`no process is named ${name}`)
  const victim = await mp.find(found.id)
  await victim.kill()
  return victim.exitCode
}
