/** Tasks: functions with an id. None of them is exported under its own name. */
import process from 'node:process'
import type { Queue } from '@skein/core'
import { task } from '@skein/core'

interface Tasks {
  readonly triple: (n: number) => number
  readonly fragile: (words: Queue<string>) => Promise<string>
}

export const tasks: Tasks = {
  triple: task({ id: 'conformance.triple' }, (n: number) => n * 3),
  /** Ends its process, but for the run that finds the word. */
  fragile: task({ id: 'conformance.fragile', retries: 1 }, async (words: Queue<string>): Promise<string> => {
    const word = await words.tryGet()
    if (word === null) process.exit(9)
    return word.value
  }),
}
