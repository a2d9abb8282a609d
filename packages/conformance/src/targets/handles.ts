/** Functions that run elsewhere and hand handles on. */
import type { Lock, Process, Queue, Semaphore } from '@skein/core'
import { currentProcess } from '@skein/core'
import type { Context } from '@skein/core'

function ownContext(): Context {
  const { context } = currentProcess()
  if (context === null) throw new Error('a child has a context')
  return context
}

/** Hands the queue on to a child of a child, `depth` times; the last one puts its depth. */
export async function putAtDepth(queue: Queue<number>, lock: Lock, depth: number, of: number): Promise<void> {
  if (depth === of) {
    await lock.with(() => queue.put(depth))
    return
  }
  const child = ownContext().process(putAtDepth, [queue, lock, depth + 1, of])
  await child.start()
  await child.result()
}

/** Answers into the queue that came with the question. */
export async function answerQuestions(questions: Queue<{ n: number; reply: Queue<number> }>): Promise<void> {
  for await (const { n, reply } of questions) await reply.put(n * n)
}

/** Makes a queue with an item in it, and returns its handle. */
export async function makeQueue(item: string): Promise<Queue<string>> {
  const queue = ownContext().queue<string>()
  await queue.put(item)
  return queue
}

export async function putByName(name: string, item: number): Promise<void> {
  await ownContext().queue<number>(name).put(item)
}

export async function lockedByName(name: string): Promise<boolean> {
  return await ownContext().lock(name).locked()
}

export async function valueByName(permits: number, name: string): Promise<number> {
  return await ownContext().semaphore(permits, name).value()
}

export async function joinOther(other: Process<unknown>): Promise<number | null> {
  return (await other.join()).exitCode
}

export async function valueOf(semaphore: Semaphore): Promise<number> {
  return await semaphore.value()
}

/** Ends another process, and says how that ended. */
export async function endOther(other: Process<unknown>, how: 'terminate' | 'kill'): Promise<NodeJS.Signals | null> {
  await other[how]()
  return (await other.join()).signal
}

/** As a process sees itself and those next to it. */
export interface Introduction {
  readonly depth: number
  readonly self: Party
  readonly parent: Party | null
  /** The handle of its child. */
  readonly child: Process<void> | null
}

type Party = Pick<ReturnType<typeof currentProcess>, 'id' | 'name' | 'pid' | 'host'>

/** Introduces itself and starts the next one, `depth` times; each stays until its child has ended. */
export async function introduce(up: Queue<Introduction>, ready: Queue<number>, depth: number): Promise<void> {
  const { id, name, pid, host, parent } = currentProcess()
  const child =
    depth === 0 ? null : ownContext().process(introduce, [up, ready, depth - 1], { name: `depth-${depth - 1}` })
  await child?.start()
  await up.put({ depth, self: { id, name, pid, host }, parent, child })
  if (child === null) await ready.get()
  else await child.join()
}
