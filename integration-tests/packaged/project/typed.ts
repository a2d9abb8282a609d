// The same in TypeScript: what comes out of a queue and of a pool has a type.
import { connect, isMainProcess } from '@skein/core'
import type { Queue } from '@skein/core'
import { redis } from '@skein/redis-adapter'

export async function squares(queue: Queue<number>, numbers: readonly number[]): Promise<void> {
  for (const n of numbers) await queue.put(n * n)
}

export function shout(word: string): string {
  return word.toUpperCase()
}

if (isMainProcess) {
  const { SKEIN_URL: url = 'local:' } = process.env
  const mp = await connect(url.startsWith('redis:') ? redis(url) : url)
  const queue = mp.queue<number>()
  const child = mp.process(squares, [queue, [1, 2, 3]])
  await child.start()
  const sum: number = (await queue.get()) + (await queue.get()) + (await queue.get())
  await child.join()
  const words: string[] = await mp.pool(2).map(shout, ['a', 'b'])
  console.log(mp.kind, sum, words)
  // @ts-expect-error: a word is no number
  mp.process(squares, [queue, ['four']])
  await mp.close()
}
