/** A function that runs elsewhere and looks around there. */
import { currentProcess } from '@skein/core'
import type { Snapshot } from '@skein/core'

export async function inspectHere(): Promise<Snapshot> {
  const { context } = currentProcess()
  if (context === null) throw new Error('a child has a context')
  return await context.inspect()
}
