/** Functions that run elsewhere and stand for election. */
import process from 'node:process'
import type { Election, Queue } from '@skein/core'

/** A leader, as told by itself. */
export interface Reign {
  readonly pid: number
  readonly token: number
}

/** Says when it leads, and leads until it is told to step down. */
export async function leadUntilTold(post: Election, reigns: Queue<Reign>, words: Queue<string>): Promise<string> {
  return await post.run(async ({ token }) => {
    await reigns.put({ pid: process.pid, token })
    return await words.get()
  })
}

/** Says when it leads, and leads for ever. */
export async function leadForEver(post: Election, reigns: Queue<Reign>): Promise<void> {
  await post.run(async ({ token }) => {
    await reigns.put({ pid: process.pid, token })
    setInterval(() => {}, 60_000)
    await new Promise(() => {})
  })
}
